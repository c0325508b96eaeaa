"""One dead letter, as SQS hands it out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from kochava_forwarder.redaction import printable
from kochava_forwarder.sqs.message import SENT_AT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

MOVED_BY_SQS = "moved by SQS"
"""Stands for the reason of a message that SQS moved by itself, after the queue's `maxReceiveCount` receives."""

NO_REASON = "no reason"
"""The same for a message that was sent without one: by hand, or by the function beside a body near SQS's limit."""

OURS = frozenset(
    {"reason", "detail", "sourceMessageId", "receiveCount", "deadLetteredAt", SENT_AT, "eventId"},
)
"""The message attributes that the function gives a dead letter."""

_CERTAIN = frozenset({"reason", "sourceMessageId", "deadLetteredAt"})
_NONE: Mapping[str, MessageAttributeValueOutputTypeDef] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Letter:
    """One message of a dead-letter queue.

    Args:
        message_id: its id in the dead-letter queue.
        receipt_handle: what this receive of it is called.
        body: the event, as it was published.
        system: SQS's own attributes, such as `SentTimestamp`.
        attributes: the message attributes, the function's and the publisher's.
    """

    message_id: str
    receipt_handle: str
    body: str
    system: Mapping[MessageSystemAttributeNameType, str]
    attributes: Mapping[str, MessageAttributeValueOutputTypeDef] = _NONE

    @classmethod
    def from_received(cls, message: MessageTypeDef) -> Letter:
        """Read one message of SQS's answer to ReceiveMessage, asked for with all its attributes."""
        return cls(
            message_id=message["MessageId"],
            receipt_handle=message["ReceiptHandle"],
            body=message["Body"],
            system=message.get("Attributes", {}),
            attributes=message.get("MessageAttributes", _NONE),
        )

    @property
    def is_moved(self) -> bool:
        """Whether SQS moved it by itself; such a one names the queue it came from."""
        return "DeadLetterQueueSourceArn" in self.system

    @property
    def is_ours(self) -> bool:
        """Whether the attributes named like the function's are the function's.

        A publisher may use such a name too, which shows on a message that the function never dead-lettered.
        """
        return "reason" in self.attributes and (not self.is_moved or self.attributes.keys() >= _CERTAIN)

    @property
    def reason(self) -> str:
        """The outcome for which the function dead-lettered it, or what stands for that."""
        if self.is_moved:
            return MOVED_BY_SQS
        return self.text("reason") or NO_REASON

    @property
    def queued_at(self) -> float:
        """When SQS took the message, in seconds since 1970.

        Of a message that SQS moved on a standard queue that is when the event was published.
        """
        return int(self.system["SentTimestamp"]) / 1000

    @property
    def sent_at(self) -> float:
        """When SQS first took the event, in seconds since 1970."""
        return self._moment(SENT_AT) or self.queued_at

    @property
    def dead_lettered_at(self) -> float:
        """When it was dead-lettered, in seconds since 1970; else when SQS took it, which is the nearest known."""
        written = None if self.is_moved else self._moment("deadLetteredAt")
        return written or self.queued_at

    @property
    def group_id(self) -> str | None:
        """Its message group, if it has one."""
        return self.system.get("MessageGroupId")

    def text(self, name: str) -> str:
        """Return one of the function's attributes in printable ASCII; empty if the function gave none."""
        return (
            printable(self.attributes[name].get("StringValue", ""))
            if self.is_ours and name in self.attributes
            else ""
        )

    def publishers(self) -> dict[str, MessageAttributeValueOutputTypeDef]:
        """Return the message attributes that the publisher gave the event."""
        return {name: value for name, value in self.attributes.items() if not (self.is_ours and name in OURS)}

    def without_body(self) -> Letter:
        """Return the same without its body: a body may take a mebibyte, and a queue may hold thousands."""
        return replace(self, body="")

    def _moment(self, name: str) -> float | None:
        try:
            moment = datetime.fromisoformat(self.attributes[name]["StringValue"])
        except (LookupError, ValueError):
            return None
        return moment.timestamp() if moment.tzinfo else None


def iso(seconds: float) -> str:
    """Return a moment, in seconds since 1970, in ISO 8601, as the function writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
