"""What publishers are told of an event that was dead-lettered: which and why, and none of its values. Pure."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from kochava_forwarder.sqs.message import SENT_AT, Message


class Refusal(NamedTuple):
    """One event that was dead-lettered.

    Args:
        message: as it came.
        reason: the outcome.
        problems: why, in words that hold no value of the publisher's.
        event_id: the publisher's idempotency key, where he gave one.
        app_id: Kochava's app GUID, where one is known.
    """

    message: Message
    reason: str
    problems: Sequence[str]
    event_id: str | None
    app_id: str | None

    def as_json(self, now: datetime) -> str:
        """Return the body of the message to publishers; the names are those of a dead letter's attributes."""
        return json.dumps(
            {
                "eventId": self.event_id,
                "appId": self.app_id,
                "reason": self.reason,
                "problems": list(self.problems),
                "sourceMessageId": self.message.message_id,
                SENT_AT: iso(datetime.fromtimestamp(self.message.first_sent_at, UTC)),
                "deadLetteredAt": iso(now),
            }
        )


def iso(moment: datetime) -> str:
    """Return a moment as ISO 8601 with milliseconds."""
    return moment.isoformat(timespec="milliseconds")
