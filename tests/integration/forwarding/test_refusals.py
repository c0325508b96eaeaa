"""What publishers are told of dead-lettered events: after the copy, never instead of it, and no value."""

import json

import pytest

from forwarder_tools.sandbox import Sandbox
from tests.integration.support import NOT_JSON, Forwarder, Start, body, iso, record, within
from tests.integration.support_servers import Aws

DAY = 86_400
REFUSALS = "arn:aws:sqs:us-east-1:000000000000:refusals"


@pytest.fixture
def forwarder(start: Start) -> Forwarder:
    return start(REFUSAL_QUEUE_ARN=REFUSALS)


def test_a_refusal_says_which_event_and_all_its_problems(forwarder: Forwarder, aws: Aws) -> None:
    invalid = json.loads(body(event_id="order-1", origination_ip="secret-address", currency=7))
    assert forwarder.invoke(record(json.dumps(invalid), "one", age=60)) == set()
    (refusal,) = aws.refusals
    moments = iso(refusal.pop("sentAt")), iso(refusal.pop("deadLetteredAt"))
    assert 60 <= (moments[1] - moments[0]).total_seconds() < 120
    assert refusal == {
        "eventId": "order-1",
        "appId": "kotest-app-1",
        "reason": "invalid",
        "problems": [
            "data.currency: must be a three-letter ISO 4217 code",
            'data.origination_ip: must be an IPv4 or IPv6 address, or "" when unknown',
        ],
        "sourceMessageId": "one",
    }
    (letter,) = aws.letters_by_body().values()
    assert (letter["eventId"], letter["reason"]) == ("order-1", "invalid")
    assert forwarder.log_of("one")["event_id"] == "order-1"


def test_every_dead_letter_is_told_and_nothing_else(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    sandbox.always("400", device="rejected")
    sandbox.always("503", device="unavailable")
    batch = [
        record(NOT_JSON, "invalid"),
        record(body("rejected", event_id="order-2"), "rejected"),
        record(body("old", event_id="order-3"), "expired", age=4 * DAY),
        record(body("unavailable", event_id="order-4"), "unavailable"),
        record(body("good", event_id="order-5"), "good"),
    ]
    assert forwarder.invoke(*batch) == {"unavailable"}
    told = {one["reason"]: (one["sourceMessageId"], one["eventId"], one["appId"]) for one in aws.refusals}
    assert told == {
        "invalid": ("invalid", None, None),
        "rejected": ("rejected", "order-2", "kotest-app-1"),
        "expired": ("expired", "order-3", "kotest-app-1"),
    }
    assert len(aws.refusals) == 3


def test_an_event_that_expires_after_its_last_try_is_told_with_that_failure(
    start: Start, sandbox: Sandbox, aws: Aws
) -> None:
    forwarder = start(REFUSAL_QUEUE_ARN=REFUSALS, RETRY_HORIZON_SECONDS="60")
    sandbox.script("503")
    assert forwarder.invoke(record(body(), "last", receives=3, age=55)) == set()
    (refusal,) = aws.refusals
    assert refusal["reason"] == "expired"
    assert refusal["problems"][0].startswith("receive 3, unavailable: HTTP 503")


def test_a_refusal_of_a_redriven_event_says_when_sqs_first_took_it(forwarder: Forwarder, aws: Aws) -> None:
    redriven = record(NOT_JSON)
    first = "2026-01-01T00:00:00.000+00:00"
    redriven["messageAttributes"] = {"sentAt": {"dataType": "String", "stringValue": first}}
    assert forwarder.invoke(redriven) == set()
    assert [one["sentAt"] for one in aws.refusals] == [first]


def test_an_event_that_names_no_app_is_told_with_the_default_one(start: Start, aws: Aws) -> None:
    forwarder = start(REFUSAL_QUEUE_ARN=REFUSALS, KOCHAVA_APP_ID="kodefault-app-1")
    forwarder.invoke(record("{}"))
    assert [one["appId"] for one in aws.refusals] == ["kodefault-app-1"]


def test_without_a_dead_letter_nobody_is_told(forwarder: Forwarder, aws: Aws) -> None:
    aws.refused["dead-letters"] = "InternalError"
    assert forwarder.invoke(record(NOT_JSON, "one")) == {"one"}
    assert aws.refusals == []


def test_a_refusal_that_is_not_taken_changes_nothing_for_the_event(forwarder: Forwarder, aws: Aws) -> None:
    aws.refused["refusals"] = "AWS.SimpleQueueService.NonExistentQueue"
    assert forwarder.invoke(record(NOT_JSON, "one"), record(NOT_JSON + "!", "two")) == set()
    assert len(aws.letters) == 2
    assert sum(line["RefusalNotSent"][0] for line in forwarder.metric("RefusalNotSent")) == 2
    (line,) = (line for line in forwarder.logs if "refusals not sent" in line["message"])
    assert (line["records"], line["errors"]) == (2, {"AWS.SimpleQueueService.NonExistentQueue": 2})


def test_refusals_share_calls(forwarder: Forwarder, aws: Aws) -> None:
    assert forwarder.invoke(*(record(f"{NOT_JSON} {number}") for number in range(10))) == set()
    assert len(aws.refusals) == 10
    calls = [call for call in aws.requests("SendMessageBatch") if call["QueueUrl"].endswith("refusals")]
    assert len(calls) < 5


def test_without_the_setting_nothing_is_told(start: Start, aws: Aws) -> None:
    assert start().invoke(record(NOT_JSON)) == set()
    assert len(aws.requests("SendMessageBatch")) == 1


def test_a_hanging_refusal_queue_holds_no_invocation(forwarder: Forwarder, aws: Aws) -> None:
    aws.hanging.add("refusals")
    with within(5):
        assert forwarder.invoke(record(NOT_JSON), seconds=3) == set()
    assert len(forwarder.metric("RefusalNotSent")) == 1
