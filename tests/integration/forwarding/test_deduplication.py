"""The deduplication table at the handler: an event is not sent twice, and none is lost."""

import asyncio
import time

import pytest

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.forwarding import deduplication
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.policy.outcomes import Verdict
from tests.integration.support import FIFO, Start, body, names, record, records
from tests.integration.support_servers import Aws

TABLE = "events-seen"


def start_of(aws: Aws, *verbs: str) -> int:
    """Return how many statements begin with one of these words."""
    statements = [one["Statement"] for call in aws.requests("BatchExecuteStatement") for one in call["Statements"]]
    return sum(statement.startswith(verbs) for statement in statements)


def test_an_event_is_delivered_once_whoever_repeats_it(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    once = body(event_id="order-1")
    assert forwarder.invoke(record(once, "first")) == set()
    assert forwarder.invoke(record(once, "again"), record(once, "anew")) == set(), (
        "other messages of the same event"
    )
    assert len(sandbox.received) == 1
    assert forwarder.outcomes == {"delivered": 1, "duplicate": 2}
    assert len(aws.table) == 1


def test_a_duplicate_is_not_warned_of_again(start: Start) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    odd = body(event_id="order-1", event_name="purchase")
    assert forwarder.invoke(record(odd, "first")) == set()
    assert forwarder.invoke(record(odd, "again")) == set()
    assert forwarder.outcomes == {"delivered": 1, "duplicate": 1}
    assert [line["Warning"] for line in forwarder.metric("Warning")] == [[1.0]]


def test_a_failed_try_gives_its_claim_back(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    sandbox.script("503")
    one = body(event_id="order-1")
    assert forwarder.invoke(record(one, "one")) == {"one"}
    assert aws.table == {}
    assert forwarder.invoke(record(one, "one", receives=2)) == set()
    assert forwarder.outcomes == {"unavailable": 1, "delivered": 1}
    assert sandbox.stats.accepted == 1


@pytest.mark.parametrize(
    ("fault", "outcomes", "returned"),
    [
        ("latency=200ms", {"delivered": 1, "duplicate": 1}, 0),
        ("503:latency=200ms", {"unavailable": 1, "deferred": 1}, 2),
    ],
)
def test_a_repeat_within_a_batch_waits_for_the_first_and_asks_no_table(  # noqa: PLR0913, PLR0917 - the columns
    start: Start, sandbox: Sandbox, aws: Aws, fault: str, outcomes: dict[str, int], returned: int
) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    sandbox.script(fault)
    twice = body(event_id="order-1")
    failed = forwarder.invoke(record(twice, "one"), record(twice, "two"))
    assert len(failed) == returned, "an event that is only being tried is not acknowledged"
    assert forwarder.outcomes == outcomes
    assert len(sandbox.received) == 1
    assert start_of(aws, "INSERT") == 1


def test_an_event_whose_repeat_met_a_bug_is_not_taken_for_delivered(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> Verdict:
        await asyncio.sleep(0)
        raise LookupError

    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    twice = body(event_id="order-1")
    with monkeypatch.context() as patch:
        patch.setattr(KochavaClient, "post", fail)
        assert forwarder.invoke(record(twice, "one"), record(twice, "two")) == {"one", "two"}
    assert forwarder.outcomes == {"misconfigured": 1, "deferred": 1}


def test_an_event_that_another_environment_is_sending_waits_shortly(start: Start, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    once = body(event_id="order-1")
    assert forwarder.invoke(record(once, "one")) == set()
    (item,) = aws.table.values()
    item |= {
        "status": {"S": "INPROGRESS"},
        "owner": {"S": "another"},
        "in_progress_expiration": {"N": str(int(1000 * (time.time() + 60)))},
    }
    aws.visibility.clear()
    assert forwarder.invoke(record(once, "again", receives=4)) == {"again"}
    assert aws.visibility["receipt-again"] <= 5, "no outage: that one is done within seconds"
    item |= {"in_progress_expiration": {"N": "1"}}
    assert forwarder.invoke(record(once, "again", receives=5)) == set(), "it has died meanwhile"
    assert forwarder.outcomes["delivered"] == 2


def test_what_the_table_did_not_confirm_is_not_settled(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    aws.failing["BatchExecuteStatement"] = "ValidationException"
    sandbox.script("503")
    assert len(forwarder.invoke(record(body("a"), "a"), record(body("b"), "b"))) == 1
    assert forwarder.outcomes == {"unavailable": 1, "delivered": 1}
    assert start_of(aws, "UPDATE", "DELETE") == 0, "the claim may be another environment's"
    assert len(forwarder.metric("DeduplicationFailure")) == 2


def test_a_throttled_item_waits_in_the_queue_and_is_not_sent(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    aws.throttled_items = 5
    assert forwarder.invoke(record(body("a"), "a")) == {"a"}
    assert sandbox.received == []
    assert forwarder.outcomes == {"deferred": 1}
    assert len(forwarder.metric("DeduplicationFailure")) == 1
    assert forwarder.invoke(record(body("a"), "a", receives=2)) == set()


def test_a_claim_that_comes_too_late_starts_no_request(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE, REQUEST_TIMEOUT_SECONDS="0.5")
    aws.hanging.add("BatchExecuteStatement")
    batch = records(4)
    assert forwarder.invoke(*batch, seconds=1.5) == names(batch)
    assert sandbox.received == []
    assert forwarder.outcomes == {"deferred": 4}


def test_a_hundred_new_events_cost_few_calls(start: Start, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deduplication, "BATCH_WINDOW_SECONDS", 0.1)  # a busy machine reads events slowly
    with Sandbox(latency=0.05) as sandbox:
        forwarder = start(DEDUPLICATION_TABLE=TABLE, MAX_WORKERS="100", KOCHAVA_ENDPOINT=sandbox.url)
        assert forwarder.invoke(*records(100)) == set()
    assert {item["status"]["S"] for item in aws.table.values()} == {"COMPLETED"}
    assert len(aws.requests("BatchExecuteStatement")) <= 12


def test_events_are_claimed_ahead_and_no_more_requests_are_in_flight_for_that(
    start: Start, sandbox: Sandbox, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deduplication, "BATCH_WINDOW_SECONDS", 0.1)
    forwarder = start(DEDUPLICATION_TABLE=TABLE, MAX_WORKERS="2")
    sandbox.always("latency=50ms")
    assert forwarder.invoke(*records(8)) == set()
    assert len(aws.requests("BatchExecuteStatement")[0]["Statements"]) == 4
    assert sandbox.stats.peak_in_flight <= 2


def test_a_fifo_groups_events_are_claimed_in_order(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE=TABLE)
    sandbox.script("503", device="a2")
    batch = [
        record(body(name, event_id=name), name, queue=FIFO, group=name[0]) for name in ("a1", "a2", "a3", "b1")
    ]
    assert forwarder.invoke(*batch) == {"a2", "a3"}
    assert len(aws.table) == 2, "the claim of a2 is released, a3 was never claimed"
