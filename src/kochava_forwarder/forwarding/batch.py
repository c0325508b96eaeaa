"""Which record goes when: side by side, FIFO groups in order, and what is done about each outcome.

A chain is a run of records that must be delivered in order: a message group on a FIFO queue, a single record on
a standard one. Each worker takes a chain and sends its records one after the other. A record that must wait
holds the rest of its chain for as long; one that is delivered or dead-lettered does not.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.base import FailureResponse, SuccessResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.forwarding.decision import Decision, RetryPolicy, decide
from kochava_forwarder.forwarding.delivery import Attempt, Delivery
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Action, Outcome, Verdict
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import DeadLetter
from kochava_forwarder.telemetry import Result


class NotForwardedError(Exception):
    """Stands for a record that is reported failed; the outcome is its message."""


class ForwardingProcessor(BatchProcessor):
    """Powertools' batch processor, with the records sent side by side.

    Powertools keeps the contract with Lambda (partial batch response); which record counts as failed is decided
    here. One event loop lives across invocations, and with it the connections.
    """

    def __init__(self, dependencies: Dependencies, runner: asyncio.Runner) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._dependencies = dependencies
        self._runner = runner

    def process(self) -> list[tuple[Any, ...]]:
        """Give every record of the invocation its outcome; return Powertools' entry for each."""
        remaining = self.lambda_context.get_remaining_time_in_millis() / 1000
        records = [SQSRecord(record) for record in self.records]
        results = self._runner.run(_forward(self._dependencies, records, remaining))
        self._dependencies.telemetry.count(results)
        return [self._report(result) for result in results]

    def _report(self, result: Result) -> SuccessResponse | FailureResponse:
        if result.acknowledged:
            return self.success_handler(record=result.record, result=result.verdict.outcome)
        error = NotForwardedError(result.verdict.outcome)
        return self.failure_handler(record=result.record, exception=(NotForwardedError, error, None))


async def _forward(dependencies: Dependencies, records: Sequence[SQSRecord], remaining: float) -> list[Result]:
    deadline = Deadline.split(
        now=asyncio.get_running_loop().time(),
        remaining=remaining,
        request_timeout=dependencies.settings.request_timeout,
        records=len(records),
    )
    return await _Invocation(dependencies, deadline).run(records)


