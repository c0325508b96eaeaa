import pytest

from kochava_forwarder.policy.breaker import THRESHOLD, Breaker, Permit
from kochava_forwarder.policy.outcomes import Outcome

GO, WAIT, DEFER = Permit.GO, Permit.WAIT, Permit.DEFER


class Clock:
    now = 0.0

    def tick(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def send(breaker: Breaker, outcome: Outcome, clock: Clock) -> None:
    began = clock.tick()
    assert breaker.begin() is GO
    breaker.end(outcome, began, clock.tick())


def opened(width: int, clock: Clock) -> Breaker:
    breaker = Breaker(width)
    breaker.new_invocation()
    for _ in range(THRESHOLD):
        send(breaker, Outcome.UNAVAILABLE, clock)
    return breaker


@pytest.mark.parametrize("failure", [Outcome.UNAVAILABLE, Outcome.AMBIGUOUS])
def test_failures_in_a_row_open_it_and_the_rest_is_deferred(failure: Outcome, clock: Clock) -> None:
    breaker = Breaker(8)
    breaker.new_invocation()
    for _ in range(THRESHOLD):
        assert not breaker.is_open
        send(breaker, failure, clock)

    assert breaker.is_open
    assert breaker.begin() is DEFER


@pytest.mark.parametrize(
    "answer", [Outcome.DELIVERED, Outcome.REJECTED, Outcome.UNCONFIRMED, Outcome.MISCONFIGURED]
)
def test_any_answer_of_kochavas_starts_the_count_anew(answer: Outcome, clock: Clock) -> None:
    breaker = Breaker(8)
    for outcome in [*[Outcome.UNAVAILABLE] * (THRESHOLD - 1), answer, *[Outcome.UNAVAILABLE] * (THRESHOLD - 1)]:
        send(breaker, outcome, clock)

    assert not breaker.is_open


def test_while_it_is_open_each_invocation_sends_one_probe_and_the_rest_waits_for_it(clock: Clock) -> None:
    breaker = opened(8, clock)
    for _ in range(3):
        breaker.new_invocation()

        assert [breaker.begin() for _ in range(3)] == [GO, WAIT, WAIT]
        breaker.end(Outcome.UNAVAILABLE, clock.tick(), clock.tick())
        assert breaker.begin() is DEFER


def test_a_probe_that_gets_through_lets_all_go_on(clock: Clock) -> None:
    breaker = opened(8, clock)
    breaker.new_invocation()
    send(breaker, Outcome.DELIVERED, clock)

    assert not breaker.is_open
    assert [breaker.begin() for _ in range(8)] == [GO] * 8


def test_a_probe_that_was_not_sent_is_still_to_be_sent(clock: Clock) -> None:
    breaker = opened(8, clock)
    breaker.new_invocation()
    assert breaker.begin() is GO
    breaker.cancel()

    assert breaker.begin() is GO


def test_no_more_requests_are_in_flight_than_its_width() -> None:
    breaker = Breaker(3)

    assert [breaker.begin() for _ in range(4)] == [GO, GO, GO, WAIT]


def in_flight(breaker: Breaker) -> int:
    permits = 0
    while breaker.begin() is GO:
        permits += 1
    for _ in range(permits):
        breaker.cancel()
    return permits


def test_each_wave_of_throttling_halves_the_width_and_counts_once(clock: Clock) -> None:
    breaker = Breaker(8)
    widths = []
    for _ in range(3):
        began = clock.tick()
        wave = in_flight(breaker)
        for _ in range(wave):
            breaker.begin()
        for _ in range(wave):
            breaker.end(Outcome.THROTTLED, began, clock.tick())
        widths.append(in_flight(breaker))

    assert widths == [4, 2, 1]
    assert not breaker.is_open


def test_throttling_at_a_width_of_one_is_a_failure_like_others(clock: Clock) -> None:
    breaker = Breaker(1)
    for _ in range(THRESHOLD):
        send(breaker, Outcome.THROTTLED, clock)

    assert breaker.is_open


def test_answers_widen_it_again_up_to_what_it_was(clock: Clock) -> None:
    breaker = Breaker(4)
    for _ in range(2):
        send(breaker, Outcome.THROTTLED, clock)
    assert in_flight(breaker) == 1

    widths = []
    for _ in range(30):
        send(breaker, Outcome.DELIVERED, clock)
        widths.append(in_flight(breaker))

    assert widths == sorted(widths)
    assert widths[-1] == 4
