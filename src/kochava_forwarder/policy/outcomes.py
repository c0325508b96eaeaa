"""Every way a record can end, and what is done about each. Pure.

    outcome         when                                                        then
    --------------  ----------------------------------------------------------  -----------------------------------
    delivered       Kochava's body says success                                 acknowledged
    duplicate       its event_id (or message id) was delivered in the window    acknowledged
    invalid         the record breaks the publishers' contract                  dead-lettered, acknowledged
    rejected        Kochava refused it for good                                 dead-lettered, acknowledged
    expired         retryable, but older than the retry horizon                 dead-lettered, acknowledged
    ambiguous       written, but no whole answer came                           retried, or parked: dead-lettered
    throttled       Kochava asks to wait                                        retried after backoff
    unavailable     Kochava cannot be reached, or says it cannot serve          retried after backoff
    unconfirmed     Kochava answered 2xx without saying success                 retried after backoff
    misconfigured   our side is wrong: key, address, DLQ, our code; or          retried after the longest step
                    Kochava refuses everything
    deferred        not tried: no time left, breaker open, or an earlier        retried shortly; after backoff when
                    record of its FIFO group waits                              the breaker is open

Each record has exactly one outcome per receive, and it is counted. "Acknowledged" means left out of
``batchItemFailures``, so that SQS deletes it; a dead-lettered record is acknowledged only after SQS confirmed
the copy in the dead-letter queue. "Retried" means reported failed, and invisible in the queue until its next try.
"""

from enum import Enum, StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Outcome(StrEnum):
    """How a record ended; the value is the metric's dimension and the DLQ's ``reason``."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"
    INVALID = "invalid"
    REJECTED = "rejected"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNCONFIRMED = "unconfirmed"
    MISCONFIGURED = "misconfigured"
    DEFERRED = "deferred"


class Action(Enum):
    """What is done with a record of an outcome."""

    ACKNOWLEDGE = "acknowledge"
    DEAD_LETTER = "dead-letter"
    RETRY = "retry"


_ACTIONS = MappingProxyType(
    {
        Outcome.DELIVERED: Action.ACKNOWLEDGE,
        Outcome.DUPLICATE: Action.ACKNOWLEDGE,
        Outcome.INVALID: Action.DEAD_LETTER,
        Outcome.REJECTED: Action.DEAD_LETTER,
        Outcome.EXPIRED: Action.DEAD_LETTER,
        Outcome.AMBIGUOUS: Action.RETRY,
        Outcome.THROTTLED: Action.RETRY,
        Outcome.UNAVAILABLE: Action.RETRY,
        Outcome.UNCONFIRMED: Action.RETRY,
        Outcome.MISCONFIGURED: Action.RETRY,
        Outcome.DEFERRED: Action.RETRY,
    }
)


class AmbiguousDelivery(StrEnum):
    """What is done when Kochava may have counted an event: try again (may count twice), or park (may lose)."""

    RETRY = "retry"
    PARK = "park"


def action_for(outcome: Outcome, ambiguous: AmbiguousDelivery) -> Action:
    """Return what is done with a record of this outcome."""
    if outcome is Outcome.AMBIGUOUS and ambiguous is AmbiguousDelivery.PARK:
        return Action.DEAD_LETTER
    return _ACTIONS[outcome]


class Verdict(NamedTuple):
    """What became of one record in this invocation.

    Args:
        outcome: how it ended.
        detail: why, in words that hold no value of the publisher's; at most 1 KiB is kept in the DLQ.
        retry_after: seconds that Kochava asked to wait, if it did.
        outage: of a deferred record, whether it was left in the queue because Kochava is down.
        unsent: whether it was reached without a request, so that it says nothing about Kochava.
        problems: of an invalid event, each in words; `detail` has them in one text.
    """

    outcome: Outcome
    detail: str = ""
    retry_after: float | None = None
    outage: bool = False
    unsent: bool = False
    problems: tuple[str, ...] = ()
