"""The deadline: whatever Kochava does, the handler answers in time, and what it did not try it reports."""

import asyncio

import pytest

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.sqs.queues import SqsQueues
from tests.integration.support import NOT_JSON, Forwarder, Json, Start, body, names, record, records, within
from tests.integration.support_servers import Aws

DAY = 86400


@pytest.mark.parametrize("fault", ["hang", "drip-headers:every=100ms", "drip-body:every=100ms", "latency=1h"])
def test_a_server_that_does_not_answer_cannot_hold_the_handler(start: Start, sandbox: Sandbox, fault: str) -> None:
    forwarder = start(REQUEST_TIMEOUT_SECONDS="10", MAX_WORKERS="4")
    sandbox.always(fault)
    batch = records(60)
    with within(3):
        assert forwarder.invoke(*batch, seconds=3) == names(batch)
    assert forwarder.outcomes == {"ambiguous": len(sandbox.received), "deferred": 60 - len(sandbox.received)}
    assert len(sandbox.received) < 15


def test_what_there_is_no_time_for_is_not_tried(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(REQUEST_TIMEOUT_SECONDS="0.5", MAX_WORKERS="2")
    sandbox.always("latency=200ms")
    batch = records(80)
    with within(2):
        failed = forwarder.invoke(*batch, seconds=2)
    sent = {one.device for one in sandbox.received}
    assert sent == names(batch) - failed, "what was sent was waited for, the rest was never sent"
    assert 4 <= len(sent) < 80
    assert forwarder.outcomes == {"delivered": len(sent), "deferred": len(failed)}
    sandbox.clear()
    assert forwarder.invoke(*(one for one in batch if one["messageId"] in failed)) == set()
    assert {one.device for one in sandbox.received} == failed, "and nothing was sent twice"


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_with_nearly_no_time_left_no_request_starts(
    forwarder: Forwarder, sandbox: Sandbox, seconds: float
) -> None:
    batch = [*records(5), record(NOT_JSON, "poison")]
    assert names(records(5)) <= forwarder.invoke(*batch, seconds=seconds)
    assert sandbox.connections == 0
    assert forwarder.outcomes["deferred"] >= 5


def test_what_is_deferred_comes_back_shortly(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    assert forwarder.invoke(record(None, "one", receives=4), seconds=0.0) == {"one"}
    assert sandbox.received == []
    assert all(seconds <= 30 for seconds in aws.visibility.values())


@pytest.mark.parametrize("odd", [record(name="odd", age=4 * DAY), record(NOT_JSON, "odd")], ids=["old", "invalid"])
def test_without_time_nothing_is_dead_lettered_nor_said_to_be_our_fault(
    forwarder: Forwarder, aws: Aws, odd: Json
) -> None:
    assert forwarder.invoke(odd, seconds=0.0) == {"odd"}
    assert forwarder.outcomes == {"deferred": 1}
    assert forwarder.invoke(odd) == set()
    assert len(aws.letters) == 1


@pytest.mark.parametrize("hanging", ["SendMessageBatch", "ChangeMessageVisibilityBatch"])
def test_sqs_and_kochava_hanging_together_cannot_hold_the_handler(
    start: Start, sandbox: Sandbox, aws: Aws, hanging: str
) -> None:
    forwarder = start(REQUEST_TIMEOUT_SECONDS="10", MAX_WORKERS="4")
    sandbox.always("hang")
    aws.hanging.add(hanging)
    batch = [record(NOT_JSON, "poison"), *records(20)]
    with within(1.5):
        failed = forwarder.invoke(*batch, seconds=1.5)
    assert failed == names(batch) - (set() if hanging == "SendMessageBatch" else {"poison"})


@pytest.mark.timeout(20)
def test_an_answer_of_sqs_that_never_comes_is_not_waited_for(
    start: Start, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> asyncio.Future[str | None]:
        return asyncio.get_running_loop().create_future()

    forwarder = start()
    monkeypatch.setattr(SqsQueues, "postpone", never)
    sandbox.script("503")
    with within(2):
        assert forwarder.invoke(record(body(), "one"), seconds=2) == {"one"}
    assert len(forwarder.metric("NotPostponed")) == 1


def test_a_table_that_hangs_cannot_hold_the_handler(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen", REQUEST_TIMEOUT_SECONDS="0.5", MAX_WORKERS="4")
    aws.hanging.add("BatchExecuteStatement")
    batch = records(8)
    with within(1.5):
        failed = forwarder.invoke(*batch, seconds=1.5)
    assert {one.device for one in sandbox.received} == names(batch) - failed
    assert forwarder.outcomes.total() == 8
