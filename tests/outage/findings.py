"""What a run shows, in numbers, and the laws that it must keep."""

from dataclasses import dataclass

from forwarder_tools.capacity.prices import PRICES
from kochava_forwarder.policy import backoff, breaker
from tests.outage.kochava import HANGING, REFUSING
from tests.outage.naive import naive_requests
from tests.outage.simulation import EPOCH, Run, Scenario

SHARE_OF_NAIVE = 0.003  # of the naive retrier's requests at most, where Kochava refuses connections for a day
DAY = 24 * 3600
DENSE = 3  # events a second and more for which that holds: a probe weighs more where there is little to retry
LONGEST_DRAIN = 2 * 3600  # seconds
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
        naive_requests: to the dead Kochava, by the naive retrier on a standard queue.
        receives: messages handed to the function while Kochava was dead.
        most_receives: of one message, in the whole run.
        drained: seconds from Kochava's return until the last event from before had left the queue.
        first_minute: requests in the minute after Kochava's return.
        peak_requests: in one minute after Kochava's return.
        throttled: requests above Kochava's capacity.
        invocations: while Kochava was dead.
        dollars: what Lambda and SQS cost while Kochava was dead.
        environments: that ever were.
        overtaken: events confirmed after a later one of their group.
    """

    scenario: Scenario
    delivered: int
    dead_lettered: int
    duplicates: int
    requests: int
    naive_requests: int
    receives: int
    most_receives: int
    drained: float | None
    first_minute: int
    peak_requests: int
    throttled: int
    invocations: int
    dollars: float
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
    def share(self) -> float:
        """The requests as a share of the naive retrier's."""
        return self.requests / self.naive_requests

    @property
    def broken_laws(self) -> list[str]:
        """What must hold and does not."""
        deployment, outage = self.scenario.deployment, self.scenario.outage
        lasted = outage.end - outage.start
        probes = deployment.concurrency * (lasted / breaker.PROBE_SECONDS + 1)
        opening = self.environments * (OPENING * deployment.settings.max_workers + breaker.REFUSAL_THRESHOLD)
        dense = self.scenario.events / (self.scenario.hours * 3600) >= DENSE
        compared = outage.failure == REFUSING and lasted >= DAY and dense
        shortest_waits = (lasted + (self.drained or 0)) / (backoff.STEPS[-1] / 2)
        laws = {
            "nothing is lost": self.lost == 0,
            "nothing is dead-lettered": self.dead_lettered == 0,
            "only ambiguous deliveries are repeated": self.duplicates
            <= (self.requests if outage.failure == HANGING else 0),
            "one probe in ten seconds an environment, once it is open": self.requests <= probes + opening,
            f"at most {SHARE_OF_NAIVE:.1%} of a naive retrier's requests": self.share <= SHARE_OF_NAIVE
            or not compared,
            "waiting saves receives": self.most_receives <= shortest_waits + len(backoff.STEPS) + 1,
            "receives stay below maxReceiveCount": self.most_receives < deployment.queue.max_receive_count,
            "the backlog drains": self.drained is not None,
            "the backlog drains within two hours": outage.capacity_after is not None
            or (self.drained or 0) <= LONGEST_DRAIN,
            "FIFO keeps the order of each group": self.overtaken == 0 or not deployment.queue.fifo,
            "no bug": self.bugs == 0,
            "SQS takes every postponement": self.not_postponed == 0,
        }
        return [law for law, holds in laws.items() if not holds]


def findings(run: Run) -> Findings:
    """Return what a run shows."""
    scenario, course, kochava = run.scenario, run.course, run.kochava
    naive, naive_while_dead = naive_requests(scenario, len(course.visible))
    back = int((scenario.outage.end - EPOCH) // 60)
    after = kochava.requests[back:] or [0]
    invocations = course.invocations * PRICES.invocation.dollars
    billed = course.billed_seconds * scenario.deployment.memory * PRICES.gb_second.dollars
    return Findings(
        scenario=scenario,
        delivered=sum(kochava.confirmed),
        dead_lettered=_dead_lettered(run),
        duplicates=sum(kochava.counted) - sum(1 for times in kochava.counted if times),
        requests=kochava.requests_while_dead,
        naive_requests=naive_while_dead,
        receives=course.receives,
        most_receives=run.queue.most_receives,
        drained=course.drained_at - scenario.outage.end if course.drained_at else None,
        first_minute=after[0],
        peak_requests=max(after),
        throttled=kochava.throttled,
        invocations=course.invocations,
        dollars=invocations + billed + course.sqs_calls * PRICES.request.dollars,
        environments=course.environments,
        overtaken=kochava.overtaken,
        bugs=len(run.tally.bugs),
        not_postponed=run.tally.not_postponed,
        series=Series(course.visible, course.waiting, kochava.requests, naive),
    )


def _dead_lettered(run: Run) -> int:
    """Count those that the function or SQS has dead-lettered, unless Kochava has confirmed them too."""
    numbers = {message.number for message in run.queue.dead_letters} | run.tally.dead_letters.keys()
    return sum(not run.kochava.confirmed[number] for number in numbers)
