"""Kochava is down, or something before it refuses everything: few requests, nothing lost, and an end by itself."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable

import pytest

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.policy.outcomes import Verdict
from tests.integration.support import Forwarder, Start, body, names, record, records, within
from tests.integration.support_servers import Aws, closed_port

type Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Let seconds pass on the monotonic clock, which is the event loop's."""
    real = time.monotonic

    def later(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: real() + seconds)

    return later


# --- Kochava is down ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outage", ["503*", "503:retry-after=1*", "reset-after-read*", "refused"])
def test_an_outage_costs_five_requests_and_then_a_probe_in_ten_seconds(
    start: Start, sandbox: Sandbox, aws: Aws, later: Later, outage: str
) -> None:
    refused = outage == "refused"
    endpoint = f"http://127.0.0.1:{closed_port()}/track/json" if refused else sandbox.url
    forwarder = start(MAX_WORKERS="1", KOCHAVA_ENDPOINT=endpoint)
    if not refused:
        sandbox.script(outage)
    first, second, third = (records(50, prefix) for prefix in "abc")
    with within(5):
        assert forwarder.invoke(*first) == names(first)
    assert forwarder.outcomes["deferred"] == 45
    assert forwarder.invoke(*second) == names(second)
    assert forwarder.outcomes["deferred"] == 95, "no probe before ten seconds"
    later(10)
    assert forwarder.invoke(*third) == names(third)
    assert forwarder.outcomes["deferred"] == 144, "one probe"
    assert aws.letters == []
    assert all(4 <= seconds <= 7 for seconds in aws.visibility.values()), "what is deferred waits as well"
    if not refused:
        assert len(sandbox.received) == 6


def test_an_outage_is_over_with_the_first_probe_that_gets_through(
    start: Start, sandbox: Sandbox, later: Later
) -> None:
    forwarder = start(MAX_WORKERS="4")
    sandbox.always("503")
    batch = records(50)
    assert forwarder.invoke(*batch) == names(batch)
    assert 5 <= len(sandbox.received) < 5 + 4
    sandbox.clear()
    later(10)
    assert forwarder.invoke(*batch) == set()
    assert Counter(one.device for one in sandbox.received) == Counter(names(batch))


def test_time_that_runs_out_while_kochava_hangs_is_waited_for_by_backoff(
    start: Start, sandbox: Sandbox, aws: Aws, later: Later
) -> None:
    forwarder = start(MAX_WORKERS="8", REQUEST_TIMEOUT_SECONDS="10")
    sandbox.always("hang")
    opening = records(8, "a")
    assert forwarder.invoke(*opening, seconds=1) == names(opening)
    later(10)
    waiting = [record(body(f"b{number}"), f"b{number}", receives=4) for number in range(8)]
    assert forwarder.invoke(*waiting, seconds=1) == names(waiting)
    assert len(sandbox.received) == 9, "one probe"
    assert all(900 <= aws.visibility[one["receiptHandle"]] <= 1800 for one in waiting)


