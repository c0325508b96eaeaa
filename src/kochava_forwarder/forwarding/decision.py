"""What is done about a verdict: acknowledge, dead-letter, or retry after a wait. Pure.

The retry horizon is asked twice, for two reasons. Before a try (`expired_before_try`), since a record may be
too old when it comes: the function was switched off, or never had time for it. And after a failed try (`decide`),
since the next one would come too late, and only now is the failure known that is to be its dead letter's detail.
"""

from typing import NamedTuple

from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, Verdict, action_for
from kochava_forwarder.sqs.message import Message


class RetryPolicy(NamedTuple):
    """What the settings say about trying again.

    Args:
        horizon: seconds from publishing for which an event is tried.
        ambiguous_delivery: what is done when Kochava may have counted an event.
    """

    horizon: float
    ambiguous_delivery: AmbiguousDelivery


class Decision(NamedTuple):
    """What is done about one record.

    Args:
        verdict: the record's final outcome.
        action: what is done with it.
        wait: seconds until its next try; 0 unless it is retried.
    """

    verdict: Verdict
    action: Action
    wait: int = 0


def expired_before_try(message: Message, horizon: float, now: float) -> Verdict | None:
    """Return the verdict of a message that is too old to be tried at `now`, or None if it is not.

    Args:
        message: the record, for its age.
        horizon: seconds from publishing for which it is tried.
        now: seconds since 1970.
    """
    if not _is_past(horizon, message, now):
        return None
    detail = f"receive {message.receive_count}: older than {horizon:.0f} s; the log has its failures"
    return Verdict(Outcome.EXPIRED, detail)


def decide(verdict: Verdict, message: Message, policy: RetryPolicy, *, now: float, jitter: float) -> Decision:
    """Return what is done about `verdict`.

    A failure whose next try would come after the retry horizon has none: the record expires now, while its last
    failure is known. One that was not even tried is left to its next receive.

    Args:
        verdict: what became of the record.
        message: the record, for its age and receive count.
        policy: until when it is tried, and whether it may be sent again when Kochava may have counted it.
        now: seconds since 1970.
        jitter: a random number from 0 to 1.
    """
    action = action_for(verdict.outcome, policy.ambiguous_delivery)
    if action is not Action.RETRY:
        return Decision(verdict, action)
    wait = backoff.wait(verdict, message.receive_count, jitter)
    tried = verdict.outcome is not Outcome.DEFERRED
    if tried and _is_past(policy.horizon, message, now + wait):
        expired = Verdict(Outcome.EXPIRED, f"receive {message.receive_count}, {verdict.outcome}: {verdict.detail}")
        return Decision(expired, Action.DEAD_LETTER)
    return Decision(verdict, action, wait)


def _is_past(horizon: float, message: Message, moment: float) -> bool:
    return moment - message.sent_at > horizon