def in_chains(records: Sequence[SQSRecord]) -> list[list[SQSRecord]]:
    """Return the records in chains, each in the order of the batch.

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


class _Tried(NamedTuple):
    """A record that was tried; `message` is None when not even that could be read."""

    record: SQSRecord
    message: Message | None
    attempt: Attempt
    decision: Decision


class _Invocation:
    """One invocation's work."""

    def __init__(self, dependencies: Dependencies, deadline: Deadline) -> None:
        self.dependencies = dependencies
        self.deadline = deadline
        self.delivery = Delivery(dependencies, deadline)
        self.results: list[Result] = []
        self.postponements: list[asyncio.Future[str | None]] = []

    async def run(self, records: Sequence[SQSRecord]) -> list[Result]:
        """Give each record its result; return them in no particular order."""
        chains = in_chains(records)
        queue = iter(chains)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(len(chains), self.dependencies.settings.max_workers)):
                tasks.create_task(self._work(queue, tasks))
        self.dependencies.queues.flush()  # nothing may be left for the next invocation: its receipts are others
        await self.dependencies.client.wind_down(self.deadline.respond_by)
        failures = [failure for failure in await self._answers(self.postponements) if failure]
        self.dependencies.telemetry.count_not_postponed(failures)
        return self.results

    async def _work(self, chains: Iterator[list[SQSRecord]], tasks: asyncio.TaskGroup) -> None:
        for chain in chains:
            ahead: Result | None = None
            for record in chain:
                tried = self._defer_behind(record, ahead) if ahead else await self._try(record)
                if tried.decision.action is not Action.DEAD_LETTER:
                    result = self._conclude(tried)
                elif len(chain) > 1:
                    result = await self._dead_letter(tried)
                else:  # nothing waits for the copy but the invocation's end
                    tasks.create_task(self._dead_letter(tried))
                    continue
                ahead = ahead or (None if result.acknowledged else result)

    async def _try(self, record: SQSRecord) -> _Tried:
        """Try one record; whatever goes wrong is that record's outcome alone."""
        message = None
        try:
            message = Message.from_record(record, self.dependencies.clock())
            attempt = await self.delivery.deliver(message)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not fail the other records
            self.dependencies.telemetry.log_bug(record.raw_event, error)
            attempt = Attempt(Verdict(Outcome.MISCONFIGURED, f"a bug ({type(error).__name__}), see the log"))
        return _Tried(record, message, attempt, self._decide(attempt.verdict, message))

    def _defer_behind(self, record: SQSRecord, ahead: Result) -> _Tried:
        """Defer a record behind one of its group that waits, for as long."""
        verdict = Verdict(Outcome.DEFERRED, "an earlier record of its group waits")
        message = None
        with suppress(LookupError, TypeError, ValueError):  # what cannot be read keeps the queue's own timeout
            message = Message.from_record(record, self.dependencies.clock())
        return _Tried(record, message, Attempt(verdict), Decision(verdict, Action.RETRY, ahead.wait))

    def _decide(self, verdict: Verdict, message: Message | None) -> Decision:
        if message is None:
            return Decision(verdict, Action.RETRY)
        dependencies = self.dependencies
        policy = RetryPolicy(dependencies.settings.retry_horizon, dependencies.settings.ambiguous_delivery)
        return decide(verdict, message, policy, now=dependencies.clock(), jitter=dependencies.jitter())

    async def _dead_letter(self, tried: _Tried) -> Result:
        """Dead-letter a record; one whose copy SQS does not confirm in time is retried instead."""
        verdict, message = tried.decision.verdict, tried.message
        if message is None:
            raise ValueError("what could not be read is not dead-lettered")
        copy = self.dependencies.queues.dead_letter(DeadLetter(message, verdict.outcome, verdict.detail))
        (failure,) = await self._answers([copy])
        if failure:
            detail = (
                f"the dead-letter queue did not take it ({failure}); it is {verdict.outcome}: {verdict.detail}"
            )
            verdict = Verdict(Outcome.MISCONFIGURED, detail)
            wait = backoff.wait(verdict, message.receive_count, self.dependencies.jitter())
            return self._conclude(tried._replace(decision=Decision(verdict, Action.RETRY, wait)))
        return self._conclude(tried._replace(decision=Decision(verdict, Action.ACKNOWLEDGE)))

    def _conclude(self, tried: _Tried) -> Result:
        """Add the record's result, and have it wait in the queue if it is to be retried."""
        decision, message, attempt = tried.decision, tried.message, tried.attempt
        acknowledged = decision.action is Action.ACKNOWLEDGE  # nothing else may let SQS delete it
        if not acknowledged and message:
            self.postponements.append(self.dependencies.queues.postpone(message, decision.wait))
        result = Result(
            record=tried.record,
            verdict=decision.verdict,
            acknowledged=acknowledged,
            wait=decision.wait,
            latency=attempt.latency,
            advice=attempt.advice,
            attempt=message.receive_count if message else 1,
            queue_age=max(0.0, self.dependencies.clock() - message.sent_at) if message else None,
        )
        self.results.append(result)
        return result

    async def _answers(self, asked: Sequence[asyncio.Future[str | None]]) -> list[str | None]:
        """Return SQS's answers, waiting for them no longer than the invocation's time allows."""
        if asked:
            left = self.deadline.respond_by - asyncio.get_running_loop().time()
            await asyncio.wait(asked, timeout=max(0.0, left))
        return [future.result() if future.done() else "no answer in time" for future in asked]
