"""Whether another request may go to Kochava now: wait, go, or leave it in the queue.

    closed   requests go, as many side by side as `width` allows
    open     one request goes per invocation, the probe; what else there is waits for its answer, and goes or is
             deferred with it

A few requests in a row that found no working Kochava open it; the probe's answer closes it. Throttling is not
an outage: each wave of it halves the width first, each wave of answers widens it by one again, and only
throttling at a width of one counts like a failure.

Powertools' circuit breaker (3.37) cannot serve: it wraps a synchronous call, so that it neither sees requests
side by side nor lets them wait for the probe, and it knows nothing of width. Its state layer is replaceable,
its handler is not. This one costs 1 µs a record and lives in the execution environment, without a table.
"""

from enum import Enum

from kochava_forwarder.policy.outcomes import Outcome

THRESHOLD = 5  # failures in a row
FAILURES = frozenset({Outcome.UNAVAILABLE, Outcome.AMBIGUOUS})


class Permit(Enum):
    """What a worker may do with its record."""

    GO = "go"
    WAIT = "wait"
    DEFER = "defer"


class Breaker:
    """Count what requests find; every `begin` that is granted is followed by one `end` or `cancel`.

    Args:
        width: how many requests may be in flight side by side at the most.
    """

    def __init__(self, width: int) -> None:
        self._most = width
        self._width = float(width)
        self._in_flight = 0
        self._failures = 0
        self._open = False
        self._probes_left = 0
        self._narrowed_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether Kochava is taken to be down."""
        return self._open

    def new_invocation(self) -> None:
        """Allow an open breaker its next probe."""
        self._in_flight = 0
        self._probes_left = 1 if self._open else 0

    def begin(self) -> Permit:
        """Ask to send; GO counts the request as in flight."""
        if self._open:
            if self._probes_left == 0:
                return Permit.WAIT if self._in_flight else Permit.DEFER
            self._probes_left = 0
        elif self._in_flight >= max(1, int(self._width)):
            return Permit.WAIT
        self._in_flight += 1
        return Permit.GO

    def cancel(self) -> None:
        """Take back a permit that led to no request."""
        self._in_flight -= 1
        if self._open:
            self._probes_left = 1

    def end(self, outcome: Outcome, began: float, now: float) -> None:
        """Take what became of a request; moments on any one clock, in seconds."""
        self._in_flight -= 1
        if outcome is Outcome.THROTTLED:
            self._narrow(began, now)
        elif outcome in FAILURES:
            self._fail()
        else:
            self._failures = 0
            self._open = False
            self._width = min(self._most, self._width + 1 / self._width)

    def _narrow(self, began: float, now: float) -> None:
        if self._width <= 1:
            self._fail()
        elif began >= self._narrowed_at:  # what was sent before the last narrowing says nothing about it
            self._width = max(1.0, self._width / 2)
            self._narrowed_at = now

    def _fail(self) -> None:
        self._failures += 1
        self._open = self._open or self._failures >= THRESHOLD
