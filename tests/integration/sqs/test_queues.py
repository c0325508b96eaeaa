"""The dead-letter queue: what is put there, exactly as it came, and what happens when it cannot be."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.sqs import queues
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import MAX_ENTRIES, DeadLetter, SqsQueues
from kochava_forwarder.sqs.refusal import Refusal
from tests.integration.support import (
    FIFO,
    NOT_JSON,
    Forwarder,
    Json,
    Start,
    body,
    iso,
    names,
    record,
    records,
    within,
)
from tests.integration.support_servers import MAX_BYTES, Aws, closed_port

REFUSALS = "arn:aws:sqs:us-east-1:000000000000:refusals"


def poison(number: int) -> str:
    return f"{NOT_JSON} {number}"


# --- what is put there --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "detail", "fault", "settings"),
    [
        ("invalid", "data.event_name: must not be empty", "ok", {}),
        ("rejected", "HTTP 422, empty body", "422:body=", {}),
        ("expired", "receive 3", "503", {"RETRY_HORIZON_SECONDS": "60"}),
        ("ambiguous", "sent, but connection closed", "cut-headers", {"AMBIGUOUS_DELIVERY": "park"}),
    ],
)
def test_a_dead_letter_says_why_and_whence(  # noqa: PLR0913, PLR0917 - the columns of the table
    start: Start, sandbox: Sandbox, aws: Aws, reason: str, detail: str, fault: str, settings: dict[str, str]
) -> None:
    forwarder = start(**settings)
    sandbox.script(fault)
    text = body(event_name="" if reason == "invalid" else "View")
    assert forwarder.invoke(record(text, "one", receives=3, age=55.0 if reason == "expired" else 0.0)) == set()
    (entry,) = aws.letters
    assert entry["MessageBody"] == text
    assert {name: value["DataType"] for name, value in entry["MessageAttributes"].items()} == {
        "reason": "String",
        "detail": "String",
        "sourceMessageId": "String",
        "receiveCount": "Number",
        "deadLetteredAt": "String",
        "sentAt": "String",
    }
    attributes = aws.letters_by_body()[text]
    assert attributes["reason"] == reason
    assert attributes["detail"].startswith(detail)
    assert (attributes["sourceMessageId"], attributes["receiveCount"]) == ("one", "3")
    assert abs(iso(attributes["deadLetteredAt"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert aws.requests("SendMessageBatch")[0]["QueueUrl"] == f"{aws.url}/000000000000/dead-letters"
    assert forwarder.outcomes == {reason: 1}


def test_an_expired_record_is_not_tried_and_says_its_last_failure(
    start: Start, sandbox: Sandbox, aws: Aws
) -> None:
    forwarder = start(RETRY_HORIZON_SECONDS="60")
    sandbox.always("503")
    assert forwarder.invoke(record(body("old"), "old", age=61.0), record(body("last"), "last", age=58.0)) == set()
    assert [one.device for one in sandbox.received] == ["last"]
    assert {letter["reason"] for letter in aws.letters_by_body().values()} == {"expired"}
    assert "HTTP 503" in aws.letters_by_body()[body("last")]["detail"]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Zo\u00eb \u202e \u6771\u4eac \U0001f600 e\u0301"}',
        "\ufeff{}",
        "\t{\r\n} \n",
        '{"a": "\\ud83d\\ude00 \\u00e9 \\/"}',
        "'; DROP TABLE events; -- ${jndi:ldap://x} %s {0}",
        "x" * MAX_BYTES,
        "x" * (MAX_BYTES - 1),
        "é" * (MAX_BYTES // 2),
        "x" * (MAX_BYTES - 300),
        "x" * (MAX_BYTES - 2000),
    ],
    ids=lambda text: f"{text[:12]!a} {len(text)}",
)
def test_the_body_is_kept_to_the_byte(forwarder: Forwarder, aws: Aws, text: str) -> None:
    assert forwarder.invoke(record(text, "one")) == set()
    (entry,) = aws.letters
    assert entry["MessageBody"].encode() == text.encode()
    if len(text.encode()) < MAX_BYTES - 299:
        assert entry["MessageAttributes"]["reason"]["StringValue"] == "invalid"


def test_the_detail_is_printable_and_at_most_one_kibibyte(forwarder: Forwarder, aws: Aws) -> None:
    data: Json = {f"nested{number} é\n": {} for number in range(500)}
    assert forwarder.invoke(record(body(**data), "one")) == set()
    (attributes,) = aws.letters_by_body().values()
    assert 500 < len(attributes["detail"].encode()) <= 1024
    assert attributes["detail"].isascii()
    assert attributes["detail"].isprintable()
    assert all(len(line) < 64 * 1024 for line in forwarder.printed.splitlines()), "nor does it flood the log"


def test_an_event_id_is_printable_and_at_most_one_kibibyte(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws
) -> None:
    sandbox.script("400")
    text = body(event_id="order\x01\u20ac" + "o" * 2000)
    assert forwarder.invoke(record(text, "one")) == set()
    assert aws.letters_by_body()[text]["eventId"] == "order " + "o" * (1024 - 7), "two became one space"


@pytest.mark.parametrize("queue", ["dead-letters.fifo", "dead-letters"])
def test_a_fifo_queues_group_is_kept(start: Start, aws: Aws, queue: str) -> None:
    forwarder = start(DEAD_LETTER_QUEUE_URL=f"{aws.url}/000000000000/{queue}")
    batch = [record(poison(number), f"m{number}", queue=FIFO, group=f"g{number % 2}") for number in range(4)]
    assert forwarder.invoke(*batch) == set()
    found = {
        entry["MessageBody"]: (entry.get("MessageGroupId"), entry.get("MessageDeduplicationId"))
        for entry in aws.letters
    }
    fifo = queue.endswith(".fifo")
    assert found == {
        poison(number): (f"g{number % 2}", f"m{number}") if fifo else (None, None) for number in range(4)
    }


def test_letters_share_calls_but_no_call_is_too_large(forwarder: Forwarder, aws: Aws) -> None:
    sizes = [600_000, 600_000, 500_000, 10, 10, 1_048_000, 10, 300_000, 300_000, 300_000, 300_000, 10, 10]
    batch = [record(f"{number} ".ljust(size), f"m{number}") for number, size in enumerate(sizes)]
    assert forwarder.invoke(*batch) == set()
    assert {entry["MessageBody"] for entry in aws.letters} == {one["body"] for one in batch}
    assert len(aws.requests("SendMessageBatch")) < len(batch)


@pytest.mark.parametrize(
    ("size", "own"), [(MAX_BYTES // 2 - 10, 0), (10, 600_000)], ids=["ours", "the publisher's"]
)
def test_attributes_count_towards_the_size_of_a_call(forwarder: Forwarder, aws: Aws, size: int, own: int) -> None:
    batch = [record(f"{number} ".ljust(size), f"m{number}") for number in range(2)]
    for one in batch:
        one["messageAttributes"] = {"own": attribute("x" * own)} if own else {}
    assert forwarder.invoke(*batch) == set()
    assert len(aws.letters) == 2


# --- when it cannot be --------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["refused", "forgotten"])
def test_a_letter_that_is_not_confirmed_leaves_its_record_in_the_queue(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, refusal: str
) -> None:
    if refusal == "refused":
        aws.refused[poison(1)] = "InternalError"
    else:
        aws.forgotten.add(poison(1))
    letters = [record(poison(number), f"p{number}") for number in range(3)]
    assert forwarder.invoke(*letters, *records(2)) == {"p1"}
    assert {entry["MessageBody"] for entry in aws.letters} == {poison(0), poison(2)}
    assert len(sandbox.received) == 2
    assert forwarder.outcomes == {"invalid": 2, "delivered": 2, "misconfigured": 1}
    line = forwarder.log_of("p1")
    assert ("InternalError" if refusal == "refused" else "not confirmed") in line["detail"]
    assert "not JSON" in line["detail"], "why it should have gone there is not forgotten"
    assert 900 <= aws.visibility["receipt-p1"] <= 1800


@pytest.mark.parametrize("age", [71.9 * 3600, 73 * 3600, 100 * 3600])
@pytest.mark.parametrize("text", [NOT_JSON, None])
def test_an_old_letter_that_is_not_confirmed_stays_in_the_queue_too(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, age: float, text: str | None
) -> None:
    # Past the horizon a failure has no next try; that the copy failed must not count as such a failure.
    sandbox.always("503")
    old = record(text, "old", age=age, receives=96)
    aws.refused[old["body"]] = "InternalError"
    assert forwarder.invoke(old) == {"old"}
    assert aws.letters == []
    assert 900 <= aws.visibility["receipt-old"] <= 1800


@pytest.mark.parametrize(
    "error", ["AccessDenied", "AWS.SimpleQueueService.NonExistentQueue", "KmsAccessDenied", "InternalFailure"]
)
def test_a_queue_that_refuses_everything_loses_nothing(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, error: str
) -> None:
    aws.failing["SendMessageBatch"] = error
    letters = [record(poison(number), f"p{number}") for number in range(12)]
    with within(10):
        assert forwarder.invoke(*letters, *records(3), seconds=10) == names(letters)
    assert len(sandbox.received) == 3
    assert forwarder.outcomes == {"misconfigured": 12, "delivered": 3}
    assert error in forwarder.log_of("p0")["detail"]
    assert "as the test wants" not in forwarder.printed, "an AWS error's text may quote what was sent"


def test_a_throttled_letter_is_sent_again(forwarder: Forwarder, aws: Aws) -> None:
    aws.throttled["SendMessageBatch"] = 1
    assert forwarder.invoke(record(poison(1), "one")) == set()
    assert [entry["MessageBody"] for entry in aws.letters] == [poison(1)]


@pytest.mark.parametrize("trouble", ["hanging", "unreachable"])
def test_a_queue_that_does_not_answer_costs_neither_time_nor_others(
    start: Start, sandbox: Sandbox, aws: Aws, trouble: str
) -> None:
    forwarder = start(
        AWS_ENDPOINT_URL=aws.url if trouble == "hanging" else f"http://127.0.0.1:{closed_port()}",
        REQUEST_TIMEOUT_SECONDS="0.5",
    )
    aws.hanging.add("SendMessageBatch")
    aws.hanging.add("ChangeMessageVisibilityBatch")
    letters = [record(poison(number), f"p{number}") for number in range(25)]
    with within(3):
        assert forwarder.invoke(*letters, *records(5), seconds=3) == names(letters)
    assert len(sandbox.received) == 5
    assert forwarder.outcomes == {"misconfigured": 25, "delivered": 5}


def test_a_queue_that_hung_is_used_again_when_it_answers(start: Start, aws: Aws) -> None:
    forwarder = start()
    aws.hanging.add("SendMessageBatch")
    one = record(poison(1), "one")
    with within(2):
        assert forwarder.invoke(one, seconds=2) == {"one"}
    aws.hanging.clear()
    assert forwarder.invoke(record(poison(2), "two")) == set()
    assert forwarder.outcomes == {"misconfigured": 1, "invalid": 1}


def test_the_end_of_an_invocation_waits_for_no_more_entries(
    start: Start, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "BATCH_WINDOW_SECONDS", 60.0)
    forwarder = start(REFUSAL_QUEUE_ARN=REFUSALS)
    batch = [record(poison(number), f"p{number}") for number in range(MAX_ENTRIES)]
    aws.refused[poison(0)] = "InternalError"
    with within(10):
        assert forwarder.invoke(*batch) == {"p0"}
    assert len(aws.refusals) == MAX_ENTRIES - 1, "of a call that is not full"
    assert aws.visibility.keys() == {"receipt-p0"}


@pytest.mark.parametrize(("seconds", "confirmed"), [(10, 3), (0, 0)], ids=["time left", "none left"])
def test_a_flush_starts_every_call_and_each_ends_with_its_deadline(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, seconds: float, confirmed: int
) -> None:
    async def use() -> list[str | None]:
        message = Message.from_record(SQSRecord(record(poison(0), "p0")), now=0.0)
        until = asyncio.get_running_loop().time() + seconds
        calls = [
            parts.dead_letter(DeadLetter(message, "invalid", "\x00"), until),
            parts.tell(Refusal(message, "invalid", (), None, None), until),
            parts.postpone(message, 7, until),
        ]
        parts.flush()
        return await asyncio.wait_for(asyncio.gather(*filter(None, calls)), 10)

    monkeypatch.setattr(queues, "BATCH_WINDOW_SECONDS", 60.0)
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    with closing(SqsQueues(f"{aws.url}/000000000000/dead-letters", REFUSALS)) as parts:
        answers = asyncio.run(use())
    assert (len(answers), answers.count(None), len(aws.calls)) == (3, confirmed, confirmed)


def test_ambiguous_is_retried_unless_parking_is_asked_for(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws
) -> None:
    sandbox.script("reset-after-read:counted")
    one = record(body(), "one")
    assert forwarder.invoke(one) == {"one"}
    assert forwarder.invoke(record(body(), "one", receives=2)) == set()
    assert aws.letters == []
    assert sandbox.stats.accepted == 2, "at least once, and honestly so"


# --- what the publisher gave --------------------------------------------------------------------------------


def attribute(text: str, kind: str = "String") -> Json:
    return {"dataType": kind, "stringValue": text, "stringListValues": [], "binaryListValues": []}


def test_the_publishers_attributes_are_kept(forwarder: Forwarder, aws: Aws) -> None:
    message = record(NOT_JSON, "one")
    message["messageAttributes"] = {
        "tenant": attribute("acme"),
        "retries": attribute("3", "Number.int"),
        "blob": {"dataType": "Binary", "binaryValue": "AAEC", "stringListValues": [], "binaryListValues": []},
    }
    assert forwarder.invoke(message) == set()
    (entry,) = aws.letters
    kept = entry["MessageAttributes"]
    assert kept["tenant"] == {"DataType": "String", "StringValue": "acme"}
    assert kept["retries"] == {"DataType": "Number.int", "StringValue": "3"}
    assert kept["blob"] == {"DataType": "Binary", "BinaryValue": "AAEC"}
    assert kept["reason"]["StringValue"] == "invalid"


def test_sqs_takes_ten_attributes_and_ours_come_first(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    sandbox.script("400")
    message = record(body(event_id="order-4711"), "one")
    message["messageAttributes"] = {f"own{number}": attribute("x") for number in range(10)}
    assert forwarder.invoke(message) == set()
    (entry,) = aws.letters
    assert set(entry["MessageAttributes"]) == {
        *("reason", "detail", "sourceMessageId", "receiveCount", "deadLetteredAt", "sentAt", "eventId"),
        *("own0", "own1", "own2"),
    }
    assert entry["MessageAttributes"]["eventId"]["StringValue"] == "order-4711"


def test_a_letter_that_comes_again_says_why_this_time(forwarder: Forwarder, aws: Aws) -> None:
    message = record(NOT_JSON, "two")
    message["messageAttributes"] = {
        "reason": attribute("expired"),
        "sourceMessageId": attribute("one"),
        "sentAt": attribute("2026-01-01T00:00:00.000+00:00"),
        "tenant": attribute("acme"),
    }
    assert forwarder.invoke(message) == set()
    (attributes,) = aws.letters_by_body().values()
    assert (attributes["reason"], attributes["sourceMessageId"]) == ("invalid", "two")
    assert attributes["sentAt"] == "2026-01-01T00:00:00.000+00:00", "when SQS first took it"
    assert attributes["tenant"] == "acme"


def test_a_letter_says_when_sqs_took_the_event(forwarder: Forwarder, aws: Aws) -> None:
    message = record(NOT_JSON, "one", age=3600.0)
    assert forwarder.invoke(message) == set()
    (attributes,) = aws.letters_by_body().values()
    sent = int(message["attributes"]["SentTimestamp"]) / 1000
    assert abs(iso(attributes["sentAt"]).timestamp() - sent) < 0.01
