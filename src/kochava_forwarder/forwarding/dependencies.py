"""What lives across invocations: built once by `app`, used by `batch` and `delivery`."""

import random
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from kochava_forwarder.forwarding.deduplication import Deduplication
from kochava_forwarder.policy.breaker import Breaker
from kochava_forwarder.policy.outcomes import Verdict
from kochava_forwarder.settings import Settings
from kochava_forwarder.sqs.queues import Queues
from kochava_forwarder.telemetry import Telemetry


class Client(Protocol):
    """What sends a payload to Kochava: `kochava.KochavaClient`, or a model of it."""

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Send `payload` within `timeout` seconds; return what became of it."""

    async def wind_down(self, until: float) -> None:
        """End an invocation, at the loop's time `until` at the latest."""


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
