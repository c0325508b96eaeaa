import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import Outcome, Verdict

UNAVAILABLE = Verdict(Outcome.UNAVAILABLE)
RETRIED = [Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.UNCONFIRMED, Outcome.AMBIGUOUS]


@pytest.mark.parametrize("outcome", RETRIED)
@pytest.mark.parametrize(
    ("receive_count", "step"), [(1, 7), (2, 30), (3, 300), (4, 1800), (5, 1800), (1000, 1800)]
)
def test_the_step_follows_the_receive_count(outcome: Outcome, receive_count: int, step: int) -> None:
    assert backoff.wait(Verdict(outcome), receive_count, jitter=1.0) == step
    assert backoff.wait(Verdict(outcome), receive_count, jitter=0.0) == -(-step // 2)


@given(st.sampled_from(RETRIED), st.integers(1, 1000), st.floats(0, 1))
def test_jitter_stays_between_half_and_the_whole_step(outcome: Outcome, receive_count: int, jitter: float) -> None:
    step = (7, 30, 300, 1800)[min(receive_count, 4) - 1]

    assert step / 2 <= backoff.wait(Verdict(outcome), receive_count, jitter) <= step


@pytest.mark.parametrize(
    ("receive_count", "asked", "waited"),
    [
        pytest.param(1, 0.0, 6, id="nothing is asked for"),
        pytest.param(9, 1.0, 1350, id="a short wait does not shorten the step"),
        pytest.param(1, 60.1, 61, id="a longer one lengthens it"),
        pytest.param(9, 3600.0, 3600, id="at the last step too"),
        pytest.param(1, 10.0**12, 42_300, id="within what SQS takes"),
        pytest.param(1, float("inf"), 42_300, id="whatever it is"),
    ],
)
def test_what_kochava_asks_for_is_a_floor_under_the_step(receive_count: int, asked: float, waited: int) -> None:
    assert backoff.wait(Verdict(Outcome.THROTTLED, retry_after=asked), receive_count, jitter=0.5) == waited


@given(st.sampled_from(RETRIED), st.floats(0, allow_infinity=True), st.integers(1, 1000), st.floats(0, 1))
def test_no_answer_shortens_a_wait(outcome: Outcome, asked: float, receive_count: int, jitter: float) -> None:
    asking = backoff.wait(Verdict(outcome, retry_after=asked), receive_count, jitter)

    assert asking >= backoff.wait(Verdict(outcome), receive_count, jitter)


@given(
    st.sampled_from([*RETRIED, Outcome.MISCONFIGURED, Outcome.DEFERRED]),
    st.none() | st.floats(0, allow_infinity=True),
    st.booleans(),
    st.integers(1, 10_000),
    st.floats(0, 1),
)
def test_every_wait_is_one_that_sqs_takes(
    outcome: Outcome, retry_after: float | None, outage: bool, receive_count: int, jitter: float
) -> None:
    waited = backoff.wait(Verdict(outcome, "", retry_after, outage), receive_count, jitter)

    assert isinstance(waited, int)
    assert 1 <= waited <= 12 * 3600 - 900


def test_a_misconfiguration_waits_for_a_person_from_the_first_receive_on() -> None:
    assert backoff.wait(Verdict(Outcome.MISCONFIGURED), 1, jitter=1.0) == 1800


def test_what_was_not_reached_comes_back_shortly() -> None:
    assert backoff.wait(Verdict(Outcome.DEFERRED), 9, jitter=1.0) == 5
    assert backoff.wait(Verdict(Outcome.DEFERRED), 100, jitter=1.0) == 5


def test_what_was_not_reached_a_hundred_times_saves_its_receives() -> None:
    assert backoff.wait(Verdict(Outcome.DEFERRED), 101, jitter=1.0) == 1800


def test_what_an_outage_deferred_waits_like_a_failure() -> None:
    assert backoff.wait(Verdict(Outcome.DEFERRED, outage=True), 4, jitter=1.0) == 1800
