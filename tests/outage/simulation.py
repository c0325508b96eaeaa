"""Run three days: publishers, the queue, Lambda's pollers with their environments, and Kochava with its outage.

Lambda's pollers, for a standard queue: five of them, more up to the maximum concurrency while full batches leave
messages behind. Each takes what the batching window has brought, invokes, and polls again when the invocation
is over. What comes in spreads over all of them, which makes for the most invocations that Lambda may make.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import ceil, inf

from tests.outage.environment import Environment, Tally, World
from tests.outage.kochava import Kochava, Outage
from tests.outage.sqs import Queue
from tests.outage.template import Deployment

HOUR = 3600
EPOCH = 1_767_225_600.0  # 2026-01-01, when the simulation begins
FIRST_POLLERS = 5
IDLE_SECONDS = 1.0  # between two looks at the queue; Lambda's long polls would see a message at once
LONG_POLL_SECONDS = 20
RECEIVE_CALL = 10  # messages in one call of SQS
LIFETIME = 2 * HOUR  # after which Lambda replaces an environment, and its breaker starts anew
SAMPLE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens.

    Args:
        events: how many are published.
        hours: over how many.
        outage: when Kochava is dead.
        deployment: what the template deploys.
        seed: of every chance.
        groups: message groups, on a FIFO queue.
    """

    events: int
    hours: float
    outage: Outage
    deployment: Deployment
    seed: int
    groups: int = 10_000

    def published_at(self, number: int) -> float:
        """Return when an event is published: evenly over the hours."""
        return EPOCH + (number + 0.5) * self.hours * HOUR / self.events

    @property
    def stranded(self) -> int:
        """How many events are published before Kochava is back."""
        return sum(1 for number in range(self.events) if self.published_at(number) < self.outage.end)


@dataclass(slots=True)
class Course:
    """What was seen, minute by minute and in sum.

    Args:
        visible: messages that could be received, at each minute.
        waiting: messages in flight, nearly all of them for their next try.
        invocations: while Kochava was dead.
        receives: messages handed to the function while Kochava was dead.
        sqs_calls: Lambda's and the function's, while Kochava was dead.
        billed_seconds: of invocations, while Kochava was dead.
        drained_at: when the last event was gone that had been published before Kochava came back.
        environments: that ever were.
    """

    visible: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    invocations: int = 0
    receives: int = 0
    sqs_calls: float = 0.0
    billed_seconds: float = 0.0
    drained_at: float | None = None
    environments: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run and all there is to say about it."""

    scenario: Scenario
    course: Course
    kochava: Kochava
    queue: Queue
    tally: Tally


@dataclass(slots=True)
class _Poller:
    """One of Lambda's pollers and the environment it invokes."""

    environment: Environment | None = None
    born_at: float = 0.0
    polls_at: float = 0.0
    acknowledged: list[str] = field(default_factory=list)  # by the invocation under way


def simulate(scenario: Scenario, progress: Callable[[float], None] = lambda _: None) -> Run:
    """Run a scenario to its end; tell `progress` the hours that have passed, now and then."""
    return _Simulation(scenario, progress).run()


