"""Which record goes when: side by side, FIFO groups in order, and what is done about each outcome.

A chain is a run of records that must be delivered in order: a message group on a FIFO queue, a message on a
standard one. Each worker takes a chain and sends its records one after the other. A record that must wait
holds the rest of its chain for as long; one that is delivered or dead-lettered does not.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.base import FailureResponse, SuccessResponse
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from kochava_forwarder.forwarding.decision import Decision, RetryPolicy, decide
from kochava_forwarder.forwarding.delivery import Delivery
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Action, Outcome, Verdict
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import DeadLetter
from kochava_forwarder.sqs.refusal import Refusal
from kochava_forwarder.telemetry import Result

BEHIND = Verdict(Outcome.DEFERRED, "an earlier record of its group waits")
REPEATED = Verdict(Outcome.DUPLICATE, "the same message was in this batch before")


class NotForwardedError(Exception):
    """Stands for a record that is reported failed; the outcome is its message."""


class _Entry(NamedTuple):
    record: SQSRecord
    message: Message


class ForwardingProcessor(BatchProcessor):
    """Powertools' batch processor, with the records sent side by side.

    Powertools keeps the contract with Lambda (partial batch response); which record counts as failed is decided
    here. One event loop lives across invocations, and with it the connections.
    """

    def __init__(
        self,
        dependencies: Dependencies,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
    ) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._dependencies = dependencies
        self._runner = asyncio.Runner(loop_factory=loop_factory)

    def respond(self, event: dict[str, Any] | list[Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Give every record of a Lambda event its outcome; return the failed ones.

        Args:
            event: ``{"Records": [...]}``, or the bare list of records that EventBridge Pipes hands over.
            context: Lambda's, for the time that is left.
        """
        return process_partial_response(
            {"Records": event} if isinstance(event, list) else event,
            record_handler=_unused,  # Powertools asks for one; `process` below takes the batch as a whole
            processor=self,
            context=context,
        )

    def process(self) -> list[tuple[Any, ...]]:
        """Give every record of the invocation its outcome; return Powertools' entry for each."""
        remaining = self.lambda_context.get_remaining_time_in_millis() / 1000
        records = [SQSRecord(record) for record in self.records]
        results = self._runner.run(self._forward(records, remaining))
        self._dependencies.telemetry.count([result for _, result in results])
        return [self._report(record, result) for record, result in results]

    def close(self) -> None:
        """End what lives across invocations; the processor is not used afterwards."""
        self._dependencies.close()
        self._runner.close()

    async def _forward(self, records: Sequence[SQSRecord], remaining: float) -> list[tuple[SQSRecord, Result]]:
        deadline = Deadline.split(
            now=asyncio.get_running_loop().time(),
            remaining=remaining,
            request_timeout=self._dependencies.settings.request_timeout,
            records=len(records),
        )
        return await _Invocation(self._dependencies, deadline).run(records)

    def _report(self, record: SQSRecord, result: Result) -> SuccessResponse | FailureResponse:
        if result.acknowledged:
            return self.success_handler(record=record, result=result.verdict.outcome)
        error = NotForwardedError(result.verdict.outcome)
        return self.failure_handler(record=record, exception=(NotForwardedError, error, None))


def _unused(_: Any) -> None:
    """Stand where Powertools asks for a record handler."""


