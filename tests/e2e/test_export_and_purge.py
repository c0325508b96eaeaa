"""Exporting and deleting dead letters: nothing goes but what was asked for."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from forwarder_tools.cli import main
from tests.e2e.dead_queues import DeadQueues, bodies

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = pytest.mark.usefixtures("aws_settings")


# --- export -------------------------------------------------------------------------------------------------


def test_an_export_has_everything_and_removes_nothing(standard: DeadQueues, tmp_path: Path) -> None:
    sent = [*standard.dead_letter("invalid", 12), *standard.moved_by_sqs(1)]
    file = tmp_path / "dead.jsonl"

    assert main(["dlq", "export", str(file), *standard.options]) == 0

    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert sorted(record["body"] for record in records) == sorted(sent)
    assert records[0]["messageAttributes"]["reason"] == {"dataType": "String", "stringValue": "invalid"}
    blob = records[0]["messageAttributes"]["blob"]
    assert blob == {"dataType": "Binary.own", "binaryValue": base64.b64encode(b"\0\xff").decode()}
    assert records[0]["attributes"]["SentTimestamp"].isdecimal()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert bodies(standard.in_dead()) == sorted(sent)
    assert all(message.visible for message in standard.in_dead())


def test_an_export_never_overwrites(standard: DeadQueues, tmp_path: Path) -> None:
    file = tmp_path / "dead.jsonl"
    file.write_text("kept")
    assert main(["dlq", "export", str(file), *standard.options]) == 1
    assert file.read_text() == "kept"


def test_a_selection_is_exported_to_stdout(standard: DeadQueues, capsys: pytest.CaptureFixture[str]) -> None:
    standard.dead_letter("invalid", 2)
    sent = standard.dead_letter("rejected", 2)

    assert main(["dlq", "export", "-", "--reason", "rejected", *standard.options]) == 0

    shown = capsys.readouterr()
    assert sorted(json.loads(line)["body"] for line in shown.out.splitlines()) == sorted(sent)
    assert shown.err == "2 exported\n"


# --- purge --------------------------------------------------------------------------------------------------


def test_a_purge_deletes_what_was_selected_and_nothing_else(queues: DeadQueues) -> None:
    queues.dead_letter("invalid", 25)
    kept = [*queues.dead_letter("rejected", 5), *queues.moved_by_sqs(5)]

    assert main(["dlq", "purge", "--reason", "invalid", "--yes", *queues.options]) == 0

    assert bodies(queues.in_dead()) == sorted(kept)
    assert all(message.visible for message in queues.in_dead())


def test_for_programs_a_purge_and_a_look_are_one_object(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    (body,) = standard.dead_letter("invalid", 1)
    (dead,) = standard.in_dead()
    for options, has_body in (([], False), (["--body"], True)):
        assert main(["dlq", "show", dead.id, "--json", *options, *standard.options]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["messageId"], shown["reason"]) == (dead.id, "invalid")
        assert shown.get("body") == (body if has_body else None)
        assert ("tenant" in json.dumps(shown)) == has_body
    assert main(["dlq", "purge", "--all", "--json", *standard.options]) == 2
    assert "give --yes or --dry-run with it" in capsys.readouterr().err
    assert main(["dlq", "purge", "--all", "--json", "--yes", *standard.options]) == 0
    assert json.loads(capsys.readouterr().out) == {"deleted": 1, "undeleted": {}}


@pytest.mark.parametrize(("answer", "status", "left"), [("y\n", 0, 0), ("n\n", 1, 3), ("", 1, 3)])
def test_a_purge_asks_first(
    answer: str, status: int, left: int, standard: DeadQueues, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard.dead_letter("invalid", 3)
    monkeypatch.setattr("click.termui.visible_prompt_func", answers(answer))

    assert main(["dlq", "purge", "--all", *standard.options]) == status
    assert len(standard.in_dead()) == left


def answers(text: str) -> Any:
    def answer(_prompt: str) -> str:
        if not text:
            raise EOFError
        return text.strip()

    return answer


@pytest.mark.parametrize("command", ["purge", "redrive"])
def test_a_dry_run_changes_nothing(command: str, standard: DeadQueues, capsys: pytest.CaptureFixture[str]) -> None:
    sent = standard.dead_letter("invalid", 3)

    assert main(["dlq", command, "--reason", "invalid", "--dry-run", *standard.options]) == 0

    assert "3 would be" in capsys.readouterr().err
    assert bodies(standard.in_dead()) == sorted(sent)
    assert all(message.visible for message in standard.in_dead())
    assert standard.in_events() == []


@pytest.mark.parametrize("command", ["purge", "redrive"])
@pytest.mark.parametrize("options", [[], ["--all", "--reason", "invalid"]])
def test_what_is_meant_must_be_said(command: str, options: list[str], standard: DeadQueues) -> None:
    standard.dead_letter("invalid", 1)
    assert main(["dlq", command, *options, *standard.options]) == 2
    assert len(standard.in_dead()) == 1
