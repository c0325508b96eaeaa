"""Every way a record can end, and what is done about each. Pure.

    outcome         when                                                        then
    --------------  ----------------------------------------------------------  ------------------------------
    delivered       Kochava's body says success                                 acknowledged
    invalid         the record breaks the publishers' contract                  dead-lettered, acknowledged
    rejected        Kochava refused it for good                                 dead-lettered, acknowledged
    ambiguous       written, but no whole answer came                           reported failed
    throttled       Kochava asks to wait                                        reported failed
    unavailable     Kochava cannot be reached, or says it cannot serve          reported failed
    unconfirmed     Kochava answered 2xx without saying success                 reported failed
    misconfigured   our side is wrong: key, address, DLQ, our own code          reported failed, alarmed
    deferred        not tried: no time left, or an earlier record of its        reported failed
                    FIFO group waits

Each record has exactly one outcome per receive, and it is counted. "Acknowledged" means left out of
``batchItemFailures``, so that SQS deletes it; a dead-lettered record is acknowledged only after SQS confirmed
the copy in the dead-letter queue.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType


class Outcome(StrEnum):
    """How a record ended; the value is the metric's dimension and the DLQ's ``reason``."""

    DELIVERED = "delivered"
    INVALID = "invalid"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNCONFIRMED = "unconfirmed"
    MISCONFIGURED = "misconfigured"
    DEFERRED = "deferred"


class Then(Enum):
    """What is done with a record of an outcome."""

    ACKNOWLEDGE = "acknowledge"
    DEAD_LETTER = "dead-letter"
    RETRY = "retry"


THEN = MappingProxyType(
    {
        Outcome.DELIVERED: Then.ACKNOWLEDGE,
        Outcome.INVALID: Then.DEAD_LETTER,
        Outcome.REJECTED: Then.DEAD_LETTER,
        Outcome.AMBIGUOUS: Then.RETRY,
        Outcome.THROTTLED: Then.RETRY,
        Outcome.UNAVAILABLE: Then.RETRY,
        Outcome.UNCONFIRMED: Then.RETRY,
        Outcome.MISCONFIGURED: Then.RETRY,
        Outcome.DEFERRED: Then.RETRY,
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record in this invocation.

    Args:
        outcome: how it ended.
        detail: why, in words that hold no value of the publisher's; at most 1 KiB is kept in the DLQ.
        retry_after: seconds that Kochava asked to wait, if it did.
    """

    outcome: Outcome
    detail: str = ""
    retry_after: float | None = None

    @property
    def then(self) -> Then:
        """What is done with the record."""
        return THEN[self.outcome]
