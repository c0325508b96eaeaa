"""What the parts are given: each setting, and each fact about a message, reaches the one that needs it."""

import json
import time
from collections.abc import Callable
from typing import Any, Literal

import pytest

from forwarder_tools.sandbox import Credentials, Sandbox
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.sqs.queues import SqsQueues
from tests.integration.support import Start, body, names, record, records, within
from tests.integration.support_servers import Aws

KEY = {"api_key": "test-api-key", "app_secret": "test-app-secret"}
WRONG_KEY = {"api_key": "test-api-key", "app_secret": "test-other-secret"}
SECRET = "production/kochava"


def without(text: str, *fields: str) -> str:
    """Return a message body without some top-level or inner fields."""
    event = json.loads(text)
    for field in fields:
        event.pop(field, None)
        event["data"].pop(field, None)
    return json.dumps(event)


# --- settings -----------------------------------------------------------------------------------------------


def test_the_default_app_id_reaches_kochava(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(KOCHAVA_APP_ID="kodefault-app-1")
    assert forwarder.invoke(record(without(body(), "kochava_app_id")), record(body("own"))) == set()
    assert {(one.event or {})["kochava_app_id"] for one in sandbox.received} == {"kodefault-app-1", "kotest-app-1"}


@pytest.mark.parametrize(
    ("encoding", "sent"), [("percent", "Mozilla%2F5.0%20%28Fake%29"), ("raw", "Mozilla/5.0 (Fake)")]
)
def test_the_user_agents_encoding_reaches_kochava(
    start: Start, encoding: Literal["percent", "raw"], sent: str
) -> None:
    with Sandbox(user_agent=encoding) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, DEVICE_UA_ENCODING=encoding)
        assert forwarder.invoke(record(body())) == set()
        assert [one.data["device_ua"] for one in sandbox.received] == [sent]


