"""What the journal keeps, and whose it is."""

import json
import os
from pathlib import Path

import pytest

from forwarder_tools.processes import ToolError
from forwarder_tools.publishing import journal as module
from forwarder_tools.publishing.journal import Journal

QUEUE = "https://sqs.test/1/events"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl.published"


def test_a_later_run_knows_what_was_added_and_makes_the_same_ids(path: Path) -> None:
    with Journal(path, QUEUE) as first:
        assert not first.keys
        first.add(["event app e-1", "event app two\nlines"])
        first.add(["event app caf\u00e9"])
    with Journal(path, QUEUE) as second:
        assert second.keys == {"event app e-1", "event app two\nlines", "event app caf\u00e9"}
        assert second.namespace == first.namespace
        second.add(["event app e-4"])
    with Journal(path, QUEUE) as third:
        assert len(third.keys) == 4


def test_what_was_being_written_when_a_run_was_killed_is_not_known(path: Path) -> None:
    with Journal(path, QUEUE) as journal:
        journal.add(["one", "two"])
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(path, QUEUE) as journal:
            left = len(journal.keys)
            assert journal.keys == set(["one", "two"][:left])
            journal.add(["three"])
        with Journal(path, QUEUE) as journal:
            assert journal.keys == {*["one", "two"][:left], "three"}


def test_what_is_added_is_on_the_disk_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(path.read_bytes()))
    with Journal(path, QUEUE) as journal:
        assert len(synced) == 2  # the header, and the folder that has a new file
        journal.add(["one"])
        assert synced[2].endswith(b'\n"one"\n')


def test_a_disk_that_is_full_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with Journal(path, QUEUE) as journal:
        monkeypatch.setattr(module, "_append", full)
        with pytest.raises(ToolError, match="No space left on device; make room: the next run sends 2 events"):
            journal.add(["one", "two"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"kochava_app_id": "kotest-app-1"}', "is no journal"),
        ('{"kochava_app_id": "kotest-app-1"}\n', "is no journal"),
        ("[]\n", "is no journal"),
        ('{"queue": "https://sqs.test/1/events", "namespace": "x"}\n', "is no journal"),
        ('{"queue": "q", "namespace": "00000000-0000-4000-8000-000000000001"}\n7\n', "is no journal"),
        ('{"queue": "q", "namespace": "00000000-0000-4000-8000-000000000001"}\n"a"\n', "is of another queue, q"),
    ],
)
def test_what_is_no_journal_of_this_queue_is_refused_and_stays_as_it_is(
    path: Path, text: str, problem: str
) -> None:
    path.write_text(text)
    with pytest.raises(ToolError, match=problem), Journal(path, QUEUE):
        pass
    assert path.read_text() == text


def test_a_journal_without_events_may_go_to_another_queue_and_keeps_its_ids(path: Path) -> None:
    with Journal(path, "https://sqs.test/1/misspelt") as journal:
        namespace = journal.namespace
    path.write_bytes((before := path.read_bytes()) + b'"tor')
    with Journal(path, QUEUE, read_only=True):
        pass
    assert path.read_bytes() == before + b'"tor'

    with Journal(path, QUEUE) as journal:
        journal.add(["one"])
    with Journal(path, QUEUE) as journal:
        assert (journal.namespace, journal.keys) == (namespace, {"one"})


def test_two_runs_do_not_share_a_journal(path: Path) -> None:
    with (
        Journal(path, QUEUE),
        pytest.raises(ToolError, match="another run is at it; wait until it has ended"),
        Journal(path, QUEUE),
    ):
        pass
    with Journal(path, QUEUE):
        pass


def test_a_journal_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="No such file"), Journal(tmp_path / "no" / "journal", QUEUE):
        pass


def test_looking_makes_and_changes_nothing(path: Path) -> None:
    with Journal(path, QUEUE, read_only=True) as journal:
        assert not journal.keys
    assert not path.exists()

    with Journal(path, QUEUE) as journal:
        journal.add(["one"])
    path.write_bytes(before := path.read_bytes() + b'"tw')
    with Journal(path, QUEUE, read_only=True) as journal:
        assert journal.keys == {"one"}
    assert path.read_bytes() == before


def test_without_a_file_nothing_is_kept() -> None:
    with Journal(None, QUEUE) as journal:
        journal.add(["one"])
    assert json.dumps(sorted(journal.keys)) == "[]"
