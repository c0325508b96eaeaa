"""Message groups on a FIFO queue: each in its order, side by side, held by a record that waits."""

import json
from collections import defaultdict
from typing import Any

import pytest

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.forwarding import delivery
from kochava_forwarder.kochava.payload import encode_payload
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
    within,
)
from tests.integration.support_servers import Aws


def batch(*places: str, queue: str = FIFO) -> list[Json]:
    """Return a record for each place: `a1` is the first of group `a`; one with an `!` is poison."""
    return [
        record(f"{NOT_JSON} {place}" if "!" in place else body(place), place, queue=queue, group=place[0])
        for place in places
    ]


def sent(sandbox: Sandbox) -> list[str | None]:
    return [one.device for one in sandbox.received]


def test_each_group_keeps_its_order_whatever_the_others_take(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(MAX_WORKERS="8")
    sandbox.mix({"ok": 1, "latency=5ms": 1, "latency=20ms": 1, "close": 1}, seed=7)
    places = [f"{group}{number}" for number in range(12) for group in "abcdef"]
    assert forwarder.invoke(*batch(*places)) == set()
    order = defaultdict(list)
    for device in sent(sandbox):
        assert device
        order[device[0]].append(device)
    assert order == {group: [f"{group}{number}" for number in range(12)] for group in "abcdef"}


def message(action: str, device: str, **data: Any) -> Json:
    """Return a record of another action, in the group of its device."""
    event = {"action": action, "kochava_app_id": "kotest-app-1", "kochava_device_id": device, "data": data}
    return record(json.dumps(event), f"{action}-{device}", queue=FIFO, group=device)


def test_an_install_goes_before_the_events_of_its_device_and_a_link_after_them(
    start: Start, sandbox: Sandbox
) -> None:
    forwarder = start(MAX_WORKERS="8")
    sandbox.script("latency=50ms", device="a")
    device = {"device_ids": {"custom": "x"}, "device_ua": "Fake", "origination_ip": "203.0.113.7"}
    records = [
        message("install", "a", **device),
        record(body("a"), "event-a", queue=FIFO, group="a"),
        message("install", "b", **device),
        message("identityLink", "a", identity_link={"app_userid": "u-1"}),
    ]
    assert forwarder.invoke(*records) == set()
    assert [one.event["action"] for one in sandbox.received if one.event and one.device == "a"] == [
        "install",
        "event",
        "identityLink",
    ]
    assert all(one.accepted for one in sandbox.received)


def test_the_events_of_a_device_wait_for_its_install(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("503", device="a")
    install = message("install", "a", device_ids={"custom": "x"}, device_ua="Fake", origination_ip="203.0.113.7")
    event = record(body("a"), "event-a", queue=FIFO, group="a")
    assert forwarder.invoke(install, event) == {"install-a", "event-a"}
    assert [one.event["action"] for one in sandbox.received if one.event] == ["install"]
    assert forwarder.invoke(install, event) == set()
    assert [one.event["action"] for one in sandbox.received if one.event] == ["install", "install", "event"]


def test_groups_run_side_by_side_and_a_group_never_with_itself(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(MAX_WORKERS="8")
    sandbox.always("latency=100ms")
    with within(0.9):
        assert forwarder.invoke(*batch("a1", "b1", "c1", "a2", "b2", "c2", "a3", "b3", "c3")) == set()
    assert sandbox.stats.peak_in_flight == 3


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("503", "unavailable"),
        ("429:retry-after=44", "throttled"),
        ("success-false", "unconfirmed"),
        ("401", "misconfigured"),
        ("reset-after-read", "ambiguous"),
    ],
)
def test_a_waiting_record_holds_its_group_for_as_long_as_it_waits(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, fault: str, outcome: str
) -> None:
    sandbox.script(fault, device="a2")
    assert forwarder.invoke(*batch("a1", "b1", "a2", "a3!", "b2", "a4")) == {"a2", "a3!", "a4"}
    assert sorted(map(str, sent(sandbox))) == ["a1", "a2", "b1", "b2"]
    assert forwarder.outcomes == {"delivered": 3, outcome: 1, "deferred": 2}
    assert aws.letters == [], "poison behind a waiting record waits as well"
    waits = [aws.visibility[f"receipt-{place}"] for place in ("a2", "a3!", "a4")]
    assert waits[1:] == [waits[0]] * 2


@pytest.mark.parametrize("fault", ["400", "ok"])
def test_a_dead_letter_does_not_hold_its_group(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, fault: str
) -> None:
    sandbox.script(fault, device="a3")
    assert forwarder.invoke(*batch("a1", "a2!", "a3", "a4", "a5!")) == set()
    assert sent(sandbox) == ["a1", "a3", "a4"]
    assert len(aws.letters) == (3 if fault == "400" else 2)


def test_a_dead_letter_that_is_not_taken_holds_its_group(forwarder: Forwarder, sandbox: Sandbox, aws: Aws) -> None:
    aws.refused[f"{NOT_JSON} a2!"] = "InternalError"
    assert forwarder.invoke(*batch("a1", "a2!", "a3", "b1")) == {"a2!", "a3"}
    assert sorted(map(str, sent(sandbox))) == ["a1", "b1"]


def test_a_bug_in_a_record_holds_its_group(
    forwarder: Forwarder, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:

    real = encode_payload

    def fail(event: object, *arguments: object) -> bytes:
        if "a2" in repr(event):
            raise LookupError
        return real(event, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "encode_payload", fail)
    assert forwarder.invoke(*batch("a1", "a2", "a3", "b1")) == {"a2", "a3"}
    assert sorted(map(str, sent(sandbox))) == ["a1", "b1"]


def test_a_group_without_time_is_deferred_from_its_first_untried_record_on(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(REQUEST_TIMEOUT_SECONDS="0.4")
    sandbox.always("latency=150ms")
    places = [f"a{number:02}" for number in range(40)]
    with within(2):
        failed = forwarder.invoke(*batch(*places), seconds=2)
    reached = len(sandbox.received)
    assert 0 < reached < 40
    assert sent(sandbox) == places[:reached]
    assert failed == set(places[reached:])


def test_a_standard_queues_groups_are_ignored(forwarder: Forwarder, sandbox: Sandbox) -> None:
    sandbox.script("503", device="a1")
    everything = batch("a1", "a2", "a3", "a4!", queue=STANDARD)
    assert forwarder.invoke(*everything) == {"a1"}
    assert {one.device for one in sandbox.received} == names(everything) - {"a4!"}


def test_a_standard_queues_groups_run_side_by_side(start: Start, sandbox: Sandbox) -> None:
    forwarder = start(MAX_WORKERS="4")
    sandbox.always("latency=100ms")
    assert forwarder.invoke(*batch("a1", "a2", "a3", "a4", queue=STANDARD)) == set()
    assert sandbox.stats.peak_in_flight == 4
