"""What `kochava-forwarder tail` says of events that a deployed function had."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from forwarder_tools.cli import main
from forwarder_tools.processes import wait_for
from tests.e2e.conftest import SECONDS, Forwarder, event_of, new_device

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("aws_settings")


def tail(capsys: pytest.CaptureFixture[str], forwarder: Forwarder, *arguments: str) -> list[dict[str, Any]]:
    assert main(["tail", "--stack", forwarder.name, "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def with_id(event_id: str, body: str | None = None) -> str:
    return json.dumps(json.loads(body or '{"kochava_app_id": "kotail-app-1"}') | {"event_id": event_id})


def test_an_event_is_found_by_its_id_its_app_and_its_outcome(
    forwarder: Forwarder, capsys: pytest.CaptureFixture[str]
) -> None:
    rejected = new_device()
    forwarder.sandbox.always("400", device=rejected)
    invalid_id, rejected_id, good_id = (f"tail-{name}-{rejected}" for name in ("invalid", "rejected", "good"))
    bodies = (
        with_id(invalid_id),
        with_id(rejected_id, event_of(rejected)),
        with_id(good_id, event_of(new_device())),
    )
    forwarder.wait_until_gone(*forwarder.publish(*bodies))

    found = {line["event_id"]: line for line in tail(capsys, forwarder)}
    assert found[rejected_id]["outcome"] == "rejected"
    assert found[rejected_id]["detail"].startswith("HTTP 400")
    assert found[invalid_id].items() >= {"outcome": "invalid", "app_id": "kotail-app-1", "attempt": 1}.items()
    assert good_id not in found

    (by_id,) = tail(capsys, forwarder, "--event-id", invalid_id)
    assert by_id == found[invalid_id]
    (by_app,) = tail(capsys, forwarder, "--app", "kotail-app-1")
    assert by_app["event_id"] == invalid_id
    assert {line["outcome"] for line in tail(capsys, forwarder, "--outcome", "rejected")} == {"rejected"}


def test_for_people_it_is_a_line_an_event(forwarder: Forwarder, capsys: pytest.CaptureFixture[str]) -> None:
    device = new_device()
    forwarder.sandbox.always("503", device=device)
    forwarder.publish(with_id(f"waits-{device}", event_of(device)))
    wait_for(lambda: tail(capsys, forwarder, "--event-id", f"waits-{device}"), seconds=SECONDS, what="the try")

    assert main(["tail", "--stack", forwarder.name, "--event-id", f"waits-{device}"]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert f"  unavailable  waits-{device}  try 1: HTTP 503" in line
    assert "; again in " in line


def test_it_follows_the_log_and_prints_nothing_twice(forwarder: Forwarder, tmp_path: Path) -> None:
    one, two = (f"follow-{name}-{new_device()}" for name in ("one", "two"))
    output = tmp_path / "lines"
    command = [sys.executable, "-m", "forwarder_tools", "tail", "--stack", forwarder.name, "--follow", "--json"]
    with output.open("wb") as file, subprocess.Popen(command, stdout=file) as process:
        try:
            for event_id in (one, two):
                forwarder.publish(with_id(event_id))
                wait_for(lambda name=event_id: name in output.read_text(), seconds=SECONDS, what=event_id)  # type: ignore[misc]
        finally:
            process.terminate()
    lines = [json.loads(line)["event_id"] for line in output.read_text().splitlines()]
    assert [lines.count(event_id) for event_id in (one, two)] == [1, 1]


def test_a_stack_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", "--stack", "nowhere"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "nowhere" in line
