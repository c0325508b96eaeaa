"""What the forwarder needs of an SQS record. Pure."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

SENT_AT = "sentAt"  # the attribute of a dead letter that says when SQS first took the event


class Message(NamedTuple):
    """One message, as SQS delivered it.

    Args:
        message_id: SQS's id of the message; a redriven message gets a new one.
        receipt_handle: what this receive of the message is called.
        body: as the publisher sent it.
        sent_at: when SQS took this message, in seconds since 1970.
        first_sent_at: when SQS first took the event: earlier than `sent_at` if it was redriven.
        receive_count: how often it was received, this time included.
        group_id: its message group, on a FIFO queue.
        queue_arn: the queue it came from.
        attributes: its message attributes, in the form in which Lambda hands them over.
    """

    message_id: str
    receipt_handle: str
    body: str
    sent_at: float
    first_sent_at: float
    receive_count: int
    group_id: str | None
    queue_arn: str
    attributes: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def from_record(cls, record: SQSRecord, now: float) -> Self:
        """Read an SQS record; what SQS itself adds and the record lacks is taken for a first receive at `now`.

        Raises:
            LookupError, TypeError, ValueError: the record is not one of SQS's.
        """
        raw = record.raw_event
        system = raw.get("attributes") or {}
        attributes = raw.get("messageAttributes") or {}
        sent_at = int(system.get("SentTimestamp", now * 1000)) / 1000
        return cls(
            message_id=_text(raw["messageId"]),
            receipt_handle=_text(raw.get("receiptHandle", "")),
            body=_text(raw["body"]),
            sent_at=sent_at,
            first_sent_at=min(sent_at, _moment(attributes.get(SENT_AT)) or sent_at),
            receive_count=int(system.get("ApproximateReceiveCount", 1)),
            group_id=system.get("MessageGroupId"),
            queue_arn=_text(raw.get("eventSourceARN", "")),
            attributes=attributes if isinstance(attributes, dict) else {},
        )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a string")
    return value


def _moment(attribute: Any) -> float | None:
    """Return the seconds since 1970 that a message attribute says in ISO 8601 with its zone, if it does."""
    if not isinstance(attribute, dict):
        return None
    try:
        moment = datetime.fromisoformat(attribute.get("stringValue") or "")
    except (TypeError, ValueError):
        return None
    return moment.timestamp() if moment.tzinfo else None
