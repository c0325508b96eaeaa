"""What a run shows, in numbers, and the laws that it must keep."""

from dataclasses import dataclass

from kochava_forwarder.policy import backoff
from tests.outage.environment import Tally
from tests.outage.kochava import Failure
from tests.outage.naive import simulate_naive
from tests.outage.simulation import EPOCH, Run, Scenario

MOST_OF_NAIVE = 0.5  # of the naive retrier's requests in a day, whatever the traffic; with much of it, far less
DAY = 24 * 3600
LONGEST_DRAIN = 3600  # seconds on a standard queue: the longest wait, and as much again
OPENING = 3  # waves of requests that may go out before a breaker opens; throttling halves the waves first


@dataclass(frozen=True, slots=True)
class Series:
    """A course in time, minute by minute."""

    visible: list[int]
    waiting: list[int]
    requests: list[int]
    naive_requests: list[int]


@dataclass(frozen=True, slots=True)
class Findings:
    """What one run shows.

    Args:
        duplicates: how often Kochava counted an event beyond the first time.
        requests: to the dead Kochava.
        naive_requests: to the dead Kochava, by the naive retrier; None for FIFO queues, where none compares.
        receives: messages handed to the function while Kochava was dead.
        most_receives: of one message, in the whole run.
        drained: seconds from Kochava's return until the last event from before had left the queue.
        peak_requests: in one minute after Kochava's return.
        invocations: while Kochava was dead; so are the next two.
        environments: that ever were.
        overtaken: events confirmed after a later one of their group.
    """

    scenario: Scenario
    delivered: int
    dead_lettered: int
    duplicates: int
    requests: int
    naive_requests: int | None
    receives: int
    most_receives: int
    drained: float | None
    peak_requests: int
    invocations: int
    sqs_calls: int
    gb_seconds: float
    environments: int
    overtaken: int
    bugs: int
    not_postponed: int
    series: Series

    @property
    def lost(self) -> int:
        """Events that are nowhere: neither confirmed by Kochava nor dead-lettered."""
        return self.scenario.events - self.delivered - self.dead_lettered

    @property
    def share(self) -> float | None:
        """The requests as a share of the naive retrier's."""
        return self.requests / self.naive_requests if self.naive_requests else None

    @property
    def broken_laws(self) -> list[str]:
        """What must hold and does not."""
        rules = self.scenario.deployment.queue
        outage = self.scenario.outage
        ambiguous = self.requests if outage.failure is Failure.HANGING else 0
        opening = OPENING * self.environments * self.scenario.deployment.settings.max_workers
        lasted = outage.end - outage.start
        shortest_waits = lasted / (backoff.STEPS[-1] / 2)
        laws = {
            "nothing is lost": self.lost == 0,
            "nothing is dead-lettered": self.dead_lettered == 0,
            "only ambiguous deliveries are repeated": self.duplicates <= ambiguous,
            f"at most {MOST_OF_NAIVE:.0%} of a naive retrier's requests in a day": lasted < DAY
            or (self.share or 0) <= MOST_OF_NAIVE,
            "one probe an invocation, once the breakers are open": self.requests <= self.invocations + opening,
            "waiting saves receives": self.most_receives <= shortest_waits + len(backoff.STEPS) + 1,
            "receives stay below maxReceiveCount": self.most_receives < rules.max_receive_count,
            "the backlog drains": self.drained is not None,
            "the backlog drains within an hour": rules.fifo or (self.drained or 0) <= LONGEST_DRAIN,
            "FIFO keeps the order of each group": self.overtaken == 0 or not rules.fifo,
            "no bug": self.bugs == 0,
            "SQS takes every postponement": self.not_postponed == 0,
        }
        return [law for law, holds in laws.items() if not holds]


def findings(run: Run) -> Findings:
    """Return what a run shows."""
    scenario, course, kochava = run.scenario, run.course, run.kochava
    minutes = len(course.visible)
    naive = None if scenario.deployment.queue.fifo else simulate_naive(scenario, minutes)
    back = int((scenario.outage.end - EPOCH) // 60)
    return Findings(
        scenario=scenario,
        delivered=sum(kochava.confirmed),
        dead_lettered=_dead_lettered(run, run.tally),
        duplicates=sum(kochava.counted) - sum(1 for times in kochava.counted if times),
        requests=kochava.requests_while_dead,
        naive_requests=naive.requests_while_dead if naive else None,
        receives=course.receives,
        most_receives=run.queue.most_receives,
        drained=course.drained_at - scenario.outage.end if course.drained_at else None,
        peak_requests=max(kochava.requests[back:], default=0),
        invocations=course.invocations,
        sqs_calls=round(course.sqs_calls),
        environments=course.environments,
        gb_seconds=course.billed_seconds * scenario.deployment.memory,
        overtaken=kochava.overtaken,
        bugs=len(run.tally.bugs),
        not_postponed=run.tally.not_postponed,
        series=Series(course.visible, course.waiting, kochava.requests, naive.requests if naive else []),
    )


def _dead_lettered(run: Run, tally: Tally) -> int:
    """Count those that the function or SQS has dead-lettered, unless Kochava has confirmed them too."""
    numbers = {message.number for message in run.queue.dead_letters} | tally.parked.keys()
    return sum(not run.kochava.confirmed[number] for number in numbers)