def in_chains(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Return the entries in chains, each in the order of the batch.

    Lambda makes a batch of one queue's messages. FIFO is its ARN ending in ``.fifo``: messages of a standard queue
    may have a group id as well.
    """
    chains: dict[str | None, list[_Entry]] = {}
    for entry in entries:
        message = entry.message
        fifo = message.queue_arn.endswith(".fifo")
        chains.setdefault(message.group_id if fifo else message.message_id, []).append(entry)
    return list(chains.values())


class _Invocation:
    """One invocation's work."""

    def __init__(self, dependencies: Dependencies, deadline: Deadline) -> None:
        settings = dependencies.settings
        self._dependencies = dependencies
        self._deadline = deadline
        self._policy = RetryPolicy(settings.retry_horizon, settings.ambiguous_delivery)
        self._delivery = Delivery(dependencies, deadline)
        self._results: list[tuple[SQSRecord, Result]] = []
        self._postponements: list[asyncio.Future[str | None]] = []
        self._refusals: list[asyncio.Future[str | None]] = []

    async def run(self, records: Sequence[SQSRecord]) -> list[tuple[SQSRecord, Result]]:
        """Give each record its result; return them in no particular order."""
        chains = in_chains(list(self._read(records)))
        queue = iter(chains)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(len(chains), self._workers())):
                tasks.create_task(self._work(queue, tasks))
        self._dependencies.queues.flush()  # nothing may be left for the next invocation: its receipts are others
        await self._delivery.end()
        await self._dependencies.client.end_invocation(self._deadline.respond_by)
        telemetry = self._dependencies.telemetry
        telemetry.count_not_postponed([failure for failure in await self._gather(self._postponements) if failure])
        telemetry.count_refusals_not_sent([failure for failure in await self._gather(self._refusals) if failure])
        return self._results

    def _workers(self) -> int:
        """Return how many chains are worked on: twice the requests in flight if the rest can claim ahead."""
        in_flight = self._dependencies.settings.max_workers
        return 2 * in_flight if self._dependencies.deduplication else in_flight

    def _read(self, records: Sequence[SQSRecord]) -> Iterator[_Entry]:
        """Yield the records that can be read; SQS sends no other, and one that cannot is reported failed."""
        for record in records:
            try:
                yield _Entry(record, Message.from_record(record, self._dependencies.clock()))
            except Exception as error:  # noqa: BLE001 - an odd record must not fail the others
                result = Result(record.raw_event.get("messageId"), self._internal_error(record, error))
                self._results.append((record, result))

    async def _work(self, chains: Iterator[list[_Entry]], tasks: asyncio.TaskGroup) -> None:
        for chain in chains:
            ahead: Result | None = None  # the one that the rest of the chain waits for
            seen: set[str] = set()
            for entry in chain:
                if ahead:
                    result, decision = _result(entry.message, BEHIND), Decision(BEHIND, Action.RETRY, ahead.wait)
                elif entry.message.message_id in seen:
                    result, decision = _result(entry.message, REPEATED), Decision(REPEATED, Action.ACKNOWLEDGE)
                else:
                    result = await self._try(entry)
                    decision = self._decide(result.verdict, entry.message)
                seen.add(entry.message.message_id)
                if decision.action is Action.DEAD_LETTER and entry is chain[-1]:
                    tasks.create_task(self._conclude(entry, result, decision))  # no record waits for the copy
                else:
                    concluded = await self._conclude(entry, result, decision)
                    ahead = ahead or (None if concluded.acknowledged else concluded)

    async def _try(self, entry: _Entry) -> Result:
        """Try one record; whatever goes wrong is that record's outcome alone."""
        try:
            return await self._delivery.deliver(entry.message)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not fail the other records
            return _result(entry.message, self._internal_error(entry.record, error))

    def _internal_error(self, record: SQSRecord, error: Exception) -> Verdict:
        self._dependencies.telemetry.count_internal_error(record.raw_event, error)
        return Verdict(Outcome.MISCONFIGURED, f"an internal error ({type(error).__name__}), see the log")

    def _decide(self, verdict: Verdict, message: Message) -> Decision:
        dependencies = self._dependencies
        return decide(verdict, message, self._policy, now=dependencies.clock(), jitter=dependencies.jitter())

    async def _conclude(self, entry: _Entry, result: Result, decision: Decision) -> Result:
        """Carry a decision out, and add the record's result.

        Only here is a record acknowledged, which lets SQS delete it: because nothing is left to do, or because
        SQS confirmed its copy in the dead-letter queue.
        """
        acknowledged = decision.action is Action.ACKNOWLEDGE
        if decision.action is Action.DEAD_LETTER:
            failure = await self._copy(entry.message, result, decision.verdict)
            if failure is None:
                acknowledged = True
                self._tell(entry.message, result, decision.verdict)
            else:
                verdict = _not_copied(decision.verdict, failure)
                wait = backoff.wait(verdict, entry.message.receive_count, self._dependencies.jitter())
                decision = Decision(verdict, Action.RETRY, wait)
        if not acknowledged:
            postponed = self._dependencies.queues.postpone(entry.message, decision.wait, self._deadline.respond_by)
            self._postponements.append(postponed)
        result = result._replace(verdict=decision.verdict, acknowledged=acknowledged, wait=decision.wait)
        self._results.append((entry.record, result))
        return result

    async def _copy(self, message: Message, result: Result, verdict: Verdict) -> str | None:
        """Copy a message to the dead-letter queue; return None once SQS confirmed it, else why not."""
        letter = DeadLetter(message, verdict.outcome, verdict.detail, result.identity.event_id)
        (failure,) = await self._gather([self._dependencies.queues.dead_letter(letter, self._deadline.respond_by)])
        return failure

    def _tell(self, message: Message, result: Result, verdict: Verdict) -> None:
        """Tell publishers of a dead letter; that they are not told changes nothing for the event."""
        problems = verdict.problems or (verdict.detail,)
        refusal = Refusal(message, verdict.outcome, problems, *result.identity)
        if told := self._dependencies.queues.tell(refusal, self._deadline.respond_by):
            self._refusals.append(told)

    async def _gather(self, calls: Sequence[asyncio.Future[str | None]]) -> list[str | None]:
        """Return how SQS answered, waiting for it no longer than the invocation's time allows."""
        if calls:
            left = self._deadline.respond_by - asyncio.get_running_loop().time()
            await asyncio.wait(calls, timeout=max(0.0, left))
        return [call.result() if call.done() else "no answer in time" for call in calls]


def _result(message: Message, verdict: Verdict) -> Result:
    return Result(message.message_id, verdict, receive_count=message.receive_count)


def _not_copied(verdict: Verdict, failure: str) -> Verdict:
    detail = f"the dead-letter queue did not take it ({failure}); it is {verdict.outcome}: {verdict.detail}"
    return Verdict(Outcome.MISCONFIGURED, detail)
