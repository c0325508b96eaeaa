"""The handler, from an SQS event to its answer: what is acknowledged, what returns and when, and what is told."""

import ssl
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any, Never

import pytest

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.forwarding import delivery
from kochava_forwarder.sqs import queues
from tests.integration.support import (
    FIFO,
    NOT_JSON,
    STANDARD,
    Forwarder,
    Json,
    Start,
    body,
    names,
    record,
    records,
    within,
)
from tests.integration.support_servers import Aws

DAY = 86400


def test_a_batch_with_every_outcome_returns_exactly_what_must_be_tried_again(
    start: Start, sandbox: Sandbox, aws: Aws
) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen")
    once = body("duplicate", event_id="order-1")
    assert forwarder.invoke(record(once, "first")) == set()
    for device, fault in {
        "rejected": "400",
        "ambiguous": "reset-after-read",
        "throttled": "429:retry-after=77",
        "unavailable": "503",
        "unconfirmed": "success-false",
        "misconfigured": "401",
    }.items():
        sandbox.script(fault, device=device)
    batch = [
        record(text or body(name), name, queue=FIFO, group=group, age=age)
        for name, text, group, age in [
            ("delivered", None, "a", 0.0),
            ("duplicate", once, "b", 0.0),
            ("invalid", NOT_JSON, "c", 0.0),
            ("rejected", None, "d", 0.0),
            ("expired", None, "e", 4.0 * DAY),
            ("ambiguous", None, "f", 0.0),
            ("throttled", None, "g", 0.0),
            ("unavailable", None, "h", 0.0),
            ("unconfirmed", None, "i", 0.0),
            ("misconfigured", None, "j", 0.0),
            ("deferred", None, "h", 0.0),  # behind the unavailable one
        ]
    ]
    returned = {"ambiguous", "throttled", "unavailable", "unconfirmed", "misconfigured", "deferred"}

    assert forwarder.invoke(*batch) == returned
    assert forwarder.outcomes == Counter(names(batch)) + Counter(["delivered"]), "each is counted, and once"
    assert sorted(letter["reason"] for letter in aws.letters_by_body().values()) == [
        "expired",
        "invalid",
        "rejected",
    ]
    assert aws.visibility.keys() == {f"receipt-{name}" for name in returned}
    assert aws.visibility["receipt-throttled"] == 77
    assert Counter(one.device for one in sandbox.received) == Counter(
        [
            "duplicate",
            "delivered",
            "rejected",
            "ambiguous",
            "throttled",
            "unavailable",
            "unconfirmed",
            "misconfigured",
        ]
    )


def test_the_answer_is_lambdas_partial_batch_response(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.always("503", device="bad")
    good, bad = record(body("good"), "good"), record(body("bad"), "bad")
    assert forwarder.answer(good) == {"batchItemFailures": []}
    assert forwarder.answer(good, bad) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert forwarder.answer(bad) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}, (
        "whole batches do not raise"
    )


def test_four_thousand_records_in_one_event(start: Start, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "BATCH_WINDOW_SECONDS", 0.1)  # on a busy machine the dead letters come slowly
    good = records(3900)
    poison = [record(f"{NOT_JSON} {number}", f"p{number}") for number in range(100)]
    batch = [one for index in range(100) for one in (*good[39 * index : 39 * index + 39], poison[index])]
    with Sandbox(fast=True) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, MAX_WORKERS="32")
        with within(30):
            assert forwarder.invoke(*batch, seconds=60) == set()
        assert sandbox.stats.accepted == 3900
        assert sandbox.stats.peak_in_flight <= 32
        assert sandbox.connections <= 32
    assert set(aws.letters_by_body()) == {one["body"] for one in poison}
    assert len(aws.requests("SendMessageBatch")) < 100 / 2
    assert forwarder.outcomes == {"delivered": 3900, "invalid": 100}
    assert len(forwarder.metric("DeliveryLatency")) == 1, "latencies are told per batch"


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_next_invocation_opens_no_connection(
    start: Start, tls: ssl.SSLContext, trusted: None, *, secure: bool, workers: int
) -> None:
    del trusted
    with Sandbox(ssl_context=tls if secure else None) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, MAX_WORKERS=str(workers))
        for turn in "abc":
            assert forwarder.invoke(*records(20, turn)) == set()
        assert 1 <= sandbox.connections <= workers
        assert len(sandbox.received) == 60


