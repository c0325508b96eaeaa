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
    ("asked", "waited"),
    [(0.0, 1), (0.2, 1), (2.0, 2), (2.1, 3), (3600.0, 3600), (10.0**12, 42_300), (float("inf"), 42_300)],
)
def test_kochavas_own_wait_goes_first_within_what_sqs_takes(asked: float, waited: int) -> None:
    for receive_count in (1, 9):
        assert backoff.wait(Verdict(Outcome.THROTTLED, retry_after=asked), receive_count, jitter=0.5) == waited


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


def test_what_an_outage_deferred_waits_like_a_failure() -> None:
    assert backoff.wait(Verdict(Outcome.DEFERRED, outage=True), 4, jitter=1.0) == 1800


def test_the_horizon_is_reached_only_when_it_is_passed() -> None:
    assert not backoff.is_past_horizon(sent_at=1000, now=1060, horizon=60)
    assert backoff.is_past_horizon(sent_at=1000, now=1060.1, horizon=60)
