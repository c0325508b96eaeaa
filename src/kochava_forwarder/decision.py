"""What is done about a verdict: acknowledge, dead-letter, or retry after a wait. Pure."""

from typing import NamedTuple

from kochava_forwarder import backoff
from kochava_forwarder.message import Message
from kochava_forwarder.outcomes import Outcome, Then, Verdict, then
from kochava_forwarder.settings import Settings


class Decision(NamedTuple):
    """What is done about one record.

    Args:
        verdict: the record's final outcome.
        then: what is done with it.
        wait: seconds until its next try; 0 unless it is retried.
    """

    verdict: Verdict
    then: Then
    wait: int = 0


def decide(verdict: Verdict, message: Message, settings: Settings, *, now: float, jitter: float) -> Decision:
    """Returns what is done about `verdict`.

    A failure whose next try would come after the retry horizon has none: the record expires now, while its last
    failure is known. One that was not even tried is left to its next receive.

    Args:
        verdict: what became of the record.
        message: the record, for its age and receive count.
        settings: for the retry horizon, and what is done about ambiguous deliveries.
        now: seconds since 1970.
        jitter: a random number from 0 to 1.
    """
    action = then(verdict.outcome, settings.ambiguous_delivery)
    if action is not Then.RETRY:
        return Decision(verdict, action)
    wait = backoff.wait(verdict, message.receive_count, jitter)
    tried = verdict.outcome is not Outcome.DEFERRED
    if tried and backoff.is_past_horizon(message.sent_at, now + wait, settings.retry_horizon):
        expired = Verdict(Outcome.EXPIRED, f"receive {message.receive_count}, {verdict.outcome}: {verdict.detail}")
        return Decision(expired, Then.DEAD_LETTER)
    return Decision(verdict, action, wait)