def test_connections_that_ended_between_invocations_cost_nothing(start: Start, no_thread_left: None) -> None:
    del no_thread_left
    with Sandbox() as before:
        forwarder = start(KOCHAVA_ENDPOINT=before.url)
        assert forwarder.invoke(*records(6)) == set()
    with Sandbox(port=before.port) as after:
        assert forwarder.invoke(*records(6, "again")) == set()
        assert len(after.received) == 6
    assert forwarder.outcomes == {"delivered": 12}


# --- our own bugs -------------------------------------------------------------------------------------------

SECRET = "a-value-of-the-payload"


@pytest.mark.parametrize("function", ["parse_event", "encode_payload", "warnings_for", "expired_before_try"])
def test_a_bug_fails_its_own_record_alone(
    monkeypatch: pytest.MonkeyPatch,
    forwarder: Forwarder,
    sandbox: Sandbox,
    aws: Aws,
    function: str,
) -> None:
    real = getattr(delivery, function)
    calls: list[Any] = []

    def fail_the_second(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise LookupError(f"cannot handle {SECRET} {arguments}")
        return real(*arguments, **options)

    monkeypatch.setattr(delivery, function, fail_the_second)
    batch = [record(body(f"d{number}", event_name=SECRET), f"m{number}") for number in range(5)]
    (failed,) = forwarder.invoke(*batch)
    assert len(sandbox.received) == 4
    assert forwarder.outcomes == {"delivered": 4, "misconfigured": 1}
    assert 900 <= aws.visibility[f"receipt-{failed}"] <= 1800, "the longest step"
    (trace,) = (line for line in forwarder.logs if "stack_trace" in line)
    assert trace["message_id"] == failed
    assert trace["level"] == "ERROR"
    assert "fail_the_second" in {frame["function"] for frame in trace["stack_trace"]["frames"]}
    assert "LookupError" in forwarder.log_of(failed)["detail"]
    assert SECRET not in forwarder.printed


@pytest.mark.timeout(4)
@pytest.mark.parametrize("function", ["encode_payload", "parse_event", "warnings_for"])
def test_a_bug_that_strikes_every_record_ends_the_invocation_all_the_same(
    monkeypatch: pytest.MonkeyPatch, start: Start, sandbox: Sandbox, function: str
) -> None:
    def fail(*_: object, **__: object) -> Never:
        raise LookupError(SECRET)

    forwarder = start(MAX_WORKERS="2")
    batch = records(9)
    with monkeypatch.context() as patch:
        patch.setattr(delivery, function, fail)
        assert forwarder.invoke(*batch) == names(batch)
    assert forwarder.outcomes == {"misconfigured": 9}
    assert forwarder.invoke(*batch) == set(), "and the next one is well"
    assert len(sandbox.received) == 9


@pytest.mark.parametrize(
    ("broken", "readable"),
    [
        ({"attributes": {"ApproximateReceiveCount": "many", "SentTimestamp": "never"}}, False),
        ({"attributes": None}, True),
        ({"messageAttributes": None}, True),
        ({"messageAttributes": {"sentAt": None, "a": {"stringValue": 7}}}, True),
        ({"receiptHandle": None}, False),
        ({"body": None}, False),
        ({"eventSourceARN": "no ARN"}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("age", [0.0, 4.0 * DAY], ids=["young", "old"])
@pytest.mark.parametrize("text", [body("odd"), NOT_JSON], ids=["good", "poison"])
def test_an_odd_record_never_fails_its_batch(  # noqa: PLR0913, PLR0917 - the columns of the table
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, broken: Json, text: str, age: float, *, readable: bool
) -> None:
    sandbox.script("503", device="late")
    odd = record(text, "odd", age=age) | broken
    failed = forwarder.invoke(record(body("a"), "a"), odd, record(body("late"), "late"), record(body("b"), "b"))
    assert failed == ({"late"} if readable else {"late", "odd"}), "what cannot be read is kept"
    assert {"a", "b"} <= {one.device for one in sandbox.received}
    assert "receipt-late" in aws.visibility


def test_an_odd_record_behind_a_waiting_one_never_fails_its_batch(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("503", device="first")
    odd = record(body("odd"), "odd", queue=FIFO, group="g")
    odd["attributes"] |= {"SentTimestamp": "never"}
    batch = [
        record(body("first"), "first", queue=FIFO, group="g"),
        odd,
        record(body("other"), "other", queue=FIFO, group="h"),
    ]
    assert forwarder.invoke(*batch) == {"first", "odd"}


# --- waiting happens in the queue ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "receives", "low", "high"),
    [
        ("503", 1, 4, 7),
        ("503", 2, 15, 30),
        ("503", 3, 150, 300),
        ("503", 4, 900, 1800),
        ("503", 500, 900, 1800),
        ("success-false", 1, 4, 7),
        ("reset-after-read", 2, 15, 30),
        ("401", 1, 900, 1800),
        ("redirect", 1, 900, 1800),
        ("429:retry-after=400", 3, 400, 400),
        ("503:retry-after=0", 3, 150, 300),
        ("503:retry-after=1", 4, 900, 1800),
        ("429:retry-after=99999999", 1, 36000, 43200),
        ("429:retry-date=600", 1, 595, 600),
        ("503:retry-after=later", 2, 15, 30),
    ],
)
def test_a_record_waits_in_the_queue(  # noqa: PLR0913, PLR0917 - the columns of the table
    start: Start, sandbox: Sandbox, aws: Aws, fault: str, receives: int, low: int, high: int
) -> None:
    forwarder = start(RETRY_HORIZON_SECONDS=str(3 * DAY))
    sandbox.script(fault)
    with within(3):
        assert forwarder.invoke(record(body(), "one", receives=receives)) == {"one"}
    assert low <= aws.visibility["receipt-one"] <= high


def test_waits_are_set_ten_at_a_time(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    sandbox.always("success-false")
    batch = records(35)
    assert forwarder.invoke(*batch) == names(batch)
    calls = aws.requests("ChangeMessageVisibilityBatch")
    assert {call["QueueUrl"] for call in calls} == {f"{aws.url}/000000000000/events"}
    assert aws.visibility.keys() == {one["receiptHandle"] for one in batch}
    assert len(calls) < 35 / 2, "gathered, not one by one"
    assert len(set(aws.visibility.values())) > 1, "jittered"


@pytest.mark.parametrize(
    ("trouble", "number"),
    [("refused", 1), ("denied", 3), ("hanging", 3)],
)
def test_waits_that_cannot_be_set_are_told_and_change_nothing(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, trouble: str, number: int
) -> None:
    sandbox.always("503")
    action = "ChangeMessageVisibilityBatch"
    if trouble == "refused":
        aws.refused["receipt-r1"] = "ReceiptHandleIsInvalid"
    elif trouble == "denied":
        aws.failing[action] = "AccessDenied"
    else:
        aws.hanging.add(action)
    with within(1.5):
        assert forwarder.invoke(*records(3), seconds=1.5) == {"r0", "r1", "r2"}
    assert forwarder.outcomes == {"unavailable": 3}
    (metric,) = forwarder.metric("NotPostponed")
    assert metric["NotPostponed"] == [number]
    (line,) = (line for line in forwarder.logs if "errors" in line)
    assert sum(line["errors"].values()) == number


# --- telemetry ----------------------------------------------------------------------------------------------


def test_what_is_told_of_a_batch(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    sandbox.script("503", device="late")
    sandbox.script("400", device="bad")
    batch = [
        *records(3),
        record(NOT_JSON, "poison", receives=2),
        record(body("late"), "late", receives=3, age=60.0),
        record(body("bad"), "bad"),
        record(body("typo", event_name="purchase"), "typo"),
    ]
    forwarder.invoke(*batch)

    assert forwarder.outcomes == {"delivered": 4, "invalid": 1, "unavailable": 1, "rejected": 1}
    told = {
        line["message_id"]: (line["outcome"], line["attempt"]) for line in forwarder.logs if "message_id" in line
    }
    assert told == {"poison": ("invalid", 2), "late": ("unavailable", 3), "bad": ("rejected", 1)}
    assert all({"level", "message", "service", "timestamp"} <= line.keys() for line in forwarder.logs)
    assert forwarder.log_of("late")["retry_in_seconds"] == aws.visibility["receipt-late"]
    (warning,) = forwarder.metric("Warning")
    assert (warning["warning"], warning["Warning"]) == ("event_name_near_standard", [1.0])
    (spread,) = forwarder.metric("DeliveryLatency")
    assert len(spread["DeliveryLatency"]) == 6, "one for each request"
    assert all(0 < latency < 5000 for latency in spread["DeliveryLatency"])
    assert 59_000 < max(spread["QueueAge"]) < 70_000


def test_metrics_are_in_the_embedded_format(forwarder: Forwarder) -> None:
    forwarder.invoke(*records(2))
    now = time.time() * 1000
    for line in forwarder.metric("Outcome") + forwarder.metric("DeliveryLatency"):
        (declared,) = line["_aws"]["CloudWatchMetrics"]
        assert declared["Namespace"] == "KochavaForwarder"
        assert abs(line["_aws"]["Timestamp"] - now) < 60_000
        for metric in declared["Metrics"]:
            assert metric["Unit"] in {"Count", "Milliseconds"}
            assert all(isinstance(value, float | int) for value in line[metric["Name"]])
        for dimensions in declared["Dimensions"]:
            assert all(isinstance(line[name], str) for name in dimensions)


# --- what the world hands over ------------------------------------------------------------------------------


def test_eventbridge_pipes_hands_over_a_bare_list(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("503", device="bad")
    batch = [record(body("good"), "good"), record(body("bad"), "bad")]
    assert forwarder.answer_to(batch) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}


@pytest.mark.parametrize("event", [{}, {"Records": []}, [], {"detail": {}}], ids=str)
def test_what_is_no_batch_is_never_taken_for_a_success(forwarder: Forwarder, event: Any) -> None:
    with pytest.raises(Exception, match="Unexpected batch event type"):
        forwarder.answer_to(event)


@pytest.mark.parametrize(
    ("text", "fault", "outcomes", "returned", "requests", "letters"),
    [
        (body("one"), "ok", {"delivered": 1, "duplicate": 1}, set(), 1, 0),
        (body("one"), "503", {"unavailable": 1, "deferred": 1}, {"one"}, 1, 0),
        (NOT_JSON, "ok", {"invalid": 1, "duplicate": 1}, set(), 0, 1),
    ],
    ids=["delivered", "late", "poison"],
)
@pytest.mark.parametrize("queue", [FIFO, STANDARD])
def test_the_same_message_twice_in_a_batch_is_sent_once(  # noqa: PLR0913, PLR0917 - the columns of the table
    forwarder: Forwarder,
    sandbox: Sandbox,
    aws: Aws,
    text: str,
    fault: str,
    outcomes: dict[str, int],
    returned: set[str],
    requests: int,
    letters: int,
    queue: str,
) -> None:
    sandbox.script(fault)
    twice = [record(text, "one", queue=queue, group="g"), record(text, "one", queue=queue, group="g")]
    twice[1]["receiptHandle"] = "receipt-again"
    failures = forwarder.answer_to({"Records": twice})["batchItemFailures"]
    assert {failure["itemIdentifier"] for failure in failures} == returned
    assert forwarder.outcomes == outcomes
    assert (len(sandbox.received), len(aws.letters)) == (requests, letters)


@pytest.mark.parametrize("broken", ["stdout", "logger"])
def test_telemetry_that_fails_changes_no_result(
    forwarder: Forwarder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def gone(*_: object, **__: object) -> Never:
        raise BrokenPipeError

    sandbox.script("503", device="r1")
    assert forwarder.invoke(*records(1, "warm")) == set()
    with monkeypatch.context() as patch:
        if broken == "stdout":
            patch.setattr("builtins.print", gone)
        else:
            patch.setattr("aws_lambda_powertools.Logger.warning", gone)
        assert forwarder.invoke(*records(5), record(NOT_JSON, "poison")) == {"r1"}
    assert "telemetry failed: BrokenPipeError" in forwarder.errors
    assert len({one.device for one in sandbox.received}) == 6


def test_latencies_and_ages_are_in_milliseconds(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.always("latency=100ms")
    forwarder.invoke(record(body(), "one", age=5.0))
    (line,) = forwarder.metric("DeliveryLatency")
    assert 100 <= line["DeliveryLatency"][0] < 5000
    assert 5000 <= line["QueueAge"][0] < 10_000
    assert line["QueueAge"][0] + 100 <= line["AgeAtDelivery"][0] < 15_000


def test_no_event_is_younger_than_nothing_by_a_clock_that_is_behind(forwarder: Forwarder) -> None:
    forwarder.invoke(record(body(), "one", age=-5.0))
    (line,) = forwarder.metric("QueueAge")
    assert line["QueueAge"] == [0.0]


def test_only_what_is_delivered_has_an_age_at_delivery(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("503", device="late")
    forwarder.invoke(record(body("late"), "late", age=60.0), record(body("good"), "good", age=5.0))
    (line,) = forwarder.metric("AgeAtDelivery")
    (age,) = line["AgeAtDelivery"]
    assert 5000 <= age < 15_000


def test_a_redrive_makes_no_event_younger(forwarder: Forwarder) -> None:
    redriven = record(body(), "one", age=5.0)
    hour_ago = datetime.fromtimestamp(time.time() - 3600, UTC).isoformat()
    redriven["messageAttributes"] = {"sentAt": {"stringValue": hour_ago, "dataType": "String"}}
    forwarder.invoke(redriven)
    (line,) = forwarder.metric("AgeAtDelivery")
    assert line["AgeAtDelivery"][0] >= 3_600_000
    assert 5000 <= line["QueueAge"][0] < 60_000, "how long it has been in this queue"


def test_an_internal_error_is_counted_for_an_alarm(forwarder: Forwarder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Never:
        raise LookupError

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "parse_event", fail)
        forwarder.invoke(*records(2), record(body(), "third", receives=4))
    assert forwarder.log_of("third")["attempt"] == 4
    assert sum(line["InternalError"][0] for line in forwarder.metric("InternalError")) == 3


def test_an_undelivered_events_line_has_its_event_id(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("400")
    forwarder.invoke(record(body(event_id="order-4711"), "one"))
    assert forwarder.log_of("one")["event_id"] == "order-4711"


def test_waits_that_no_time_is_left_for_are_not_set_by_the_next_invocation(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws
) -> None:
    sandbox.always("503")
    assert forwarder.invoke(record(body("a"), "a"), seconds=0.0) == {"a"}
    sandbox.clear()
    aws.visibility.clear()
    aws.calls.clear()
    assert forwarder.invoke(record(body("b"), "b")) == set()
    assert aws.requests("ChangeMessageVisibilityBatch") == [], "its receipts are others"