def test_a_bug_while_sending_costs_no_place(
    start: Start, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> Verdict:
        await asyncio.sleep(0)
        raise LookupError

    forwarder = start(MAX_WORKERS="2")
    batch = records(9)
    with monkeypatch.context() as patch:
        patch.setattr(KochavaClient, "post", fail)
        assert forwarder.invoke(*batch, seconds=5) == names(batch)
    assert forwarder.outcomes == {"misconfigured": 9}
    with within(3):
        assert forwarder.invoke(*batch, seconds=5) == set()
    assert len(sandbox.received) == 9


# --- the deduplication table --------------------------------------------------------------------------------


def test_a_duplicate_does_not_end_an_outage(start: Start, sandbox: Sandbox, later: Later) -> None:
    forwarder = start(MAX_WORKERS="1", DEDUPLICATION_TABLE="events-seen")
    known = [record(body("known", event_id="1"), f"known-{number}") for number in range(2)]
    assert forwarder.invoke(known[0]) == set()
    sandbox.always("503")
    forwarder.invoke(*records(5, "a"))
    later(10)
    batch = records(10, "b")
    assert forwarder.invoke(known[1], *batch) == names(batch)
    assert forwarder.outcomes == {"delivered": 1, "unavailable": 6, "duplicate": 1, "deferred": 9}
    assert len(sandbox.received) == 1 + 5 + 1


def test_an_event_whose_twin_failed_comes_back_shortly(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen")
    sandbox.script("503:latency=100ms")
    twins = [record(body("twin", event_id="1"), f"twin-{number}", receives=4) for number in range(2)]
    assert forwarder.invoke(*twins) == names(twins)
    assert forwarder.outcomes == {"unavailable": 1, "deferred": 1}
    assert min(aws.visibility.values()) <= 5
    assert max(aws.visibility.values()) >= 900


def test_nothing_is_sent_when_the_table_has_taken_the_time(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen", REQUEST_TIMEOUT_SECONDS="0.5", MAX_WORKERS="4")
    aws.hanging.add("BatchExecuteStatement")
    batch = records(8)
    assert forwarder.invoke(*batch, seconds=1.5) == names(batch)
    assert sandbox.received == []
    assert forwarder.outcomes == {"deferred": 8}


# --- something before Kochava refuses everything ------------------------------------------------------------


@pytest.mark.parametrize("status", ["400", "405"])
def test_a_gateway_that_refuses_everything_costs_nine_events_of_a_backlog(
    start: Start, sandbox: Sandbox, aws: Aws, later: Later, status: str
) -> None:
    forwarder = start(MAX_WORKERS="20")
    sandbox.always(status)
    backlog = records(3000)
    kept = forwarder.invoke(*backlog)
    assert forwarder.outcomes == {"rejected": 9, "misconfigured": 2991}
    assert len(aws.letters) == 9
    assert len(sandbox.received) <= 9 + 20
    assert {seconds for seconds in aws.visibility.values() if not 900 <= seconds <= 1800} == set()

    sandbox.clear()
    later(10)
    assert forwarder.invoke(*(one for one in backlog if one["messageId"] in kept)) == set()
    assert forwarder.outcomes["delivered"] == 2991


def test_bad_events_among_good_ones_are_dead_lettered_however_many(
    start: Start, sandbox: Sandbox, aws: Aws
) -> None:
    forwarder = start(MAX_WORKERS="1")
    sandbox.always("400", device="bad")
    batch = [record(body("good" if number % 8 == 0 else "bad"), f"r{number}") for number in range(80)]
    assert forwarder.invoke(*batch) == set()
    assert forwarder.outcomes == {"delivered": 10, "rejected": 70}
    assert len(aws.letters) == 70


def test_a_wrong_key_costs_ten_requests(forwarder: Forwarder, sandbox: Sandbox, aws: Aws, later: Later) -> None:
    sandbox.always("401")
    batch = records(100)
    assert forwarder.invoke(*batch) == names(batch)
    assert forwarder.outcomes == {"misconfigured": 100}
    assert 10 <= len(sandbox.received) <= 9 + 8
    assert {seconds for seconds in aws.visibility.values() if not 900 <= seconds <= 1800} == set()
    sandbox.clear()
    later(10)
    assert forwarder.invoke(*batch) == set()


def test_a_secret_that_cannot_be_read_is_no_refusal_of_kochavas(start: Start, sandbox: Sandbox, aws: Aws) -> None:
    forwarder = start(KOCHAVA_SECRET_ID="kochava/signing", MAX_WORKERS="1")
    aws.failing["GetSecretValue"] = "AccessDeniedException"
    batch = records(12)
    assert forwarder.invoke(*batch) == names(batch)
    assert sandbox.received == []
    assert forwarder.outcomes == {"misconfigured": 12}
    assert all("KOCHAVA_SECRET_ID" in forwarder.log_of(one["messageId"])["detail"] for one in batch)
