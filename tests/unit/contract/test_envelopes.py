"""What AWS wraps around a message, and what is no message at all."""

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from tests.unit.strategies import FULL, GONE, INSTALL, MINIMAL, Event, changed, problems, read, sent


def sns(message: object, **changes: Any) -> Event:
    """Write the body that SNS puts on a queue without raw message delivery."""
    text = message if isinstance(message, str) else json.dumps(message)
    notification = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:events",
        "Subject": "an event",
        "Message": text,
        "Timestamp": "2025-10-09T08:53:20.000Z",
        "SignatureVersion": "1",
        "Signature": "fake==",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/fake.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:fake",
        "MessageAttributes": {"kind": {"Type": "String", "Value": "purchase"}},
    } | changes
    return {name: value for name, value in notification.items() if value is not GONE}


def eventbridge(detail: object, **changes: Any) -> Event:
    """Write the body that an EventBridge rule puts on a queue."""
    event = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "Purchase",
        "source": "shop",
        "account": "123456789012",
        "time": "2025-10-09T08:53:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    } | changes
    return {name: value for name, value in event.items() if value is not GONE}


@pytest.mark.parametrize("event", [FULL, MINIMAL, INSTALL])
def test_an_envelope_is_taken_off(event: Event) -> None:
    assert sent(sns(event)) == sent(event)
    assert sent(eventbridge(event)) == sent(event)
    assert sent(sns(eventbridge(event))) == sent(event)
    assert sent("\ufeff" + json.dumps(sns("\ufeff" + json.dumps(event)))) == sent(event)


def test_a_fifo_topic_signs_nothing() -> None:
    event = sns(MINIMAL, SignatureVersion=GONE, Signature=GONE, SigningCertURL=GONE, SequenceNumber="1")
    assert sent(event) == sent(MINIMAL)


def test_the_event_id_is_that_of_the_event() -> None:
    assert read(sns(FULL)).event_id == "order-1"


BROKEN = changed({"data.event_name": GONE, "data.event_data": {"a": [], "b": 1}})


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (sns({}), "Message.kochava_app_id: is missing; "),
        (sns(BROKEN), "Message.data.event_name: is missing; Message.data.event_data.a: must be a string"),
        (eventbridge(BROKEN), "detail.data.event_name: is missing; detail.data.event_data.a: must be a string"),
        (sns(eventbridge(BROKEN)), "Message.detail.data.event_name: is missing; "),
        (sns({"usertime": "x"} | MINIMAL), "Message.usertime: must be seconds since 1970"),
        (sns("hello"), "Message: not JSON: Expecting value at character 0"),
        (sns("[]"), "Message: must be a JSON object"),
        (sns('{"a": 1, "a": 1}'), "Message.a: is given twice; "),
        (sns(r'{"data": {"x": "\ud800"}}'), "Message.kochava_app_id: is missing; "),
        (sns({"Records": []}), "Message.Records: this is a whole Lambda event"),
        (sns(MINIMAL, TopicArn=5), "TopicArn: "),
        (sns(MINIMAL, Message=GONE), "Message: is missing"),
        (sns(MINIMAL, Timestamp=GONE), "Timestamp: is missing"),
        (sns(MINIMAL, UnsubscribeURL=GONE), "UnsubscribeURL: is missing"),
        (sns(MINIMAL, UnsubscribeURL=GONE, SigningCertURL=GONE), "UnsubscribeURL: is missing"),
        (sns(MINIMAL, UnsubscribeURL=5), "UnsubscribeURL: "),
        (sns(MINIMAL, UnsubscribeURL=GONE, UnsubscribeUrl=5), "UnsubscribeUrl: "),  # as it was written
        (sns(MINIMAL, SigningCertURL="x"), "SigningCertURL: "),
        (eventbridge(MINIMAL, **{"replay-name": 5}), "replay-name: "),
        (sns(MINIMAL, Type="SubscriptionConfirmation"), "Type: this is SNS's own message about a subscription"),
        (sns(MINIMAL, Type="UnsubscribeConfirmation"), "Type: this is SNS's own message about a subscription"),
        (eventbridge("text"), "detail"),
        (eventbridge(GONE), "detail: is missing"),
        (sns(sns(sns(sns(MINIMAL)))), "Message.Message.Message.Message: is one envelope too many"),
    ],
)
def test_an_envelope_around_something_invalid_names_the_path_inside_it(body: Event, wrong: str) -> None:
    assert problems(body).startswith(wrong)


