"""One record's way to Kochava, in virtual time: who may send when, and what is said of those who may not."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import pytest

from kochava_forwarder.forwarding import delivery
from kochava_forwarder.forwarding.deduplication import Claim, Deduplication
from kochava_forwarder.forwarding.delivery import Delivery
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.policy.breaker import Breaker
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.settings import Settings
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.telemetry import Result
from tests.outage.events import body, number_in
from tests.outage.virtualtime import VirtualClock, VirtualLoop

START = 1_767_225_600.0
LATENCY = 0.1
TIMEOUT = 10.0
DELIVERED, DOWN, THROTTLED = (
    Verdict(outcome) for outcome in (Outcome.DELIVERED, Outcome.UNAVAILABLE, Outcome.THROTTLED)
)


class Client:
    """Kochava: answers as the test says, and counts who is in flight.

    Attributes:
        verdict: what each request finds.
        seconds: how long each takes.
        sent: the numbers of the events, in order.
        most: requests side by side at the most.
    """

    def __init__(self) -> None:
        self.verdict = DELIVERED
        self.seconds = LATENCY
        self.sent: list[int] = []
        self.most = 0
        self._in_flight = 0

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        del timeout  # of which this one takes no notice
        self.sent.append(number_in(payload))
        self._in_flight += 1
        self.most = max(self.most, self._in_flight)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self._in_flight -= 1
        return self.verdict

    async def end_invocation(self, until: float) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Keep nothing."""


class Table:
    """The deduplication table: what it says of each event, after how long."""

    def __init__(self) -> None:
        self.claims: dict[int, Claim] = {}
        self.claim_seconds = 0.0
        self.settle_seconds = 0.0
        self.settled: list[bool] = []
        self.untils: list[float] = []

    async def claim(self, key: str, until: float) -> Claim:
        self.untils.append(until)
        await asyncio.sleep(self.claim_seconds)
        return self.claims.get(int(key.removeprefix("message ")), Claim.OURS)

    async def settle(self, key: str, until: float, *, delivered: bool) -> None:
        del key
        self.untils.append(until)
        await asyncio.sleep(self.settle_seconds)
        self.settled.append(delivered)


class Environment:
    """An execution environment that delivers messages, so many at a time."""

    def __init__(self, workers: int = 8) -> None:
        self.clock = VirtualClock(START)
        self.client = Client()
        self.table = Table()
        self.breaker = Breaker(workers)
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(self.clock))
        self._workers = workers
        self._dependencies = Dependencies(
            settings=Settings.from_environment({"DEAD_LETTER_QUEUE_URL": "https://sqs.invalid/0/dead"}),
            client=self.client,
            queues=cast("Any", None),
            breaker=self.breaker,
            telemetry=cast("Any", None),
            clock=self.clock,
        )

    def deduplicate(self) -> Table:
        """Switch the table on."""
        self._dependencies = self._dependencies._replace(deduplication=cast("Deduplication", self.table))
        return self.table

    def deliver(self, *numbers: int, seconds: float = 60.0) -> list[Result]:
        """Run one invocation of so many `seconds`; return the results in the order of `numbers`."""
        return self.runner.run(self.invocation(numbers, seconds))

    async def invocation(self, numbers: tuple[int, ...], seconds: float) -> list[Result]:
        """Be one invocation."""
        now = asyncio.get_running_loop().time()
        deadline = Deadline.split(now=now, remaining=seconds, request_timeout=TIMEOUT, records=len(numbers))
        delivery = Delivery(self._dependencies, deadline)
        results: dict[int, Result] = {}
        queue = iter(numbers)

        async def work() -> None:
            for number in queue:
                now = self.clock()
                message = Message(str(number), "receipt", body(number), now, now, 4, None, "arn:aws:sqs:::q")
                results[number] = await delivery.deliver(message)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._workers):
                tasks.create_task(work())
        await delivery.end()
        return [results[number] for number in numbers]

    def open_the_breaker(self) -> None:
        """Have Kochava fail until the breaker opens."""
        self.client.verdict = DOWN
        while not self.breaker.is_open:
            self.deliver(0)
        self.client.sent.clear()