class _Simulation:
    """The agenda: which poller is next."""

    def __init__(self, scenario: Scenario, progress: Callable[[float], None]) -> None:
        chance = random.Random(scenario.seed)  # noqa: S311 - a simulation must repeat itself
        deployment = scenario.deployment
        self._scenario = scenario
        self._progress = progress
        self._queue = Queue(deployment.queue)
        self._kochava = Kochava(scenario.outage, scenario.events, EPOCH, chance, scenario.groups)
        self._tally = Tally()
        self._world = World(self._kochava, self._queue, self._tally, chance.random)
        self._course = Course()
        self._published = 0
        self._stranded = scenario.stranded
        self._pollers = [_Poller() for _ in range(deployment.concurrency)]
        self._agenda: list[tuple[float, int]] = []
        self._active = min(FIRST_POLLERS, deployment.concurrency)
        for index in range(self._active):
            self._schedule(index, EPOCH + index * IDLE_SECONDS / self._active)

    def run(self) -> Run:
        """Run to the end: everything gone from the queue, or nothing to be hoped for."""
        scenario = self._scenario
        give_up = scenario.outage.end + scenario.hours * HOUR + scenario.deployment.settings.retry_horizon
        sample_at = EPOCH
        now = EPOCH
        while now < give_up and not self._is_over():
            now, index = heappop(self._agenda)
            self._publish(now)
            if now >= sample_at:
                self._course.visible.append(self._queue.visible)
                self._course.waiting.append(self._queue.in_flight)
                self._progress((now - EPOCH) / HOUR)
                sample_at += SAMPLE_SECONDS
            self._poll(index, now)
        for poller in self._pollers:
            if poller.environment:
                poller.environment.close()
        return Run(scenario, self._course, self._kochava, self._queue, self._tally)

    def _is_over(self) -> bool:
        return self._published == self._scenario.events and not self._queue.visible + self._queue.in_flight

    def _schedule(self, index: int, moment: float) -> None:
        heappush(self._agenda, (moment, index))

    def _publish(self, now: float) -> None:
        scenario = self._scenario
        while self._published < scenario.events and (moment := scenario.published_at(self._published)) <= now:
            self._queue.publish(self._published, moment, self._published % scenario.groups)
            self._published += 1

    def _poll(self, index: int, now: float) -> None:
        """End the poller's invocation, if one is under way, and let it poll, if it is time."""
        poller = self._pollers[index]
        self._acknowledge(poller.acknowledged, now)
        poller.acknowledged = []
        if now < poller.polls_at:
            self._schedule(index, poller.polls_at)
            return
        size = self._scenario.deployment.batch_size
        batch = self._queue.receive(size, now)
        dead = self._scenario.outage.covers(now)
        if not batch:
            if dead:
                self._course.sqs_calls += (self._next_look(now) - now) / LONG_POLL_SECONDS
            if index == self._active - 1 and self._active > FIRST_POLLERS:
                self._active -= 1
            else:
                self._schedule(index, self._next_look(now))
            return
        if len(batch) == size and self._queue.visible and self._active < len(self._pollers):
            self._schedule(self._active, now)
            self._active += 1
        calls = self._tally.sqs_calls
        answer = self._environment(poller, now).invoke(batch, now)
        if dead:
            self._course.invocations += 1
            self._course.receives += len(batch)
            self._course.billed_seconds += answer.ended_at - now
            handed = ceil(len(batch) / RECEIVE_CALL) + ceil(len(answer.acknowledged) / RECEIVE_CALL)
            self._course.sqs_calls += handed + self._tally.sqs_calls - calls
        poller.acknowledged = answer.acknowledged
        poller.polls_at = now if len(batch) == size else now + self._scenario.deployment.batching_window
        self._schedule(index, answer.ended_at)

    def _next_look(self, now: float) -> float:
        """Return when there may be something to receive, on the poller's own beat, within a long poll's time."""
        scenario = self._scenario
        more = self._published < scenario.events
        news = min(scenario.published_at(self._published) if more else inf, self._queue.next_return)
        beats = ceil((news - now) / IDLE_SECONDS) if news < now + LONG_POLL_SECONDS else LONG_POLL_SECONDS
        return now + IDLE_SECONDS * max(1, beats)

    def _environment(self, poller: _Poller, now: float) -> Environment:
        if poller.environment and now - poller.born_at > LIFETIME:
            poller.environment.close()
            poller.environment = None
        if poller.environment is None:
            poller.environment = Environment(self._scenario.deployment, self._world)
            poller.born_at = now
            self._course.environments += 1
        return poller.environment

    def _acknowledge(self, receipts: list[str], now: float) -> None:
        for receipt in receipts:
            if self._queue.delete(receipt) and self._scenario.published_at(int(receipt.partition("/")[0])) < (
                self._scenario.outage.end
            ):
                self._stranded -= 1
        if not self._stranded and self._course.drained_at is None:
            self._course.drained_at = now
