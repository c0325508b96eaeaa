from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.policy.breaker import (
    FAILURE_THRESHOLD,
    LONG_OUTAGE_PROBE_SECONDS,
    LONG_OUTAGE_SECONDS,
    PROBE_SECONDS,
    REFUSAL_THRESHOLD,
    Breaker,
    Permit,
)
from kochava_forwarder.policy.outcomes import Outcome, Verdict

LIMIT = 8


class Clock:
    """Moments that never go back; each look takes a millisecond."""

    def __init__(self) -> None:
        self.now = 1000.0

    def tick(self, seconds: float = 0.001) -> float:
        self.now += seconds
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker() -> Breaker:
    return Breaker(LIMIT)


def permitted(breaker: Breaker, clock: Clock) -> Permit:
    permit = breaker.begin(clock.tick())
    assert isinstance(permit, Permit)
    return permit


def send(breaker: Breaker, outcome: Outcome, clock: Clock) -> Outcome:
    """Send one request that ends so; return what that means for its record."""
    return wave(breaker, [outcome], clock)[0]


def wave(breaker: Breaker, outcomes: Sequence[Outcome], clock: Clock) -> list[Outcome]:
    """Send requests side by side that end so, one after the other."""
    permits = [permitted(breaker, clock) for _ in outcomes]
    for permit in permits:
        permit.start(clock.tick())
    ends = []
    for permit, outcome in zip(permits, outcomes, strict=True):
        with permit:
            ends.append(permit.end(Verdict(outcome, "HTTP 400"), clock.tick()).outcome)
    return ends


def ask(breaker: Breaker, times: int, clock: Clock) -> list[str]:
    """Ask so often without sending; return what came of it, all permits given back."""
    asked = [breaker.begin(clock.tick()) for _ in range(times)]
    for permit in asked:
        if isinstance(permit, Permit):
            with permit:
                pass
    return ["GO" if isinstance(permit, Permit) else permit.name for permit in asked]


def limit(breaker: Breaker, clock: Clock) -> int:
    return ask(breaker, LIMIT + 1, clock).count("GO")


def opened(clock: Clock, outcome: Outcome = Outcome.UNAVAILABLE) -> Breaker:
    breaker = Breaker(LIMIT)
    while not breaker.is_open:
        send(breaker, outcome, clock)
    return breaker


def test_the_numbers_are_those_of_the_documentation() -> None:
    assert (FAILURE_THRESHOLD, REFUSAL_THRESHOLD, PROBE_SECONDS) == (5, 10, 10)
    assert (LONG_OUTAGE_SECONDS, LONG_OUTAGE_PROBE_SECONDS) == (600, 20)


# --- failures in a row --------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [Outcome.UNAVAILABLE, Outcome.AMBIGUOUS])
def test_failures_in_a_row_open_it_and_the_rest_is_deferred(
    breaker: Breaker, failure: Outcome, clock: Clock
) -> None:
    for _ in range(5):
        assert not breaker.is_open
        send(breaker, failure, clock)

    assert breaker.is_open
    assert not breaker.is_refusing
    assert ask(breaker, 2, clock) == ["DOWN", "DOWN"]


@pytest.mark.parametrize(
    "answer", [Outcome.DELIVERED, Outcome.REJECTED, Outcome.UNCONFIRMED, Outcome.MISCONFIGURED]
)
def test_any_answer_of_kochavas_starts_the_count_anew(breaker: Breaker, answer: Outcome, clock: Clock) -> None:
    for outcome in [*[Outcome.UNAVAILABLE] * 4, answer, *[Outcome.UNAVAILABLE] * 4]:
        send(breaker, outcome, clock)

    assert not breaker.is_open


@pytest.mark.parametrize("answer", [Outcome.DELIVERED, Outcome.REJECTED, Outcome.UNCONFIRMED])
def test_any_answer_to_the_probe_closes_it(answer: Outcome, clock: Clock) -> None:
    breaker = opened(clock)
    clock.tick(10)
    send(breaker, answer, clock)

    assert not breaker.is_open


# --- the probe ----------------------------------------------------------------------------------------------


def test_while_it_is_open_one_probe_goes_every_ten_seconds_and_the_rest_waits_for_its_answer(clock: Clock) -> None:
    breaker = opened(clock)
    for _ in range(3):
        clock.tick(9.9)
        assert ask(breaker, 3, clock) == ["DOWN"] * 3
        clock.tick(0.1)
        with permitted(breaker, clock) as probe:
            assert ask(breaker, 2, clock) == ["WAIT", "WAIT"]
            probe.start(clock.tick())
            clock.tick(3)
            probe.end(Verdict(Outcome.AMBIGUOUS), clock.tick())
        assert ask(breaker, 2, clock) == ["DOWN"] * 2