@pytest.fixture
def environment() -> Iterator[Environment]:
    environment = Environment()
    with environment.runner:
        yield environment


def outcomes(results: list[Result]) -> Counter[str]:
    return Counter(result.verdict.outcome for result in results)


# --- the breaker --------------------------------------------------------------------------------------------


def test_an_open_breaker_sends_one_probe_in_ten_seconds_however_many_invocations(environment: Environment) -> None:
    environment.open_the_breaker()
    for _ in range(600):  # for a minute
        environment.deliver(*range(20))
        environment.clock.now += 0.1
    assert len(environment.client.sent) == 5


def test_what_the_breaker_keeps_waits_by_backoff(environment: Environment) -> None:
    environment.open_the_breaker()

    for result in environment.deliver(*range(20)):
        assert result.verdict.outcome is Outcome.DEFERRED
        assert result.verdict.outage
        assert result.latency is None


def test_a_probe_that_gets_through_lets_the_batch_go_on_gently(environment: Environment) -> None:
    environment.open_the_breaker()
    environment.clock.now += 10
    environment.client.verdict = DELIVERED
    environment.client.most = 0
    assert outcomes(environment.deliver(*range(10))) == {"delivered": 10}
    assert environment.client.most <= 4, "not all eight at once"
    environment.deliver(*range(100))
    assert environment.client.most == 8


def test_a_cold_start_is_not_slowed(environment: Environment) -> None:
    environment.deliver(*range(8))
    assert environment.client.most == 8


@pytest.mark.parametrize(("waves", "limit"), [(1, 4), (2, 2)])
def test_each_wave_of_throttling_halves_the_limit_once(environment: Environment, waves: int, limit: int) -> None:
    environment.client.verdict = THROTTLED
    for wave in range(waves):
        environment.deliver(*range(8 >> wave))
    environment.client.verdict = DELIVERED
    environment.client.most = 0
    environment.deliver(*range(limit))
    environment.deliver(*range(8))
    assert limit <= environment.client.most <= limit + 1


def test_no_time_left_waits_by_backoff_while_the_breaker_is_open(environment: Environment) -> None:
    environment.open_the_breaker()
    environment.clock.now += 10
    environment.client.seconds = 100  # the probe ends after what there was time for
    results = environment.deliver(*range(8), seconds=20)

    assert outcomes(results) == {"unavailable": 1, "deferred": 7}
    assert all(result.verdict.outage for result in results[1:])


def test_without_time_from_the_beginning_it_waits_by_backoff_too(environment: Environment) -> None:
    environment.open_the_breaker()
    (result,) = environment.deliver(0, seconds=0)
    assert (result.verdict.outcome, result.verdict.outage) == (Outcome.DEFERRED, True)


def test_no_time_left_comes_back_shortly_otherwise(environment: Environment) -> None:
    (result,) = environment.deliver(0, seconds=0)
    assert (result.verdict.outcome, result.verdict.outage) == (Outcome.DEFERRED, False)


