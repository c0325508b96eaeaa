"""One record's way: read it, ask whether it may go, claim it, send it. Its outcome comes back as a Verdict."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.warnings import EventWarning, warnings_for
from kochava_forwarder.forwarding import deduplication
from kochava_forwarder.forwarding.decision import expired_before_try
from kochava_forwarder.forwarding.deduplication import Claim, Deduplication
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.policy.breaker import Permit
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.sqs.message import Message

NO_TIME = Verdict(Outcome.DEFERRED, "no time left in this invocation")
OUTAGE = Verdict(Outcome.DEFERRED, "Kochava is down: left in the queue until a probe gets through", outage=True)
NOT_OURS = {
    Claim.DELIVERED: Verdict(Outcome.DUPLICATE),
    Claim.ELSEWHERE: Verdict(Outcome.DEFERRED, "the same event is being sent at this moment"),
}
NOT_SENT = frozenset({Outcome.DUPLICATE, Outcome.DEFERRED})


class Attempt(NamedTuple):
    """What became of one try, with the request's seconds where one was made, and the warnings."""

    verdict: Verdict
    latency: float | None = None
    advice: tuple[EventWarning, ...] = ()


class Delivery:
    """Deliver the messages of one invocation, any number of them side by side."""

    def __init__(self, dependencies: Dependencies, deadline: Deadline) -> None:
        self._dependencies = dependencies
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._slot_freed: asyncio.Event | None = None  # set when the next request ends, if somebody waits for that
        dependencies.breaker.new_invocation()

    async def deliver(self, message: Message) -> Attempt:
        """Try to deliver one message.

        Raises:
            Exception: only by a bug of ours.
        """
        settings = self._dependencies.settings
        if self._is_late():  # before anything that SQS would have to confirm
            return Attempt(NO_TIME)
        if expired := expired_before_try(message, settings.retry_horizon, self._dependencies.clock()):
            return Attempt(expired)
        sent_at = int(message.sent_at)
        try:
            event = parse_event(message.body, sent_at=sent_at, default_app_id=settings.app_id)
        except InvalidEventError as error:
            return Attempt(Verdict(Outcome.INVALID, str(error)))
        payload = encode_payload(event, settings.device_ua_encoding)
        advice = tuple(warnings_for(event, sent_at=sent_at))
        if refusal := await self._acquire_permit():
            return Attempt(refusal)
        return await self._send(deduplication.key(event, message.message_id), payload, advice)

    def _is_late(self) -> bool:
        return self._loop.time() > self._deadline.last_request_at

    async def _acquire_permit(self) -> Verdict | None:
        """Wait for a place among the requests in flight; return why there is none, if there is none."""
        while not self._is_late():
            match self._dependencies.breaker.begin():
                case Permit.GO:
                    return None
                case Permit.DEFER:
                    return OUTAGE
                case Permit.WAIT:
                    self._slot_freed = self._slot_freed or asyncio.Event()
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self._deadline.last_request_at):
                            await self._slot_freed.wait()
        return NO_TIME

    async def _send(self, key: str, payload: bytes, advice: tuple[EventWarning, ...]) -> Attempt:
        breaker = self._dependencies.breaker
        began = self._loop.time()
        verdict = None
        try:
            if table := self._dependencies.deduplication:
                verdict = await self._post_once(table, key, payload)
            else:
                verdict = await self._dependencies.client.post(payload, self._deadline.request_timeout)
        finally:
            now = self._loop.time()
            if verdict is None or verdict.outcome in NOT_SENT:
                breaker.cancel()
            else:
                breaker.end(verdict.outcome, began, now)
            if self._slot_freed:
                self._slot_freed.set()
                self._slot_freed = None
        return Attempt(verdict, None if verdict.outcome in NOT_SENT else now - began, advice)

    async def _post_once(self, table: Deduplication, key: str, payload: bytes) -> Verdict:
        claim = await table.claim(key, self._deadline.respond_by)
        if claim in NOT_OURS:
            return NOT_OURS[claim]
        verdict = NO_TIME
        if not self._is_late():
            verdict = await self._dependencies.client.post(payload, self._deadline.request_timeout)
        if claim is Claim.OURS:
            await table.settle(key, self._deadline.respond_by, delivered=verdict.outcome is Outcome.DELIVERED)
        return verdict
