"""One record's way: read it, ask whether it may go, claim it, send it. Its outcome comes back as a Verdict."""

import asyncio
from contextlib import suppress
from typing import NamedTuple

from kochava_forwarder import deduplication, events, wire
from kochava_forwarder.advice import Advice, advise
from kochava_forwarder.backoff import is_past_horizon
from kochava_forwarder.breaker import Permit
from kochava_forwarder.deadline import Deadline
from kochava_forwarder.deduplication import Claim, Deduplication
from kochava_forwarder.message import Message
from kochava_forwarder.outcomes import Outcome, Verdict
from kochava_forwarder.problems import InvalidEventError
from kochava_forwarder.services import Services

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
    advice: tuple[Advice, ...] = ()


class Delivery:
    """Delivers the messages of one invocation, any number of them side by side."""

    def __init__(self, services: Services, deadline: Deadline) -> None:
        self._services = services
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._turn: asyncio.Event | None = None  # set when the next request ends, if somebody waits for that
        services.breaker.new_invocation()

    async def deliver(self, message: Message) -> Attempt:
        """Tries to deliver one message.

        Raises:
            Exception: only by a bug of ours.
        """
        settings = self._services.settings
        if is_past_horizon(message.sent_at, self._services.clock(), settings.retry_horizon):
            detail = (
                f"receive {message.receive_count}: older than {settings.retry_horizon} s; the log has its failures"
            )
            return Attempt(Verdict(Outcome.EXPIRED, detail))
        if self._is_late():
            return Attempt(NO_TIME)
        sent_at = int(message.sent_at)
        try:
            event = events.parse(message.body, sent_at=sent_at, default_app_id=settings.app_id)
        except InvalidEventError as error:
            return Attempt(Verdict(Outcome.INVALID, str(error)))
        payload = wire.payload(event, settings.device_ua_encoding)
        advice = tuple(advise(event, sent_at=sent_at))
        if refusal := await self._refusal():
            return Attempt(refusal)
        return await self._admitted(deduplication.key(event, message.message_id), payload, advice)

    def _is_late(self) -> bool:
        return self._loop.time() > self._deadline.last_start

    async def _refusal(self) -> Verdict | None:
        """Waits for a place among the requests in flight; returns why there is none, if there is none."""
        while not self._is_late():
            match self._services.breaker.begin():
                case Permit.GO:
                    return None
                case Permit.DEFER:
                    return OUTAGE
                case Permit.WAIT:
                    self._turn = self._turn or asyncio.Event()
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(self._deadline.last_start):
                            await self._turn.wait()
        return NO_TIME

    async def _admitted(self, key: str, payload: bytes, advice: tuple[Advice, ...]) -> Attempt:
        breaker = self._services.breaker
        began = self._loop.time()
        verdict = None
        try:
            if table := self._services.deduplication:
                verdict = await self._post_once(table, key, payload)
            else:
                verdict = await self._services.client.post(payload, self._deadline.request_timeout)
        finally:
            now = self._loop.time()
            if verdict is None or verdict.outcome in NOT_SENT:
                breaker.cancel()
            else:
                breaker.end(verdict.outcome, began, now)
            if self._turn:
                self._turn.set()
                self._turn = None
        return Attempt(verdict, None if verdict.outcome in NOT_SENT else now - began, advice)

    async def _post_once(self, table: Deduplication, key: str, payload: bytes) -> Verdict:
        claim = await table.claim(key, self._deadline.settled)
        if claim in NOT_OURS:
            return NOT_OURS[claim]
        verdict = NO_TIME
        if not self._is_late():
            verdict = await self._services.client.post(payload, self._deadline.request_timeout)
        if claim is Claim.OURS:
            await table.settle(key, self._deadline.settled, delivered=verdict.outcome is Outcome.DELIVERED)
        return verdict