def test_an_outage_of_ten_minutes_is_probed_every_twenty_seconds_and_the_next_one_every_ten_again(
    clock: Clock,
) -> None:
    breaker = opened(clock)
    opened_at = clock.now
    while clock.tick(10) < opened_at + 600:
        assert send(breaker, Outcome.UNAVAILABLE, clock) is Outcome.UNAVAILABLE, "a probe"
    send(breaker, Outcome.UNAVAILABLE, clock)
    for _ in range(2):
        clock.tick(19.9)
        assert ask(breaker, 1, clock) == ["DOWN"]
        clock.tick(0.1)
        send(breaker, Outcome.UNAVAILABLE, clock)
    clock.tick(20)
    send(breaker, Outcome.DELIVERED, clock)
    while not breaker.is_open:
        send(breaker, Outcome.UNAVAILABLE, clock)
    clock.tick(9.9)
    assert ask(breaker, 1, clock) == ["DOWN"]
    clock.tick(0.1)
    assert ask(breaker, 1, clock) == ["GO"]


@given(st.lists(st.tuples(st.floats(0, 20), st.sampled_from(Outcome), st.booleans()), min_size=20, max_size=100))
def test_no_two_probes_start_within_ten_seconds(steps: list[tuple[float, Outcome, bool]]) -> None:
    clock = Clock()
    breaker = opened(clock)
    started = [clock.now]
    for wait, outcome, sent in steps:
        clock.tick(wait)
        permit = breaker.begin(clock.now)
        if isinstance(permit, Permit):
            with permit:
                if sent:
                    assert clock.now - started[-1] >= 10
                    started.append(clock.now)
                    permit.start(clock.now)
                    permit.end(Verdict(outcome), clock.now)
        if not breaker.is_open:
            breaker = opened(clock)
            started.append(clock.now)


def test_a_probe_that_was_not_sent_is_still_to_be_sent(clock: Clock) -> None:
    breaker = opened(clock)
    clock.tick(10)
    with permitted(breaker, clock):
        pass

    assert ask(breaker, 1, clock) == ["GO"]


def test_a_probe_that_was_sent_is_spent_even_if_its_end_is_unknown(clock: Clock) -> None:
    breaker = opened(clock)
    clock.tick(10)
    with permitted(breaker, clock) as probe:
        probe.start(clock.tick())

    assert ask(breaker, 1, clock) == ["DOWN"]


def test_others_that_were_not_sent_give_nobody_a_permit(clock: Clock) -> None:
    breaker = Breaker(20)
    permits = [permitted(breaker, clock) for _ in range(20)]
    for permit in permits[:5]:
        with permit:
            permit.start(clock.tick())
            permit.end(Verdict(Outcome.UNAVAILABLE), clock.tick())
    for permit in permits[5:]:
        assert ask(breaker, 1, clock) == ["WAIT"], "for those in flight"
        with permit:
            pass

    assert ask(breaker, 15, clock) == ["DOWN"] * 15


def test_an_older_request_that_ends_gives_nobody_the_probes_place(clock: Clock) -> None:
    breaker = Breaker(LIMIT)
    older = permitted(breaker, clock)
    older.start(clock.tick())
    wave(breaker, [Outcome.UNAVAILABLE] * FAILURE_THRESHOLD, clock)
    clock.tick(PROBE_SECONDS)
    with permitted(breaker, clock) as probe:
        probe.start(clock.tick())
        clock.tick(PROBE_SECONDS)  # it hangs
        with older:
            pass
        assert ask(breaker, 1, clock) == ["WAIT"], "for the probe"


def test_what_was_decided_without_a_request_is_no_answer(clock: Clock) -> None:
    breaker = opened(clock)
    clock.tick(10)
    unsent = Verdict(Outcome.MISCONFIGURED, "the secret cannot be read", unsent=True)
    with permitted(breaker, clock) as probe:
        probe.start(clock.tick())
        assert probe.end(unsent, clock.tick()) is unsent

    assert breaker.is_open


# --- refusals without a success between them ----------------------------------------------------------------


@pytest.mark.parametrize("refusal", [Outcome.REJECTED, Outcome.MISCONFIGURED])
def test_a_run_of_refusals_opens_it_and_the_rest_is_misconfigured(
    breaker: Breaker, refusal: Outcome, clock: Clock
) -> None:
    for _ in range(10):
        assert not breaker.is_open
        send(breaker, refusal, clock)

    assert breaker.is_refusing
    assert breaker.is_open
    assert ask(breaker, 2, clock) == ["REFUSING", "REFUSING"]


def test_from_the_tenth_refusal_on_the_record_is_not_at_fault(clock: Clock) -> None:
    ends = wave(Breaker(15), [Outcome.REJECTED] * 15, clock)

    assert ends == [*[Outcome.REJECTED] * 9, *[Outcome.MISCONFIGURED] * 6]