def test_a_publishers_own_name_reaches_kochava_as_kochavas(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(EVENT_NAMES="order_done=Purchase,purchase=View")
    batch = [record(body(name, event_name=name)) for name in ("order_done", "purchase", "custom")]
    assert forwarder.invoke(*batch) == set()
    assert sorted(one.data["event_name"] for one in sandbox.received) == ["Purchase", "View", "custom"]
    assert forwarder.metric("Warning") == [], "the name that is sent is the one that is looked at"


def test_what_is_private_does_not_reach_kochava(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(
        ORIGINATION_IP_PRECISION="network", ADVERTISING_IDS="consented", DROPPED_PARAMETERS="user_name,order_id"
    )
    private: dict[str, Any] = {
        "device_ids": {"idfa": "07F5A855-1375-4E51-9F15-0EFD4E5C84F4", "custom": "fake-0001"},
        "app_tracking_transparency": {"att": False},
        "event_data": {"user_name": "fake", "price": 9.99, "order_id": "4711"},
    }
    assert forwarder.invoke(record(body(**private))) == set()
    (received,) = sandbox.received
    assert received.data["origination_ip"] == "203.0.113.0"
    assert received.data["device_ids"] == {"custom": "fake-0001"}
    assert received.data["event_data"] == {"price": 9.99}


ADVERTISING = "07F5A855-1375-4E51-9F15-0EFD4E5C84F4"
# Events of a user who did not agree, with an advertising id in each place that has room for one.
EVERYWHERE = (
    json.loads(
        body(
            ADVERTISING,
            device_ids={"idfa": ADVERTISING, "custom": "fake-0001", "udid": ADVERTISING},
            app_tracking_transparency={"att": False},
            idfa=ADVERTISING,
            gaid=ADVERTISING,
            event_data={"advertising_id": ADVERTISING, "price": 9.99},
        )
    ),
    {
        "action": "install",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": ADVERTISING.lower(),
        "data": {
            "device_ids": {"gps_adid": ADVERTISING, "custom": "fake-0001"},
            "device_ua": "",
            "origination_ip": "203.0.113.7",
            "device_limit_tracking": True,
            "conversion_data": {"network": {"gaid": ADVERTISING}},
            "install_referrer": {"touches": [{"aaid": ADVERTISING}]},
        },
    },
    {
        "action": "identityLink",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": "KD0001",
        "data": {
            "identity_link": {"app_userid": "u-1", "idfa": ADVERTISING},
            "gdpr_privacy_consent": {"gdpr_applies": 1, "ad_user_data": 0, "ad_personalization": 0},
        },
    },
)


def test_no_byte_of_an_advertising_id_is_sent_without_consent(start: Start, sandbox: Sandbox) -> None:
    batch = [record(json.dumps(event)) for event in EVERYWHERE]
    assert start(ADVERTISING_IDS="consented").invoke(*batch) == set()
    assert [one.accepted for one in sandbox.received] == [True] * len(EVERYWHERE)
    assert [one.body for one in sandbox.received if ADVERTISING.lower().encode() in one.body.lower()] == []


def test_all_of_them_are_sent_unless_the_setting_says_so(start: Start, sandbox: Sandbox) -> None:
    assert start().invoke(*[record(json.dumps(event)) for event in EVERYWHERE]) == set()
    counts = sorted(one.body.lower().count(ADVERTISING.lower().encode()) for one in sandbox.received)
    assert counts == sorted(json.dumps(event).lower().count(ADVERTISING.lower()) for event in EVERYWHERE)


def test_warnings_are_about_what_was_published_not_about_what_is_left_of_it(start: Start) -> None:
    forwarder = start(DROPPED_PARAMETERS="quantity")
    text = body(event_name="Purchase", event_data={"quantity": "many"})
    assert forwarder.invoke(record(text)) == set()
    assert [line["warning"] for line in forwarder.metric("Warning")] == ["parameter_type"]


def test_an_event_that_may_not_name_its_device_is_dead_lettered(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    text = body("", device_ids={"rida": "fake-rida"}, device_limit_tracking=True)
    assert start(ADVERTISING_IDS="consented").invoke(record(text)) == set()
    assert sandbox.received == []
    assert "advertising ids only" in (aws.letters_by_body()[text]["detail"] or "")


def test_a_request_times_out_as_the_setting_says(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(REQUEST_TIMEOUT_SECONDS="0.3")
    sandbox.always("hang")
    with within(5):
        assert forwarder.invoke(record(body(), "one"), seconds=30) == {"one"}
    assert forwarder.outcomes == {"ambiguous": 1}


def test_the_retry_horizon_is_the_settings(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(RETRY_HORIZON_SECONDS="100")
    assert forwarder.invoke(record(body("old"), "old", age=101), record(body("young"), "young", age=90)) == set()
    assert [one.device for one in sandbox.received] == ["young"]
    assert len(aws.letters) == 1


def test_the_window_reaches_the_table(start: Start, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen", DEDUPLICATION_WINDOW_SECONDS="9999")
    message = record(body(), "one")
    assert forwarder.invoke(message) == set()
    (item,) = aws.table.values()
    sent_at = int(message["attributes"]["SentTimestamp"]) / 1000
    assert item["status"] == {"S": "COMPLETED"}
    assert 9990 < int(item["expiration"]["N"]) - sent_at < 10060
    assert all(
        '"events-seen"' in one["Statement"]
        for call in aws.requests("BatchExecuteStatement")
        for one in call["Statements"]
    )


def test_requests_are_signed_with_the_secret(start: Start, aws: Aws) -> None:
    aws.secrets[SECRET] = KEY
    with Sandbox(credentials=Credentials(**KEY)) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, KOCHAVA_SECRET_ID=SECRET)
        assert forwarder.invoke(*records(20)) == set()
        assert len(aws.requests("GetSecretValue")) == 1, "one read however many wait for it"
        assert all(one.accepted for one in sandbox.received)


def test_an_invocations_time_is_divided_by_its_settings_and_records(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def split(**given: Any) -> Deadline:
        divided.append(given)
        return real(**given)

    forwarder, divided, real = start(REQUEST_TIMEOUT_SECONDS="7"), list[dict[str, Any]](), Deadline.split
    monkeypatch.setattr(Deadline, "split", split)
    began = time.monotonic()  # the event loop's clock
    assert forwarder.invoke(*records(3), seconds=20) == set()
    (given,) = divided
    assert began <= given.pop("now") <= time.monotonic()
    assert 19 < given.pop("remaining") <= 20
    assert given == {"request_timeout": 7.0, "records": 3}


def test_the_client_is_told_the_end_of_an_invocation(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    async def end_invocation(_: KochavaClient, until: float) -> None:
        ends.append(until)

    forwarder, ends = start(), list[float]()
    monkeypatch.setattr(KochavaClient, "end_invocation", end_invocation)
    began = time.monotonic()  # the event loop's clock
    assert forwarder.invoke(record(), seconds=30) == set()
    (end,) = ends
    assert began + 29.4 < end < time.monotonic() + 29.6, "half a second before Lambda's"


def test_sqs_is_given_the_invocations_time(
    start: Start, sandbox: Sandbox, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            deadlines.append(given[-1])
            return real(*given)

        return call

    forwarder = start(REFUSAL_QUEUE_ARN="arn:aws:sqs:us-east-1:000000000000:refusals")
    deadlines: list[float] = []
    for name in ("dead_letter", "tell", "postpone"):
        monkeypatch.setattr(SqsQueues, name, kept(getattr(SqsQueues, name)))
    sandbox.script("503")
    began = time.monotonic()  # the event loop's clock
    assert forwarder.invoke(record(body(), "late"), record("{}", "invalid"), seconds=30) == {"late"}
    assert (len(deadlines), len(aws.refusals)) == (3, 1)
    assert set(deadlines) == {min(deadlines)}
    assert began + 29.4 < min(deadlines) < time.monotonic() + 29.6, "half a second before Lambda's"


# --- the secret ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["401", "403"])
def test_after_a_refusal_the_secret_is_read_again(start: Start, sandbox: Sandbox, aws: Aws, status: str) -> None:
    aws.secrets[SECRET] = KEY
    forwarder = start(KOCHAVA_SECRET_ID=SECRET)
    sandbox.script(status)
    assert forwarder.invoke(record(body("a"), "a")) == {"a"}, "the same key again is not sent again"
    assert len(sandbox.received) == 1
    assert len(aws.requests("GetSecretValue")) == 2


def test_a_refused_request_is_sent_again_with_the_new_key(start: Start, aws: Aws) -> None:
    aws.secrets[SECRET] = KEY
    new = {"api_key": "test-new-key", "app_secret": "test-new-secret"}
    with Sandbox(credentials=Credentials(**KEY)) as before:
        forwarder = start(KOCHAVA_ENDPOINT=before.url, KOCHAVA_SECRET_ID=SECRET)
        assert forwarder.invoke(record(body("a"), "a")) == set()
        port = before.port
    aws.secrets[SECRET] = new
    with Sandbox(port=port, credentials=Credentials(**new)) as after:
        batch = records(10)
        assert forwarder.invoke(*batch) == set(), "rotation needs no deployment"
        assert len(aws.requests("GetSecretValue")) == 2, "read again once for all that were refused together"
        accepted = [one for one in after.received if one.accepted]
        assert {one.device for one in accepted} == names(batch)
        refused = [one for one in after.received if not one.accepted]
        assert {one.headers["kochava-api-key"] for one in refused} <= {KEY["api_key"]}, "signed anew, not again"


def test_a_key_that_stays_wrong_is_not_read_again_by_every_record(start: Start, aws: Aws) -> None:
    aws.secrets[SECRET] = WRONG_KEY
    with Sandbox(credentials=Credentials(**KEY)) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, KOCHAVA_SECRET_ID=SECRET, MAX_WORKERS="2")
        batch = records(40)
        assert forwarder.invoke(*batch) == names(batch)
        assert forwarder.outcomes["misconfigured"] > 0
        assert len(aws.requests("GetSecretValue")) == 2


def test_a_secret_that_cannot_be_read_is_our_fault_and_read_once(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    aws.failing["GetSecretValue"] = "AccessDeniedException"
    forwarder = start(KOCHAVA_SECRET_ID=SECRET)
    batch = records(30)
    assert forwarder.invoke(*batch) == names(batch)
    assert forwarder.outcomes["misconfigured"] == 30, "alarmed, and no outage of Kochava's"
    assert "AccessDeniedException" in forwarder.log_of("r0")["detail"]
    assert len(aws.requests("GetSecretValue")) == 1, "a failed read is remembered"
    assert sandbox.received == []


def test_a_secrets_manager_that_hangs_cannot_hold_the_handler(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    aws.hanging.add("GetSecretValue")
    forwarder = start(KOCHAVA_SECRET_ID=SECRET, REQUEST_TIMEOUT_SECONDS="0.4")
    batch = records(5)
    with within(2):
        assert forwarder.invoke(*batch, seconds=2) == names(batch)
    assert sandbox.received == []


def test_the_second_signed_try_keeps_the_deadline(start: Start, aws: Aws) -> None:
    aws.secrets[SECRET] = WRONG_KEY
    with Sandbox(credentials=Credentials(**KEY)) as sandbox:
        forwarder = start(KOCHAVA_ENDPOINT=sandbox.url, KOCHAVA_SECRET_ID=SECRET, REQUEST_TIMEOUT_SECONDS="0.5")
        assert forwarder.invoke(record(body("a"), "a")) == {"a"}
        aws.hanging.add("GetSecretValue")
        with within(2):
            assert forwarder.invoke(record(body("b"), "b"), seconds=2) == {"b"}
        sandbox.always("hang")
        with within(2):
            assert forwarder.invoke(record(body("c"), "c"), seconds=2) == {"c"}


def test_a_try_with_the_new_key_ends_with_the_requests_own_time(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    aws.secrets[SECRET] = KEY
    forwarder = start(KOCHAVA_SECRET_ID=SECRET, REQUEST_TIMEOUT_SECONDS="2")
    assert forwarder.invoke(record(body("a"), "a")) == set()
    aws.secrets[SECRET] = WRONG_KEY
    sandbox.script("401", "hang")
    with within(10):
        assert forwarder.invoke(record(body("b"), "b")) == {"b"}
    assert forwarder.outcomes == {"delivered": 1, "ambiguous": 1}
    assert len(sandbox.received) == 3


# --- a message's facts --------------------------------------------------------------------------------------


def test_an_event_without_a_time_happened_when_sqs_took_it(start: Start, sandbox: Sandbox) -> None:
    forwarder = start()
    message = record(without(body(), "usertime"), age=5000)
    assert forwarder.invoke(message) == set()
    (received,) = sandbox.received
    assert received.data["usertime"] == int(message["attributes"]["SentTimestamp"]) // 1000


def test_a_record_that_does_not_say_when_it_was_sent_was_sent_now(start: Start, sandbox: Sandbox) -> None:
    forwarder = start()
    message = record(without(body(), "usertime")) | {"attributes": None}
    assert forwarder.invoke(message) == set()
    (received,) = sandbox.received
    assert abs(received.data["usertime"] - time.time()) < 60


def test_a_redriven_event_keeps_the_time_at_which_sqs_first_took_it(
    start: Start, sandbox: Sandbox, aws: Aws
) -> None:
    forwarder = start(RETRY_HORIZON_SECONDS="60")
    first = record(without(body(), "usertime"), age=300)
    assert forwarder.invoke(first) == set()
    (letter,) = aws.letters
    redriven = record(letter["MessageBody"])
    redriven["messageAttributes"] = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in letter["MessageAttributes"].items()
    }
    assert forwarder.invoke(redriven) == set()
    (received,) = sandbox.received
    assert received.data["usertime"] == int(first["attributes"]["SentTimestamp"]) // 1000


@pytest.mark.parametrize("value", ["yesterday", "2026-01-01T00:00:00", "9999-01-01T00:00:00Z", ""])
def test_a_publishers_own_attribute_of_that_name_does_no_harm(start: Start, sandbox: Sandbox, value: str) -> None:
    forwarder = start()
    message = record(without(body(), "usertime"))
    message["messageAttributes"] = {"sentAt": {"dataType": "String", "stringValue": value}}
    assert forwarder.invoke(message) == set()
    (received,) = sandbox.received
    assert received.data["usertime"] == int(message["attributes"]["SentTimestamp"]) // 1000


def test_the_receive_count_reaches_the_backoff(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start()
    sandbox.always("503")
    assert forwarder.invoke(record(body("a"), "a", receives=1), record(body("b"), "b", receives=3)) == {"a", "b"}
    assert aws.visibility["receipt-a"] <= 7
    assert aws.visibility["receipt-b"] >= 150


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_delivered_events_have_a_line_at_the_level_debug_only(start: Start, level: str) -> None:
    forwarder = start(POWERTOOLS_LOG_LEVEL=level)
    assert forwarder.invoke(record(body(event_id="order-1"), "one")) == set()
    lines = [line for line in forwarder.logs if line.get("message_id") == "one"]
    said = [(line["outcome"], line["event_id"], line["app_id"]) for line in lines]
    assert said == ([("delivered", "order-1", "kotest-app-1")] if level == "DEBUG" else [])
