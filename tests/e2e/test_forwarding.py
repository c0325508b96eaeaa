"""The deployed template: real SQS in front, real redelivery, and a sandbox where Kochava would be."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forwarder_tools.samples import expectations, few_sample_paths, read_sample
from tests.e2e.conftest import Forwarder, event_of, new_device

INVALID_SAMPLES = [path for path in few_sample_paths() if path.stem.startswith("invalid-")]
PASSING_FAILURES = {
    "503": "unavailable",
    "429:retry-after=2": "throttled",
    "success-false": "unconfirmed",
    "reset-after-read": "ambiguous",
}
ATTRIBUTES = {"reason", "detail", "sourceMessageId", "receiveCount", "deadLetteredAt", "sentAt"}


def test_an_event_arrives_exactly_as_kochava_wants_it(forwarder: Forwarder, device: str) -> None:
    ids = forwarder.publish(event_of(device, currency="eur", event_data={"price": 9.99, "name": "Skis/Ü"}))
    forwarder.wait_until_gone(*ids)

    [request] = forwarder.received(device)
    wanted = {
        "action": "event",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": device,
        "data": {
            "usertime": 1760000000,
            "device_ver": "",
            "device_ids": {"idfa": "AAAAAAAA-0000-4000-8000-000000000001"},
            "device_ua": "Mozilla%2F5.0%20%28iPhone%3B%20CPU%20iPhone%20OS%2017_5%20like%20Mac%20OS%20X%29",
            "origination_ip": "203.0.113.7",
            "event_name": "Purchase",
            "currency": "EUR",
            "event_data": {"price": 9.99, "name": "Skis/Ü", "currency": "EUR"},
        },
    }
    assert request.event == wanted
    assert request.body == json.dumps(request.event, separators=(",", ":")).replace("/", r"\/").encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "Unknown"
    assert request.accepted
    assert forwarder.dead_letter(ids[0]) is None


@pytest.mark.parametrize("path", INVALID_SAMPLES, ids=lambda path: path.stem)
def test_an_invalid_event_is_dead_lettered_as_it_came_with_the_reason(forwarder: Forwarder, path: Path) -> None:
    [record] = read_sample(path)["Records"]
    [expected] = expectations()[path.name]
    before = datetime.now(UTC) - timedelta(seconds=1)
    ids = forwarder.publish(record["body"])
    forwarder.wait_until_gone(*ids)

    dead = forwarder.dead_letter(ids[0])
    assert dead is not None
    assert dead.body == record["body"]
    assert set(dead.attributes) == ATTRIBUTES
    assert dead.attributes["reason"] == "invalid"
    assert all(text in dead.attributes["detail"] for text in expected.mentions)
    assert dead.attributes["sourceMessageId"] == ids[0]
    assert dead.attributes["receiveCount"] == "1"
    assert before <= datetime.fromisoformat(dead.attributes["deadLetteredAt"]) <= datetime.now(UTC)


def test_what_kochava_refuses_for_good_is_dead_lettered(forwarder: Forwarder, device: str) -> None:
    forwarder.sandbox.script("400", device=device)
    body = event_of(device)
    ids = forwarder.publish(body)
    forwarder.wait_until_gone(*ids)

    dead = forwarder.dead_letter(ids[0])
    assert dead is not None
    assert (dead.body, dead.attributes["reason"]) == (body, "rejected")
    assert "400" in dead.attributes["detail"]
    assert len(forwarder.received(device)) == 1


def test_only_the_failed_record_of_a_batch_is_delivered_again(forwarder: Forwarder, device: str) -> None:
    devices = [f"{device}-{number}" for number in range(5)]
    forwarder.sandbox.script("503", device=devices[2])
    ids = forwarder.publish(*(event_of(name) for name in devices))
    forwarder.wait_until_gone(*ids)

    answers = [[request.answer for request in forwarder.received(name)] for name in devices]
    assert [len(tries) for tries in answers] == [1, 1, 2, 1, 1]
    assert all(forwarder.received(name)[-1].accepted for name in devices)
    assert [entry.outcome for entry in forwarder.log(ids[2])] == ["unavailable"]
    assert all(forwarder.dead_letter(name) is None for name in ids)


@pytest.fixture(scope="module")
def passing_failures(forwarder: Forwarder) -> dict[str, tuple[str, str]]:
    """For each failure the device and the message of an event that met it once; they wait side by side."""
    devices = {fault: new_device() for fault in PASSING_FAILURES}
    for fault, device in devices.items():
        forwarder.sandbox.script(fault, device=device)
    ids = forwarder.publish(*(event_of(device) for device in devices.values()))
    forwarder.wait_until_gone(*ids)
    return {fault: (device, name) for (fault, device), name in zip(devices.items(), ids, strict=True)}


@pytest.mark.parametrize(("fault", "outcome"), PASSING_FAILURES.items())
def test_a_passing_failure_is_tried_again_and_delivered(
    forwarder: Forwarder, passing_failures: dict[str, tuple[str, str]], fault: str, outcome: str
) -> None:
    device, message_id = passing_failures[fault]
    first, second = forwarder.received(device)
    assert (first.accepted, second.accepted) == (False, True)
    assert first.body == second.body
    assert [entry.outcome for entry in forwarder.log(message_id)] == [outcome]


def test_a_group_keeps_its_order_while_a_record_in_its_middle_waits(
    fifo_forwarder: Forwarder, device: str
) -> None:
    other = f"{device}-other"
    fifo_forwarder.sandbox.script("503", device=device, event="2")
    ids = fifo_forwarder.publish(*(event_of(device, name) for name in "123"), group=device)
    ids += fifo_forwarder.publish(*(event_of(other, name) for name in "12"), group=other)
    fifo_forwarder.wait_until_gone(*ids)

    tries = [(request.event_name, request.accepted) for request in fifo_forwarder.received(device)]
    assert tries == [("1", True), ("2", False), ("2", True), ("3", True)]
    assert [request.event_name for request in fifo_forwarder.received(other)] == ["1", "2"]


def test_a_group_goes_on_past_an_invalid_record_which_keeps_its_group(
    fifo_forwarder: Forwarder, device: str
) -> None:
    bodies = event_of(device, "1"), event_of(device, "2", event_data={"nested": {}}), event_of(device, "3")
    ids = fifo_forwarder.publish(*bodies, group=device)
    fifo_forwarder.wait_until_gone(*ids)

    assert [request.event_name for request in fifo_forwarder.received(device)] == ["1", "3"]
    dead = fifo_forwarder.dead_letter(ids[1])
    assert dead is not None
    assert (dead.body, dead.group) == (bodies[1], device)
