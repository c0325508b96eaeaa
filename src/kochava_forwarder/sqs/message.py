"""What the forwarder needs of an SQS record. Pure."""

from typing import NamedTuple, Self

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord


class Message(NamedTuple):
    """One message, as SQS delivered it.

    Args:
        message_id: SQS's id of the message; a redriven message gets a new one.
        receipt_handle: what this receive of the message is called.
        body: as the publisher sent it.
        sent_at: when SQS took it, in seconds since 1970.
        receive_count: how often it was received, this time included.
        group_id: its message group, on a FIFO queue.
        queue_arn: the queue it came from.
    """

    message_id: str
    receipt_handle: str
    body: str
    sent_at: float
    receive_count: int
    group_id: str | None
    queue_arn: str

    @classmethod
    def from_record(cls, record: SQSRecord, now: float) -> Self:
        """Read an SQS record; what the record lacks is taken for a first receive at `now`."""
        raw = record.raw_event
        attributes = raw.get("attributes") or {}
        return cls(
            message_id=raw["messageId"],
            receipt_handle=raw.get("receiptHandle", ""),
            body=raw["body"],
            sent_at=int(attributes.get("SentTimestamp", now * 1000)) / 1000,
            receive_count=int(attributes.get("ApproximateReceiveCount", 1)),
            group_id=attributes.get("MessageGroupId"),
            queue_arn=raw.get("eventSourceARN", ""),
        )
