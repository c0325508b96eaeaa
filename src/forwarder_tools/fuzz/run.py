"""Sends broken bodies through the real batch code, and holds what would reach Kochava against the contract."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, cast, override

from aws_lambda_powertools.utilities.batch import process_partial_response

from forwarder_tools.fuzz.mutations import mutate, valid_bodies
from forwarder_tools.sandbox import Contract
from kochava_forwarder import events, wire
from kochava_forwarder.batch import ForwardingProcessor
from kochava_forwarder.breaker import Breaker
from kochava_forwarder.message import Message
from kochava_forwarder.outcomes import Outcome, Verdict
from kochava_forwarder.queues import Letter, Queues
from kochava_forwarder.result import Result
from kochava_forwarder.services import Services
from kochava_forwarder.settings import DeviceUaEncoding, Settings
from kochava_forwarder.telemetry import Telemetry

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

BATCH = 1000
NOW = 1_760_000_000.0
HEADERS = [("content-type", "application/json"), ("user-agent", "Unknown"), ("content-length", "0")]


@dataclass(slots=True)
class Findings:
    """What came of the bodies.

    Args:
        outcomes: how many records ended how.
        broken: laws that did not hold, each with the body that showed it.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


class _Kochava:
    """Takes what keeps the contract; notes what does not."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._contract = Contract("percent")

    async def post(self, payload: bytes, timeout: float) -> Verdict:  # noqa: ARG002 - the client's signature
        headers = [*HEADERS[:-1], ("content-length", str(len(payload)))]
        _, problems = self._contract.read(headers, payload)
        if problems:
            self._findings.broken.append(f"the sandbox refuses {payload!r}: {'; '.join(problems)}")
        again = events.parse(payload.decode(), sent_at=int(NOW), default_app_id=None)
        if wire.payload(again, DeviceUaEncoding.PERCENT) != payload:
            self._findings.broken.append(f"reading what is sent changes it: {payload!r}")
        return Verdict(Outcome.DELIVERED)

    async def wind_down(self, until: float) -> None:
        """Does nothing: it keeps no connections."""


class _Queues(Queues):
    """Confirms every dead letter whose attributes SQS would take."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    @override
    def dead_letter(self, letter: Letter) -> asyncio.Future[str | None]:
        if not letter.detail.isprintable():
            self._findings.broken.append(f"not printable: {letter.detail!r}")
        return _done()

    @override
    def postpone(self, message: Message, seconds: int) -> asyncio.Future[str | None]:
        return _done()  # that it is left in the queue is told by the response

    @override
    def flush(self) -> None:
        """Does nothing: every entry was answered at once."""


def _done() -> asyncio.Future[str | None]:
    future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    future.set_result(None)
    return future


class _Telemetry(Telemetry):
    """Counts, and says nothing."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    @override
    def count_bug(self, record: Mapping[str, Any], error: BaseException) -> None:
        self._findings.broken.append(f"{error!r} for {record['body']!r}")

    @override
    def count_not_postponed(self, failures: Sequence[str]) -> None:
        self._findings.broken.extend(failures)

    @override
    def count(self, results: Sequence[Result]) -> None:
        self._findings.outcomes.update(result.verdict.outcome for result in results)


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def fuzz(bodies: int, seed: int, progress: Callable[[int], None]) -> Findings:
    """Sends `bodies` broken bodies through the forwarder.

    Args:
        bodies: how many.
        seed: which ones.
        progress: told the number of bodies after each batch.
    """
    findings = Findings()
    random = Random(seed)  # noqa: S311 - a reproducible choice is the point
    valid = valid_bodies()
    settings = Settings.from_environment({"DEAD_LETTER_QUEUE_URL": "https://sqs.example/dead-letters"})
    services = Services(
        settings=settings,
        client=_Kochava(findings),
        queues=_Queues(findings),
        breaker=Breaker(settings.max_workers),
        telemetry=_Telemetry(findings),
        clock=lambda: NOW,
        jitter=random.random,
    )
    with asyncio.Runner() as runner:
        processor = ForwardingProcessor(services, runner)
        for start in range(0, bodies, BATCH):
            batch = [mutate(random.choice(valid), random) for _ in range(min(BATCH, bodies - start))]
            _send(processor, batch, findings)
            progress(len(batch))
    return findings


def _send(processor: ForwardingProcessor, bodies: Sequence[str], findings: Findings) -> None:
    before = findings.outcomes.total()
    response = process_partial_response(
        {"Records": [_record(str(number), body) for number, body in enumerate(bodies)]},
        record_handler=processor.process,
        processor=processor,
        context=cast("LambdaContext", _Context()),
    )
    if findings.outcomes.total() - before != len(bodies):
        findings.broken.append(f"{len(bodies)} records, {findings.outcomes.total() - before} outcomes")
    findings.broken.extend(
        f"left in the queue: {json.dumps(bodies[int(str(item['itemIdentifier']))])}"
        for item in response["batchItemFailures"]
    )


def _record(message_id: str, body: str) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": str(int(1000 * NOW))},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events",
    }