def test_keys_given_twice_are_found_in_an_envelope_and_inside_it() -> None:
    printed = json.dumps(eventbridge(MINIMAL))
    inside = printed.replace('"event_name": "View"', '"event_name": "View", "event_name": "View"')
    assert problems(inside) == "detail.data.event_name: is given twice"
    assert problems(printed.replace('"source"', '"detail": {}, "source"')) == "detail: is given twice"


def test_lone_surrogates_are_found_inside_an_envelope() -> None:
    event = changed({"data.x": "PLACE"})
    assert (
        problems(json.dumps(eventbridge(event)).replace("PLACE", r"\ud800"))
        == "detail.data.x: is not valid Unicode"
    )
    message = json.dumps(event).replace("PLACE", r"\ud800")
    assert problems(sns(message)) == "Message.data.x: is not valid Unicode"


@pytest.mark.parametrize(
    "kind", ["software.amazon.payloadoffloading.PayloadS3Pointer", "com.amazon.sqs.javamessaging.MessageS3Pointer"]
)
def test_a_pointer_of_the_extended_client_is_refused_by_its_name(kind: str) -> None:
    pointer = json.dumps([kind, {"s3BucketName": "b", "s3Key": "k"}])
    wrong = "is a pointer to S3 (SQS Extended Client): publish the event itself"
    assert problems(pointer) == f"body: {wrong}"
    assert problems(sns(pointer)) == f"Message: {wrong}"


PRINTED = json.dumps(FULL).encode()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (base64.b64encode(PRINTED).decode(), "base64"),
        (base64.b64encode(PRINTED).decode().rstrip("="), "base64"),
        (base64.encodebytes(PRINTED).decode(), "base64"),
        (base64.urlsafe_b64encode(json.dumps({"??>>": "?>?>?>"}).encode()).decode(), "base64"),
        (base64.b64encode(b"\xef\xbb\xbf" + PRINTED).decode(), "base64"),
        (base64.b64encode(b"\n  " + PRINTED).decode(), "base64"),
        (base64.b64encode(gzip.compress(PRINTED)).decode(), "gzip"),
        (base64.b64encode(zlib.compress(PRINTED)).decode(), "gzip"),
        (gzip.compress(PRINTED).decode("latin-1"), "gzip"),
        (gzip.compress(PRINTED).decode("utf-8", "replace"), "gzip"),
    ],
)
def test_an_encoded_body_is_refused_by_its_encoding(text: str, encoding: str) -> None:
    assert problems(text) == f"body: is {encoding}: publish the JSON text itself"


@pytest.mark.parametrize(
    "text",
    ["hello", "thisisjustonelongwordofletters", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQ=", "=" * 40, "A" * 17, "eyJ="],
)
def test_any_other_text_is_only_not_json(text: str) -> None:
    assert problems(text) == "body: not JSON: Expecting value at character 0"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (
            {"messageId": "m", "receiptHandle": "r", "body": "{}", "attributes": {}, "eventSource": "aws:sqs"},
            "body: is a whole SQS record: publish its body",
        ),
        ({"MessageId": "m", "MD5OfBody": "0", "Body": "{}"}, "body: is a whole SQS message: publish its Body"),
        (
            {"specversion": "1.0", "id": "1", "source": "shop", "type": "purchase", "data": MINIMAL},
            "body: is a CloudEvent: publish its data alone",
        ),
        (
            {"body": "W1td", "content-encoding": "utf-8", "headers": {}, "properties": {}},
            "body: is a message of Celery's: publish the event alone",
        ),
        (
            {"messageId": "m", "messageType": ["urn:message:Purchase"], "message": MINIMAL},
            "body: is a message of MassTransit's: publish the event alone",
        ),
        (
            {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b", "Time": "2025-10-09T08:53:20.000Z"},
            "body: is a test message of S3's, not an event",
        ),
        (
            {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}}}]},
            "Records: this is a notification of S3's, not an event",
        ),
        ({"Records": [{"messageId": "m"}]}, "Records: this is a whole Lambda event: publish a record's body"),
        ({"Records": 1}, "Records: this is a whole Lambda event: publish a record's body"),
        (sns({"specversion": "1.0", "source": "shop"}), "Message: is a CloudEvent: publish its data alone"),
        (eventbridge("a text"), "detail: must be an object"),
        (eventbridge([MINIMAL]), "detail: must be an object"),
        (
            json.dumps(json.dumps(MINIMAL)),
            "body: must be a JSON object (this is one inside a JSON string: encode it once)",
        ),
        ('"a text"', "body: must be a JSON object"),
    ],
)
def test_what_is_no_event_is_named(body: str | Event, wrong: str) -> None:
    assert problems(body) == wrong
