"""Which record goes when: requests side by side, FIFO groups in order, the deadline kept.

A chain is a run of records that must be delivered in order: a message group on a FIFO queue, a single record on
a standard one. Each worker takes a chain and sends its records one after the other. A record that must wait
holds the rest of its chain; one that is delivered or dead-lettered does not.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.base import FailureResponse, SuccessResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder import events, wire
from kochava_forwarder.advice import advise
from kochava_forwarder.deadline import Deadline
from kochava_forwarder.outcomes import Outcome, Then, Verdict
from kochava_forwarder.queues import Letter, Message, Queues
from kochava_forwarder.result import Result
from kochava_forwarder.settings import Settings
from kochava_forwarder.telemetry import Telemetry


class Client(Protocol):
    """What sends a payload to Kochava: `kochava.KochavaClient`, or a model of it."""

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Sends `payload` within `timeout` seconds; returns what became of it."""


class NotForwardedError(Exception):
    """Stands for a record that is reported failed; the outcome is its message."""


class ForwardingProcessor(BatchProcessor):
    """Powertools' batch processor, with the records sent side by side.

    Powertools keeps the contract with Lambda (partial batch response); which record counts as failed is decided
    here. One event loop lives across invocations, and with it the connections.
    """

    def __init__(self, settings: Settings, client: Client, queues: Queues, telemetry: Telemetry) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._settings = settings
        self._client = client
        self._queues = queues
        self._telemetry = telemetry
        self._runner = asyncio.Runner()

    def process(self) -> list[tuple[Any, ...]]:
        """Gives every record of the invocation its outcome; returns Powertools' entry for each."""
        results = self._runner.run(self._forward([SQSRecord(record) for record in self.records]))
        self._telemetry.count(results)
        return [self._report(result) for result in results]

    def close(self) -> None:
        """Ends the event loop; the processor is not used afterwards."""
        self._runner.close()

    async def _forward(self, records: Sequence[SQSRecord]) -> list[Result]:
        deadline = Deadline.divide(
            now=asyncio.get_running_loop().time(),
            remaining=self.lambda_context.get_remaining_time_in_millis() / 1000,
            request_timeout=self._settings.request_timeout,
            records=len(records),
        )
        invocation = _Invocation(self._settings, self._client, self._queues, self._telemetry, deadline)
        return await invocation.run(records)

    def _report(self, result: Result) -> SuccessResponse | FailureResponse:
        if result.acknowledged:
            return self.success_handler(record=result.record, result=result.verdict.outcome)
        error = NotForwardedError(result.verdict.outcome)
        return self.failure_handler(record=result.record, exception=(NotForwardedError, error, None))


def in_chains(records: Sequence[SQSRecord]) -> list[list[SQSRecord]]:
    """Returns the records in chains, each in the order of the batch.

    FIFO is the queue's ARN ending in ``.fifo``: messages of a standard queue may have a group id as well.
    """
    groups: dict[str, list[SQSRecord]] = {}
    singles: list[list[SQSRecord]] = []
    for record in records:
        raw = record.raw_event
        if str(raw.get("eventSourceARN")).endswith(".fifo"):
            group = str((raw.get("attributes") or {}).get("MessageGroupId"))
            groups.setdefault(group, []).append(record)
        else:
            singles.append([record])
    return [*groups.values(), *singles]


@dataclass(frozen=True, slots=True)
class _Invocation:
    """One invocation's work."""

    settings: Settings
    client: Client
    queues: Queues
    telemetry: Telemetry
    deadline: Deadline

    async def run(self, records: Sequence[SQSRecord]) -> list[Result]:
        """Gives each record its result; returns them in no particular order."""
        chains = in_chains(records)
        queue = iter(chains)
        results: list[Result] = []
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self.settings.max_workers, len(chains))):
                workers.create_task(self._work(queue, results))
        await self._settle(results)
        return [result.settled() for result in results]

    async def _work(self, chains: Iterator[list[SQSRecord]], results: list[Result]) -> None:
        for chain in chains:
            last = chain[-1]
            waiting = False
            for record in chain:
                if waiting:
                    result = Result(record, Verdict(Outcome.DEFERRED, "an earlier record of its group waits"))
                else:
                    result = await self._attempt(record)
                    if record is not last:
                        await self._settle([result])
                        result = result.settled()
                    waiting = not result.acknowledged
                results.append(result)

    async def _attempt(self, record: SQSRecord) -> Result:
        """Tries one record; whatever goes wrong is that record's outcome alone."""
        try:
            message = Message.from_record(record, time.time())
            result = await self._deliver(record, message)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not fail the other records
            self.telemetry.crashed(record.raw_event, error)
            return Result(record, Verdict(Outcome.MISCONFIGURED, f"a bug: {type(error).__name__}, see the log"))
        if result.verdict.then is not Then.DEAD_LETTER:
            return result
        letter = Letter(message, result.verdict.outcome, result.verdict.detail)
        return replace(result, dead_letter=self.queues.dead_letter(letter))

    async def _deliver(self, record: SQSRecord, message: Message) -> Result:
        result = partial(
            Result, record, attempt=message.receive_count, queue_age=max(0.0, time.time() - message.sent_at)
        )
        clock = asyncio.get_running_loop().time
        started = clock()
        if started > self.deadline.last_start:
            return result(Verdict(Outcome.DEFERRED, "no time left"))
        sent_at = int(message.sent_at)
        try:
            event = events.parse(message.body, sent_at=sent_at, default_app_id=self.settings.app_id)
        except events.InvalidEventError as error:
            return result(Verdict(Outcome.INVALID, str(error)))
        payload = wire.payload(event, self.settings.device_ua_encoding)
        verdict = await self.client.post(payload, self.deadline.request_timeout)
        return result(verdict, latency=clock() - started, advice=tuple(advise(event, sent_at=sent_at)))

    async def _settle(self, results: Sequence[Result]) -> None:
        """Waits until the dead-letter queue has answered for `results`, but not beyond the deadline."""
        pending = [result.dead_letter for result in results if result.dead_letter]
        if pending:
            self.queues.flush()
            left = self.deadline.settled - asyncio.get_running_loop().time()
            await asyncio.wait(pending, timeout=max(0.0, left))
