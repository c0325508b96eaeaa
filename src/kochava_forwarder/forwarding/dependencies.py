"""What lives across invocations: built once from the settings, used by `batch` and `delivery`.

The Protocols are what a simulation replaces.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, Self

from kochava_forwarder.forwarding.deduplication import Deduplication
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.kochava.credentials import CredentialsStore
from kochava_forwarder.policy.breaker import Breaker
from kochava_forwarder.policy.outcomes import Verdict
from kochava_forwarder.settings import Settings
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import DeadLetter, SqsQueues
from kochava_forwarder.sqs.refusal import Refusal
from kochava_forwarder.telemetry import PowertoolsTelemetry, Result


class Client(Protocol):
    """What sends a payload to Kochava."""

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Send `payload` within `timeout` seconds; return what the answer means."""

    async def end_invocation(self, until: float) -> None:
        """End an invocation, at the loop's time `until` at the latest."""

    def close(self) -> None:
        """Close what lives across invocations."""


class Queues(Protocol):
    """What waits in the event queue, what goes to the dead-letter queue, and who is told of it."""

    def dead_letter(self, letter: DeadLetter, deadline: float) -> asyncio.Future[str | None]:
        """Copy a message to the dead-letter queue; the future is None once SQS confirmed it, else says why not."""

    def tell(self, refusal: Refusal, deadline: float) -> asyncio.Future[str | None] | None:
        """Tell publishers of a dead letter; the future is None once SQS confirmed it, else says why not."""

    def postpone(self, message: Message, seconds: int, deadline: float) -> asyncio.Future[str | None]:
        """Make a message invisible for `seconds`; the future is None once SQS agreed, else says why not."""

    def flush(self) -> None:
        """Start every call that waits for more entries."""

    def close(self) -> None:
        """Close what lives across invocations."""


class Telemetry(Protocol):
    """What is logged and counted."""

    def count(self, results: Sequence[Result]) -> None:
        """Log and count the results of a batch."""

    def count_internal_error(self, record: Mapping[str, Any], error: BaseException) -> None:
        """Log and count an exception of our own code."""

    def count_not_postponed(self, failures: Sequence[str]) -> None:
        """Log and count records whose wait SQS did not take."""

    def count_refusals_not_sent(self, failures: Sequence[str]) -> None:
        """Log and count dead letters of which publishers were not told."""

    def count_table_failure(self, error: str) -> None:
        """Log and count a failure of the deduplication table."""


class Dependencies(NamedTuple):
    """The parts of a forwarder.

    Args:
        clock: seconds since 1970.
        jitter: a number from 0 to 1, another one at each call.
    """

    settings: Settings
    client: Client
    queues: Queues
    breaker: Breaker
    telemetry: Telemetry
    deduplication: Deduplication | None = None
    clock: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the parts that are deployed, as `settings` asks for them."""
        telemetry = PowertoolsTelemetry()
        credentials = CredentialsStore(settings.secret_id) if settings.secret_id else None
        table = settings.deduplication_table
        return cls(
            settings=settings,
            client=KochavaClient(settings.endpoint, credentials),
            queues=SqsQueues(settings.dead_letter_queue_url, settings.refusal_queue_arn),
            breaker=Breaker(settings.max_workers),
            telemetry=telemetry,
            deduplication=Deduplication(table, settings.deduplication_window, telemetry.count_table_failure)
            if table
            else None,
        )

    def close(self) -> None:
        """Close the connections and end the threads."""
        self.client.close()
        self.queues.close()
        if self.deduplication:
            self.deduplication.close()