def test_a_kept_record_says_what_it_was_refused_with(clock: Clock) -> None:
    breaker = opened(clock, Outcome.REJECTED)
    clock.tick(10)
    with permitted(breaker, clock) as probe:
        probe.start(clock.tick())
        kept = probe.end(Verdict(Outcome.REJECTED, "HTTP 405: no"), clock.tick())

    assert kept == Verdict(Outcome.MISCONFIGURED, "Kochava refuses everything, this event with HTTP 405: no")


@pytest.mark.parametrize("other", [Outcome.AMBIGUOUS, Outcome.UNAVAILABLE, Outcome.THROTTLED, Outcome.DELIVERED])
def test_what_is_no_refusal_keeps_its_meaning(other: Outcome, clock: Clock) -> None:
    breaker = opened(clock, Outcome.REJECTED)
    clock.tick(10)
    assert send(breaker, other, clock) is other


def test_a_single_success_starts_the_run_anew(breaker: Breaker, clock: Clock) -> None:
    for _ in range(3):
        ends = [send(breaker, Outcome.REJECTED, clock) for _ in range(9)]
        assert ends == [Outcome.REJECTED] * 9
        send(breaker, Outcome.DELIVERED, clock)

    assert not breaker.is_open


@pytest.mark.parametrize("other", [Outcome.UNAVAILABLE, Outcome.THROTTLED, Outcome.UNCONFIRMED, Outcome.AMBIGUOUS])
def test_nothing_but_a_success_ends_the_run(breaker: Breaker, other: Outcome, clock: Clock) -> None:
    for _ in range(10):
        assert not breaker.is_refusing
        send(breaker, other, clock)
        send(breaker, Outcome.REJECTED, clock)
    assert breaker.is_refusing
    for outcome in (other, Outcome.REJECTED):
        clock.tick(10)
        send(breaker, outcome, clock)
        assert breaker.is_refusing

    clock.tick(10)
    send(breaker, Outcome.DELIVERED, clock)
    assert not breaker.is_open


# --- how many side by side ----------------------------------------------------------------------------------


def test_no_more_requests_are_in_flight_than_the_limit(clock: Clock) -> None:
    assert ask(Breaker(3), 4, clock) == ["GO", "GO", "GO", "WAIT"]


def test_a_place_is_given_back_whatever_happens(clock: Clock) -> None:
    breaker = Breaker(1)
    for _ in range(3):
        with pytest.raises(LookupError), permitted(breaker, clock):
            raise LookupError

    assert ask(breaker, 2, clock) == ["GO", "WAIT"]


def test_each_wave_of_throttling_halves_the_limit_and_counts_once(breaker: Breaker, clock: Clock) -> None:
    limits = []
    for _ in range(3):
        wave(breaker, [Outcome.THROTTLED] * limit(breaker, clock), clock)
        limits.append(limit(breaker, clock))

    assert limits == [4, 2, 1]
    assert not breaker.is_open


def test_throttling_at_a_limit_of_one_is_a_failure_like_others(clock: Clock) -> None:
    breaker = Breaker(1)
    for _ in range(5):
        assert not breaker.is_open
        send(breaker, Outcome.THROTTLED, clock)

    assert breaker.is_open


def test_each_wave_of_answers_raises_the_limit_by_about_one_up_to_what_it_was(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(3):
        send(breaker, Outcome.THROTTLED, clock)

    limits = []
    for _ in range(12):
        limits.append(limit(breaker, clock))
        wave(breaker, [Outcome.DELIVERED] * limits[-1], clock)

    assert {later - earlier for earlier, later in pairwise(limits)} == {0, 1}
    assert (limits[:2], limits[-1]) == ([1, 2], 8)


@pytest.mark.parametrize("opening", [Outcome.UNAVAILABLE, Outcome.REJECTED])
def test_after_an_opening_requests_begin_one_by_one(opening: Outcome, clock: Clock) -> None:
    breaker = opened(clock, opening)
    clock.tick(10)
    send(breaker, Outcome.DELIVERED, clock)

    assert not breaker.is_open
    assert limit(breaker, clock) == 2


def test_probes_that_fail_change_no_limit(clock: Clock) -> None:
    breaker = opened(clock, Outcome.REJECTED)
    for _ in range(9):
        clock.tick(10)
        send(breaker, Outcome.REJECTED, clock)
    clock.tick(10)
    send(breaker, Outcome.DELIVERED, clock)

    assert limit(breaker, clock) == 2


def test_a_cold_start_has_the_whole_limit_at_once(breaker: Breaker, clock: Clock) -> None:
    assert limit(breaker, clock) == LIMIT
