"""A model of Kochava: healthy, but for one outage; counts what it is asked and what it has counted."""

import asyncio
import random
from array import array
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from kochava_forwarder.http.response import Response
from kochava_forwarder.kochava.responses import verdict_for
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from tests.outage.events import number_in

SUCCESS = Response(200, b'{"success":"1"}')
THROTTLED = Response(429, b"")
ANSWER_SECONDS = (0.08, 0.2)  # until a healthy Kochava has answered; between these
FAILURE_SECONDS = 0.05  # until a refused connection, or a failure's answer, is there

REFUSING, HANGING, WRONG_KEY = "refuses connections", "hangs", "wrong key (401)"
FAILURES: dict[str, Response | None] = {
    REFUSING: None,
    HANGING: None,
    WRONG_KEY: Response(401, b""),
    "503": Response(503, b""),
    **{
        f"{status}, Retry-After: {seconds}": Response(status, b"", retry_after=str(seconds))
        for status in (503, 429)
        for seconds in (1, 60, 3600)
    },
}


@dataclass(frozen=True, slots=True)
class Outage:
    """When Kochava is dead, and how; moments in seconds.

    Args:
        failure: one of `FAILURES`.
        start: when it begins.
        end: when it is over.
        capacity_after: requests a second that Kochava answers with success from then on, and throttles what is
            above; None sets no limit.
    """

    failure: str
    start: float
    end: float
    capacity_after: int | None = None

    def covers(self, moment: float) -> bool:
        """Tell whether Kochava is dead at `moment`."""
        return self.start <= moment < self.end


class Kochava:
    """Answer requests as a client sees them; stands in for `kochava_forwarder.kochava.client.KochavaClient`.

    A hanging Kochava counts each event that it is sent and never answers: that is the worst case for duplicates.

    Args:
        outage: when it is dead.
        events: how many different ones there are.
        start: the moment at which the minutes of `requests` begin.
        chance: where latencies come from.
        groups: how many message groups take turns; only a FIFO queue keeps their order.
    """

    def __init__(self, outage: Outage, events: int, start: float, chance: random.Random, groups: int) -> None:
        self.counted = array("L", bytes(8 * events))  # how often each event was
        self.confirmed = bytearray(events)  # whether it was answered with success
        self.requests: list[int] = []  # in each minute
        self.requests_while_dead = 0
        self.throttled = 0  # requests above its capacity
        self.overtaken = 0  # events confirmed after a later one of their group
        self._outage = outage
        self._start = start
        self._chance = chance
        self._latest = [0] * groups
        self._in_second: Counter[int] = Counter()  # requests in each second since the outage, if there is a limit

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Take one request; return what the forwarder's client would make of what it finds."""
        now = asyncio.get_running_loop().time()
        minute = int((now - self._start) // 60)
        self.requests.extend([0] * (minute + 1 - len(self.requests)))
        self.requests[minute] += 1
        if self._outage.covers(now):
            self.requests_while_dead += 1
            return await self._fail(payload, timeout)
        if self._is_too_much(now):
            self.throttled += 1
            await asyncio.sleep(FAILURE_SECONDS)
            return verdict_for(THROTTLED, payload, datetime.now(UTC))
        await asyncio.sleep(self._chance.uniform(*ANSWER_SECONDS))
        self._confirm(self._count(payload))
        return verdict_for(SUCCESS, payload, datetime.now(UTC))

    async def end_invocation(self, until: float) -> None:
        """Do nothing: it keeps no connections."""

    def close(self) -> None:
        """Do nothing: other environments go on."""

    def _is_too_much(self, now: float) -> bool:
        capacity = self._outage.capacity_after
        if capacity is None or now < self._outage.end:
            return False
        self._in_second[int(now)] += 1
        return self._in_second[int(now)] > capacity

    async def _fail(self, payload: bytes, timeout: float) -> Verdict:
        if self._outage.failure == HANGING:
            self._count(payload)
            await asyncio.sleep(timeout)
            return Verdict(Outcome.AMBIGUOUS, "no answer in time")
        await asyncio.sleep(FAILURE_SECONDS)
        answer = FAILURES[self._outage.failure]
        if answer is None:
            return Verdict(Outcome.UNAVAILABLE, "no connection: refused")
        return verdict_for(answer, payload, datetime.now(UTC))

    def _confirm(self, number: int) -> None:
        group = number % len(self._latest)
        self.overtaken += number < self._latest[group]
        self._latest[group] = max(number, self._latest[group])
        self.confirmed[number] = True

    def _count(self, payload: bytes) -> int:
        number = number_in(payload)
        self.counted[number] += 1
        return number
