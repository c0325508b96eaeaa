from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.sqs.message import Message

NOW = 1_700_000_000.0
RECORD: dict[str, Any] = {
    "messageId": "m1",
    "receiptHandle": "r1",
    "body": "{}",
    "attributes": {"SentTimestamp": "1699999000500", "ApproximateReceiveCount": "3", "MessageGroupId": "g"},
    "messageAttributes": {},
    "eventSourceARN": "arn:aws:sqs:us-east-1:1:events.fifo",
}


def message(**changes: Any) -> Message:
    return Message.from_record(SQSRecord(RECORD | changes), NOW)


def test_what_sqs_adds_is_read() -> None:
    read = message()
    assert (read.message_id, read.receipt_handle, read.body, read.group_id) == ("m1", "r1", "{}", "g")
    assert (read.sent_at, read.first_sent_at, read.receive_count) == (1_699_999_000.5, 1_699_999_000.5, 3)


def test_what_the_record_lacks_is_a_first_receive_now() -> None:
    read = message(attributes=None, messageAttributes=None)
    assert (read.sent_at, read.first_sent_at, read.receive_count, read.group_id) == (NOW, NOW, 1, None)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2023-11-14T00:00:00.000+00:00", 1_699_920_000),
        ("2023-11-14T01:00:00+01:00", 1_699_920_000),
        ("2023-11-14T00:00:00Z", 1_699_920_000),
        ("2023-11-14T00:00:00", None),
        ("2999-01-01T00:00:00Z", None),
        ("now", None),
    ],
    ids=["as it is written", "another zone", "Z", "no zone", "later than the message", "no time"],
)
def test_a_dead_letters_sent_at_is_when_sqs_first_took_the_event(text: str, first: float | None) -> None:
    read = message(messageAttributes={"sentAt": {"stringValue": text, "dataType": "String"}})
    assert read.first_sent_at == (first or read.sent_at)
    assert read.sent_at == 1_699_999_000.5, "the horizon counts from this message"


@pytest.mark.parametrize(
    "broken", [{"messageId": None}, {"body": 7}, {"receiptHandle": None}, {"attributes": "x"}], ids=str
)
def test_what_is_no_record_of_sqs_raises(broken: dict[str, Any]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        message(**broken)
