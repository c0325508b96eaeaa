"""One execution environment of the function: the deployed code, with models where it reaches out.

Stood in for are the HTTP client (`KochavaClient`), the SQS client, and the telemetry, which counts instead of
printing a million lines. An invocation is run to its end at once: nobody else touches its messages until then,
so that what it does to the queue may be noted ahead of the queue's own time.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.policy.breaker import Breaker
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import BATCH_WINDOW_SECONDS, MAX_ENTRIES, DeadLetter
from kochava_forwarder.sqs.refusal import Refusal
from kochava_forwarder.telemetry import Result
from tests.outage.events import body
from tests.outage.kochava import Kochava
from tests.outage.sqs import Queue, QueuedMessage
from tests.outage.template import Deployment
from tests.outage.virtualtime import VirtualClock, VirtualLoop

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

CALL_SECONDS = 0.01  # that a call to SQS takes
OVERHEAD_SECONDS = 0.002  # of an invocation, around what it waits for
QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:events"


@dataclass(slots=True)
class Tally:
    """What is counted over all environments."""

    outcomes: Counter[str] = field(default_factory=Counter)
    not_postponed: int = 0
    bugs: list[str] = field(default_factory=list)
    sqs_calls: int = 0
    dead_letters: dict[int, str] = field(default_factory=dict)  # dead-lettered by the function: number to reason


@dataclass(frozen=True, slots=True)
class World:
    """What all environments share: Kochava, the queue, what is counted, and numbers from 0 to 1."""

    kochava: Kochava
    queue: Queue
    tally: Tally
    jitter: Callable[[], float]


class CountingTelemetry:
    """Count and say nothing."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally

    def count_internal_error(self, record: Mapping[str, Any], error: BaseException) -> None:
        del record
        self._tally.bugs.append(repr(error))

    def count_not_postponed(self, failures: Sequence[str]) -> None:
        self._tally.not_postponed += len(failures)

    def count_refusals_not_sent(self, failures: Sequence[str]) -> None:
        assert not failures, "nobody is told of refusals"

    def count_table_failure(self, error: str) -> None:
        raise AssertionError(f"there is no table: {error}")

    def count(self, results: Sequence[Result]) -> None:
        self._tally.outcomes.update(result.verdict.outcome for result in results)


class SimulatedQueues:
    """Gather entries like the real one, and answers for the model of the queue."""

    def __init__(self, queue: Queue, tally: Tally) -> None:
        self._queue = queue
        self._tally = tally
        self._asked: list[tuple[asyncio.Future[str | None], str | None]] = []

    def postpone(self, message: Message, seconds: int, deadline: float) -> asyncio.Future[str | None]:
        del deadline  # an invocation is run to its end at once
        now = asyncio.get_running_loop().time()
        taken = self._queue.change_visibility(message.receipt_handle, seconds, now)
        return self._answer(None if taken else "MessageNotInflight")

    def dead_letter(self, letter: DeadLetter, deadline: float) -> asyncio.Future[str | None]:
        del deadline  # the same
        self._tally.dead_letters[int(letter.message.message_id)] = letter.reason
        return self._answer(None)

    def tell(self, refusal: Refusal, deadline: float) -> None:
        """Do nothing: there is no refusal queue."""

    def flush(self) -> None:
        """Do nothing: what was asked is answered when its time has come."""

    def close(self) -> None:
        """Do nothing: no connection is kept."""

    def _answer(self, answer: str | None) -> asyncio.Future[str | None]:
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_later(BATCH_WINDOW_SECONDS + CALL_SECONDS, self._tell)
        future: asyncio.Future[str | None] = loop.create_future()
        self._asked.append((future, answer))
        return future

    def _tell(self) -> None:
        asked, self._asked = self._asked, []
        self._tally.sqs_calls += ceil(len(asked) / MAX_ENTRIES)
        for future, answer in asked:
            if not future.done():
                future.set_result(answer)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Lambda learns from an invocation.

    Args:
        ended_at: when it was over.
        acknowledged: the receipts of the messages that Lambda deletes.
    """

    ended_at: float
    acknowledged: list[str]


@dataclass(frozen=True, slots=True)
class _Context:
    """What the function asks of Lambda's context object."""

    function_timeout: int

    def get_remaining_time_in_millis(self) -> int:
        return 1000 * self.function_timeout


class Environment:
    """One execution environment, with a breaker of its own.

    Args:
        deployment: the function's settings.
        world: what surrounds it.
    """

    def __init__(self, deployment: Deployment, world: World) -> None:
        self._clock = VirtualClock()
        dependencies = Dependencies(
            settings=deployment.settings,
            client=world.kochava,
            queues=SimulatedQueues(world.queue, world.tally),
            breaker=Breaker(deployment.settings.max_workers),
            telemetry=CountingTelemetry(world.tally),
            clock=self._clock,
            jitter=world.jitter,
        )
        self._processor = ForwardingProcessor(dependencies, self._loop)
        self._context = cast("LambdaContext", _Context(deployment.function_timeout))
        self._queue_arn = QUEUE_ARN + (".fifo" if deployment.queue.fifo else "")

    def _loop(self) -> asyncio.AbstractEventLoop:
        return VirtualLoop(self._clock)

    def invoke(self, batch: Sequence[QueuedMessage], now: float) -> Answer:
        """Run the function with a batch, as `app.lambda_handler` does."""
        self._clock.now = now
        event = {"Records": [_record(message, self._queue_arn) for message in batch]}
        response = self._processor.respond(event, self._context)
        failed = {item["itemIdentifier"] for item in response["batchItemFailures"]}
        acknowledged = [message.receipt for message in batch if str(message.number) not in failed]
        return Answer(self._clock.now + OVERHEAD_SECONDS, acknowledged)

    def close(self) -> None:
        """End the environment."""
        self._processor.close()


def _record(message: QueuedMessage, queue_arn: str) -> dict[str, Any]:
    """Return the message as Lambda hands it over."""
    return {
        "messageId": str(message.number),
        "receiptHandle": message.receipt,
        "body": body(message.number),
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(1000 * message.sent_at)),
            "MessageGroupId": str(message.group),
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
    }
