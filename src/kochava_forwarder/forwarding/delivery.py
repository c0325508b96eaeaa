"""One record's way: read its event, ask whether it may go, claim it, send it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from types import MappingProxyType

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.identity import Identity, identity_of, shown
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.contract.privacy import without_private
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.renaming import renamed
from kochava_forwarder.contract.warnings import warnings_for
from kochava_forwarder.forwarding import deduplication
from kochava_forwarder.forwarding.decision import expired_before_try
from kochava_forwarder.forwarding.deduplication import Claim, Deduplication
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.policy.breaker import NoPermit, Permit
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.telemetry import Result

NO_TIME = "no time left in this invocation"
DUPLICATE = Verdict(Outcome.DUPLICATE)
NO_PERMIT = MappingProxyType(
    {
        NoPermit.DOWN: Verdict(
            Outcome.DEFERRED, "Kochava is down: left in the queue until a probe gets through", outage=True
        ),
        NoPermit.REFUSING: Verdict(
            Outcome.MISCONFIGURED, "Kochava refuses everything: left in the queue until a probe gets through"
        ),
    }
)
CLAIMED = MappingProxyType(
    {
        Claim.ELSEWHERE: "the same event is being sent at this moment",
        Claim.THROTTLED: "the deduplication table throttles",
    }
)
SENT = frozenset({Outcome.DELIVERED, Outcome.DUPLICATE})


type Sent = tuple[Verdict, float | None]  # and the seconds that the request took, if there was one
type Send = Callable[[], Awaitable[Sent]]


class Delivery:
    """Delivers the messages of one invocation, any number of them side by side."""

    def __init__(self, dependencies: Dependencies, deadline: Deadline) -> None:
        self._dependencies = dependencies
        self._deadline = deadline
        self._privacy = dependencies.settings.privacy
        self._loop = asyncio.get_running_loop()
        self._in_hand: dict[str, asyncio.Future[Outcome]] = {}  # how the events of this batch end, by their key
        self._settlements: list[asyncio.Task[None]] = []
        self._slot_freed: asyncio.Event | None = None  # set when the next request ends, if somebody waits for that

    async def deliver(self, message: Message) -> Result:
        """Try to deliver one message; return its result, which is not acknowledged yet.

        Raises:
            Exception: only by a bug of ours.
        """
        settings = self._dependencies.settings
        now = self._dependencies.clock()
        result = partial(
            Result,
            message.message_id,
            receive_count=message.receive_count,
            queue_age=max(0.0, now - message.sent_at),
        )
        if self._is_late():  # before anything that SQS would have to confirm
            return result(self._deferred(NO_TIME))
        if expired := expired_before_try(message, settings.retry_horizon, now):
            return result(expired, identity=self._identity(message))
        sent_at = int(message.first_sent_at)
        try:
            parsed = parse_event(message.body, sent_at=sent_at, default_app_id=settings.app_id)
            published = renamed(parsed, settings.event_names)
            event = without_private(published, self._privacy)
        except InvalidEventError as error:
            verdict = Verdict(Outcome.INVALID, str(error), problems=error.lines)
            return result(verdict, identity=self._identity(message))
        payload = encode_payload(event, settings.device_ua_encoding)
        warnings = tuple(warnings_for(published, sent_at=sent_at))
        verdict, latency = await self._send_once(event, message.message_id, payload)
        delivered = verdict.outcome is Outcome.DELIVERED
        return result(
            verdict,
            identity=shown(event.event_id, event.kochava_app_id),
            latency=latency,
            age_at_delivery=self._dependencies.clock() - message.first_sent_at if delivered else None,
            warnings=() if latency is None else warnings,
        )

    def _identity(self, message: Message) -> Identity:
        return identity_of(message.body, default_app_id=self._dependencies.settings.app_id)

    async def end(self) -> None:
        """Wait until the table has taken what was delivered, within the invocation's time."""
        if self._settlements:
            await asyncio.wait(self._settlements, timeout=self._deadline.respond_by - self._loop.time())

    def _is_late(self) -> bool:
        return self._loop.time() > self._deadline.last_request_at

    def _deferred(self, reason: str) -> Verdict:
        """Return the verdict of a record that was not tried: while Kochava is down it waits like a failure."""
        return Verdict(Outcome.DEFERRED, reason, outage=self._dependencies.breaker.is_open)

    async def _acquire_permit(self) -> Permit | Verdict:
        """Wait for a place among the requests in flight; return why there is none, if there is none."""
        while not self._is_late():
            permit = self._dependencies.breaker.begin(self._loop.time())
            if isinstance(permit, Permit):
                return permit
            if permit is not NoPermit.WAIT:
                return NO_PERMIT[permit]
            self._slot_freed = self._slot_freed or asyncio.Event()
            try:
                async with asyncio.timeout_at(self._deadline.last_request_at):
                    await self._slot_freed.wait()
            except TimeoutError:
                break
        return self._deferred(NO_TIME)

    async def _send_once(self, event: KochavaEvent, message_id: str, payload: bytes) -> Sent:
        """Send an event; with the table, unless it was or is being sent. A repeat in this batch asks no table."""
        if not (table := self._dependencies.deduplication):
            return await self._send(payload)
        key = deduplication.key(event, message_id)
        if first := self._in_hand.get(key):
            return (DUPLICATE if (await first) in SENT else self._deferred(CLAIMED[Claim.ELSEWHERE])), None
        first = self._in_hand[key] = self._loop.create_future()
        outcome = Outcome.MISCONFIGURED  # unless it ends without an exception
        try:
            if self._dependencies.breaker.is_open:  # few will be sent: an outage must not spend claims
                verdict, latency = await self._send(payload, partial(self._claimed, table, key))
            else:  # claimed ahead, so that no place in flight waits for the table
                verdict, latency = await self._claimed(table, key, partial(self._send, payload))
            outcome = verdict.outcome
        finally:
            first.set_result(outcome)
        return verdict, latency

    async def _claimed(self, table: Deduplication, key: str, send: Send) -> Sent:
        """Claim an event, send it if it is ours to send, and tell the table how that ended."""
        claim = await table.claim(key, self._deadline.respond_by)
        if claim is Claim.DELIVERED:
            return DUPLICATE, None
        if claim in CLAIMED:
            return self._deferred(CLAIMED[claim]), None
        verdict, latency = (self._deferred(NO_TIME), None) if self._is_late() else await send()
        if claim is Claim.OURS:
            settled = table.settle(key, self._deadline.respond_by, delivered=verdict.outcome is Outcome.DELIVERED)
            self._settlements.append(self._loop.create_task(settled))
        return verdict, latency

    async def _send(self, payload: bytes, around: Callable[[Send], Awaitable[Sent]] | None = None) -> Sent:
        """Send when there is a place among the requests in flight; return why there is none, if there is none.

        Args:
            payload: the request body.
            around: what is done with the place in hand, given what sends.
        """
        permit = await self._acquire_permit()
        if isinstance(permit, Verdict):
            return permit, None
        try:
            with permit:
                return await (
                    around(partial(self._post, permit, payload)) if around else self._post(permit, payload)
                )
        finally:
            if self._slot_freed:
                self._slot_freed.set()
                self._slot_freed = None

    async def _post(self, permit: Permit, payload: bytes) -> Sent:
        began = self._loop.time()
        permit.start(began)
        verdict = await self._dependencies.client.post(payload, self._deadline.request_timeout)
        ended = self._loop.time()
        return permit.end(verdict, ended), None if verdict.unsent else ended - began