def test_waiting_for_a_place_ends_in_time(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.client.seconds = 1000  # a client that keeps no deadline
    ends: list[float] = []
    real = Delivery.deliver

    async def timed(delivery: Delivery, message: Message) -> Result:
        result = await real(delivery, message)
        ends.append(environment.clock.now - START)
        return result

    environment.client.verdict = THROTTLED
    with monkeypatch.context() as patch:
        patch.setattr(environment.client, "seconds", LATENCY)
        environment.deliver(0)  # halves the limit
        patch.setattr(Delivery, "deliver", timed)
        patch.setattr(environment.client, "seconds", 1000)
        results = environment.deliver(*range(8))
    assert outcomes(results) == {"throttled": 4, "deferred": 4}
    assert max(ends[:4]) < 50, "those that waited for a place"


@pytest.mark.parametrize("is_open", [False, True])
def test_an_invocation_that_was_broken_off_leaves_no_place_taken(
    environment: Environment, *, is_open: bool
) -> None:
    if is_open:
        environment.open_the_breaker()
        environment.clock.now += 10
    environment.client.verdict = DELIVERED
    environment.client.seconds = 1000

    async def broken_off() -> None:
        async with asyncio.timeout(1):
            await environment.invocation(tuple(range(8)), 900)

    with pytest.raises(TimeoutError):
        environment.runner.run(broken_off())
    environment.client.seconds = LATENCY
    environment.clock.now += 10
    assert outcomes(environment.deliver(*range(8))) == {"delivered": 8}


def test_a_gateway_that_refuses_everything_costs_nine_events(environment: Environment) -> None:
    environment.client.verdict = Verdict(Outcome.REJECTED, "HTTP 405: no")
    results = environment.deliver(*range(3000))

    assert outcomes(results) == {"rejected": 9, "misconfigured": 2991}
    assert len(environment.client.sent) <= 9 + 8
    assert sum(result.latency is not None for result in results) == len(environment.client.sent)
    environment.client.verdict = DELIVERED
    environment.clock.now += 10
    assert outcomes(environment.deliver(*range(3000), seconds=900)) == {"delivered": 3000}


# --- the deduplication table --------------------------------------------------------------------------------


def test_duplicates_beside_an_opening_breaker_let_nobody_through() -> None:
    environment = Environment(workers=20)
    with environment.runner:
        table = environment.deduplicate()
        table.claims = dict.fromkeys(range(5, 20), Claim.DELIVERED)
        real = table.claim

        async def claim(key: str, until: float) -> Claim:
            found = await real(key, until)
            if found is Claim.DELIVERED:
                await asyncio.sleep(2 * LATENCY)  # told once the five have failed
            return found

        table.claim = claim  # type: ignore[method-assign]
        environment.client.verdict = DOWN
        results = environment.deliver(*range(60))
        sent = len(environment.client.sent)
        assert 5 <= sent < 10, "those that failed, and what followed them before the fifth had"
        assert outcomes(results) == {"unavailable": sent, "duplicate": 15, "deferred": 45 - sent}
        assert all(result.verdict.outage for result in results if result.verdict.outcome is Outcome.DEFERRED)


def test_what_an_open_breaker_keeps_is_not_claimed(environment: Environment) -> None:
    environment.open_the_breaker()
    table = environment.deduplicate()
    assert outcomes(environment.deliver(*range(20))) == {"deferred": 20}
    assert table.settled == [], "an outage must not spend the table's calls"


@pytest.mark.parametrize("claim", [Claim.DELIVERED, Claim.ELSEWHERE])
def test_a_known_event_is_no_answer_of_kochavas(environment: Environment, claim: Claim) -> None:
    environment.open_the_breaker()
    environment.clock.now += 10
    environment.deduplicate().claims = {0: claim}
    (known,) = environment.deliver(0)
    assert environment.breaker.is_open
    assert known.latency is None
    assert outcomes(environment.deliver(1, 2)) == {"unavailable": 1, "deferred": 1}, (
        "the probe is still to be sent"
    )


def test_a_success_elsewhere_does_not_end_a_run_of_refusals(environment: Environment) -> None:
    environment.deduplicate().claims = {0: Claim.DELIVERED}
    environment.client.verdict = Verdict(Outcome.REJECTED, "HTTP 400")
    for turn in range(1, 10):
        environment.deliver(turn)
        environment.deliver(0)
    assert outcomes(environment.deliver(10)) == {"misconfigured": 1}


@pytest.mark.parametrize("is_open", [False, True])
def test_an_event_that_is_being_sent_elsewhere_waits_by_backoff_only_while_the_breaker_is_open(
    environment: Environment, *, is_open: bool
) -> None:
    if is_open:
        environment.open_the_breaker()
        environment.clock.now += 10
    environment.deduplicate().claims = {0: Claim.ELSEWHERE}
    (result,) = environment.deliver(0)
    assert (result.verdict.outcome, result.verdict.outage) == (Outcome.DEFERRED, is_open)


@pytest.mark.parametrize(("is_open", "claims"), [(False, 8), (True, 1)])
def test_nothing_is_sent_when_the_table_has_taken_the_time(
    environment: Environment, *, is_open: bool, claims: int
) -> None:
    if is_open:
        environment.open_the_breaker()
        environment.clock.now += 10
    environment.deduplicate().claim_seconds = 55
    assert outcomes(environment.deliver(*range(8))) == {"deferred": 8}
    assert environment.client.sent == []
    assert environment.table.settled == [False] * claims


def test_nothing_is_sent_when_reading_the_event_has_taken_the_time(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode_slowly(*given: Any) -> bytes:
        environment.clock.now += 55
        return encode_payload(*given)

    monkeypatch.setattr(delivery, "encode_payload", encode_slowly)
    assert outcomes(environment.deliver(0)) == {"deferred": 1}
    assert environment.client.sent == []


def test_a_repeat_asks_no_table_even_if_the_first_has_ended() -> None:
    environment = Environment(workers=1)
    with environment.runner:
        table = environment.deduplicate()
        (result, _) = environment.deliver(0, 0)
        assert result.verdict.outcome is Outcome.DUPLICATE
        assert len(table.untils) == 2, "claimed once, settled once"


def test_a_claim_that_the_table_did_not_confirm_is_not_settled(environment: Environment) -> None:
    table = environment.deduplicate()
    table.claims = {0: Claim.UNKNOWN}
    assert outcomes(environment.deliver(0, 1)) == {"delivered": 2}
    assert len(table.settled) == 1


def test_a_claim_lasts_as_long_as_the_invocation(environment: Environment) -> None:
    table = environment.deduplicate()
    began = environment.runner.get_loop().time()
    environment.deliver(0, seconds=60)
    assert table.untils == [began + 59.5] * 2, "the request, too, ends within it; settled no later"


def test_a_table_that_takes_too_long_to_remember_holds_nobody(environment: Environment) -> None:
    environment.deduplicate().settle_seconds = 1000
    assert outcomes(environment.deliver(0, seconds=60)) == {"delivered": 1}
    assert environment.clock.now - START <= 60


def test_latency_is_the_requests_own(environment: Environment) -> None:
    table = environment.deduplicate()
    table.claim_seconds = table.settle_seconds = 0.4
    (result,) = environment.deliver(0)
    assert result.latency == pytest.approx(LATENCY)


def test_a_wave_begins_with_the_request_and_not_with_the_claim(environment: Environment) -> None:
    # Half of them claim before the first wave is throttled, and send after that: they are a wave of their own.
    table = environment.deduplicate()
    real = table.claim

    async def claim(key: str, until: float) -> Claim:
        await asyncio.sleep(0 if int(key.removeprefix("message ")) < 4 else 2 * LATENCY)
        return await real(key, until)

    table.claim = claim  # type: ignore[method-assign]
    environment.client.verdict = THROTTLED
    environment.deliver(*range(8))
    environment.deduplicate().claim = real  # type: ignore[method-assign]
    environment.client.verdict = DELIVERED
    environment.client.most = 0
    environment.deliver(*range(8, 12))
    assert 2 <= environment.client.most <= 3, "halved twice, from eight"


# --- what was no request ------------------------------------------------------------------------------------


def test_a_secret_that_fails_is_no_answer_of_kochavas(environment: Environment) -> None:
    environment.open_the_breaker()
    environment.clock.now += 10
    environment.client.verdict = Verdict(Outcome.MISCONFIGURED, "the secret cannot be read", unsent=True)
    (result,) = environment.deliver(0)
    assert result.verdict.outcome is Outcome.MISCONFIGURED
    assert result.latency is None
    assert environment.breaker.is_open


def test_a_bug_while_sending_gives_its_place_back(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_payload: bytes, _timeout: float) -> Verdict:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(environment.client, "post", fail)
        for number in range(9):
            with pytest.raises(ExceptionGroup):
                environment.deliver(number)
    assert outcomes(environment.deliver(*range(8))) == {"delivered": 8}
    assert environment.client.most == 8
