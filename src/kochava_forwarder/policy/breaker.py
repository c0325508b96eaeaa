"""May another request go to Kochava now? A circuit breaker with a half-open probe, and an AIMD concurrency limit.

    closed      requests go, as many side by side as the limit allows
    open        none goes: Kochava is down (5 failures in a row), or it refuses everything (10 refusals without a
                success between them)
    half-open   one goes, the probe, at most every ten seconds, and every twenty once it was open for ten minutes;
                what else there is waits for its answer, and goes or stays in the queue with it

Any answer ends a run of failures. Only a success ends a run of refusals: a gateway that refuses everything answers
at once, and each refusal would dead-letter an event that is well. From the tenth on a refusal is the way's fault
and not the event's (`Permit.end`); the nine before it are dead-lettered.

Throttling is not an outage: each wave of it halves the limit, each wave of answers raises it by about one, and
only throttling at a limit of one counts like a failure. After an opening the limit starts at one, so that a server
that has just come back meets few requests of each environment at first; a cold start has the whole limit at once.

It lives in memory, as long as the execution environment, and costs 1 µs a record. Powertools' circuit breaker
(3.37) cannot serve: it wraps a synchronous call, so that it neither sees requests side by side nor lets them wait
for the probe, and it knows no limit. Its state layer is replaceable, its handler is not.

Moments are seconds on one clock that never goes back, across invocations. Pure.
"""

import math
from enum import Enum
from typing import Self

from kochava_forwarder.policy.outcomes import Outcome, Verdict

FAILURE_THRESHOLD = 5  # failures in a row (OURS)
REFUSAL_THRESHOLD = 10  # refusals without a success between them (OURS)
PROBE_SECONDS = 10.0  # from an opening, or from a probe's end, until the next probe may start (OURS)
LONG_OUTAGE_SECONDS = 600.0  # from an opening, after which there is no hurry any more (OURS)
LONG_OUTAGE_PROBE_SECONDS = 20.0  # then: ten FIFO environments stay below 0.3 % of a naive retrier's requests


class NoPermit(Enum):
    """Why a record may not be sent now."""

    WAIT = "others are in flight: ask again when one of them has ended"
    DOWN = "Kochava is down"
    REFUSING = "Kochava refuses everything"


class Breaker:
    """Count what requests find, and say whether another one may go.

    Args:
        max_limit: how many requests may be in flight side by side at the most.
    """

    def __init__(self, max_limit: int) -> None:
        self._max_limit = max_limit
        self._limit = float(max_limit)
        self._decreased_at = -math.inf
        self._in_flight = 0
        self._failures = 0
        self._refusals = 0
        self._probing = False
        self._opened_at = -math.inf
        self._next_probe_at = -math.inf

    @property
    def is_open(self) -> bool:
        """Whether Kochava is taken to be down, or to refuse everything."""
        return self._failures >= FAILURE_THRESHOLD or self.is_refusing

    @property
    def is_refusing(self) -> bool:
        """Whether Kochava is taken to refuse everything."""
        return self._refusals >= REFUSAL_THRESHOLD

    def begin(self, now: float) -> "Permit | NoPermit":
        """Ask to send a record at `now`; a permit is a place among the requests in flight."""
        probe = self.is_open
        if probe and (self._probing or now < self._next_probe_at):
            if self._in_flight:
                return NoPermit.WAIT
            return NoPermit.REFUSING if self.is_refusing else NoPermit.DOWN
        if not probe and self._in_flight >= int(self._limit):
            return NoPermit.WAIT
        self._probing = self._probing or probe
        self._in_flight += 1
        return Permit(self, probe=probe)

    def start(self, now: float, *, probe: bool) -> None:
        """Hear from a permit that its request starts."""
        if probe:
            self._next_probe_at = self._probe_after(now)

    def end(self, outcome: Outcome, began: float, now: float, *, probe: bool) -> None:
        """Hear from a permit what its request found, which was in flight from `began` until `now`."""
        was_open = self.is_open
        match outcome:
            case Outcome.UNAVAILABLE | Outcome.AMBIGUOUS:
                self._failures += 1
            case Outcome.THROTTLED:
                self._decrease(began, now)
            case Outcome.REJECTED | Outcome.MISCONFIGURED:
                self._refusals += 1
                self._count_answer()
            case Outcome.DELIVERED:
                self._refusals = 0
                self._count_answer()
            case _:
                self._count_answer()
        opened = self.is_open and not was_open
        if opened:
            self._limit = 1.0
            self._opened_at = now
        if opened or probe:
            self._next_probe_at = self._probe_after(now)

    def release(self, *, probe: bool) -> None:
        """Take a permit's place back."""
        self._in_flight -= 1
        if probe:
            self._probing = False

    def _probe_after(self, now: float) -> float:
        is_long = now - self._opened_at >= LONG_OUTAGE_SECONDS
        return now + (LONG_OUTAGE_PROBE_SECONDS if is_long else PROBE_SECONDS)

    def _count_answer(self) -> None:
        self._failures = 0
        if not self.is_open:
            self._limit = min(self._max_limit, self._limit + 1 / self._limit)

    def _decrease(self, began: float, now: float) -> None:
        if began < self._decreased_at:
            return  # what was sent before the last decrease says nothing about it
        if self._limit <= 1:
            self._failures += 1
        self._limit = max(1.0, self._limit / 2)
        self._decreased_at = now


class Permit:
    """A place among the requests in flight, given back at the end of its ``with`` block, whatever happens there.

    One that led to no request leaves no trace: if it was the probe's, the next record that asks is the probe.
    """

    def __init__(self, breaker: Breaker, *, probe: bool) -> None:
        self._breaker = breaker
        self._probe = probe
        self._began = 0.0

    def __enter__(self) -> Self:
        """Return the permit."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        self._breaker.release(probe=self._probe)

    def start(self, now: float) -> None:
        """Say that the request starts `now`."""
        self._began = now
        self._breaker.start(now, probe=self._probe)

    def end(self, verdict: Verdict, now: float) -> Verdict:
        """Say what the request found; return what that means for its record.

        In a run of refusals the way is at fault and not the record, which is kept.
        """
        if not verdict.unsent:
            self._breaker.end(verdict.outcome, self._began, now, probe=self._probe)
        if verdict.outcome is Outcome.REJECTED and self._breaker.is_refusing:
            return Verdict(Outcome.MISCONFIGURED, f"Kochava refuses everything, this event with {verdict.detail}")
        return verdict
