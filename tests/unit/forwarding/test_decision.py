import pytest

from kochava_forwarder.forwarding.decision import Decision, RetryPolicy, decide, expired_before_try
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, Verdict
from kochava_forwarder.sqs.message import Message

NOW = 1_700_000_000.0
HORIZON = 72 * 3600


def message(age: float = 0, receive_count: int = 1) -> Message:
    return Message("m1", "handle", "{}", NOW - age, NOW - age, receive_count, None, "arn:aws:sqs:r:1:q")


def decided(verdict: Verdict, message: Message, ambiguous: str = "retry") -> Decision:
    return decide(verdict, message, RetryPolicy(HORIZON, AmbiguousDelivery(ambiguous)), now=NOW, jitter=1.0)


@pytest.mark.parametrize(
    ("outcome", "then"),
    [
        (Outcome.DELIVERED, Action.ACKNOWLEDGE),
        (Outcome.DUPLICATE, Action.ACKNOWLEDGE),
        (Outcome.INVALID, Action.DEAD_LETTER),
        (Outcome.REJECTED, Action.DEAD_LETTER),
        (Outcome.EXPIRED, Action.DEAD_LETTER),
        (Outcome.AMBIGUOUS, Action.RETRY),
        (Outcome.THROTTLED, Action.RETRY),
        (Outcome.UNAVAILABLE, Action.RETRY),
        (Outcome.UNCONFIRMED, Action.RETRY),
        (Outcome.MISCONFIGURED, Action.RETRY),
        (Outcome.DEFERRED, Action.RETRY),
    ],
)
def test_each_outcome_has_its_end(outcome: Outcome, then: Action) -> None:
    decision = decided(Verdict(outcome), message())

    assert decision.action is then
    assert decision.verdict.outcome is outcome
    assert (decision.wait > 0) == (then is Action.RETRY)


def test_no_outcome_is_without_an_end() -> None:
    for outcome in Outcome:
        for ambiguous in AmbiguousDelivery:
            assert decided(Verdict(outcome), message(), ambiguous).action in Action


def test_an_ambiguous_delivery_is_parked_when_that_is_asked_for() -> None:
    assert decided(Verdict(Outcome.AMBIGUOUS), message(), "park").action is Action.DEAD_LETTER


def test_a_message_is_not_tried_once_it_is_older_than_the_horizon() -> None:
    old = message(age=60.1, receive_count=3)
    expected = Verdict(Outcome.EXPIRED, "receive 3: older than 60 s; the log has its failures")

    assert expired_before_try(message(age=60), 60, NOW) is None
    assert expired_before_try(old, 60, NOW) == expected


def test_a_failure_whose_next_try_comes_too_late_expires_with_its_reason() -> None:
    decision = decided(Verdict(Outcome.UNAVAILABLE, "HTTP 503"), message(age=HORIZON - 1700, receive_count=95))

    assert decision == Decision(Verdict(Outcome.EXPIRED, "receive 95, unavailable: HTTP 503"), Action.DEAD_LETTER)


def test_a_failure_whose_next_try_comes_in_time_is_retried() -> None:
    decision = decided(Verdict(Outcome.UNAVAILABLE), message(age=HORIZON - 1900, receive_count=95))

    assert decision == Decision(Verdict(Outcome.UNAVAILABLE), Action.RETRY, 1800)


def test_what_was_not_tried_does_not_expire_before_its_horizon() -> None:
    verdict = Verdict(Outcome.DEFERRED, outage=True)

    assert decided(verdict, message(age=HORIZON - 1, receive_count=95)).action is Action.RETRY
