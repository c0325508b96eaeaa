"""`kochava-forwarder publish` against the queues of the local cloud, killed and resumed."""

from __future__ import annotations

import io
import itertools
import json
import random
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from forwarder_tools.cli import main
from forwarder_tools.localcloud import LocalCloud, peek
from forwarder_tools.processes import base_environment, wait_for
from forwarder_tools.publishing.sender import IN_FLIGHT
from kochava_forwarder.sqs.queues import MAX_ENTRIES
from tests.e2e.conftest import event_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mypy_boto3_sqs.literals import QueueAttributeNameType

EVENTS, GROUPS, KILLS = 3000, 100, 3
SECONDS = 60
MINI_STACK = {
    "Resources": {name: {"Type": "AWS::SQS::Queue"} for name in ("Events", "Dead")},
    "Outputs": {
        "EventQueueUrl": {"Value": {"Ref": "Events"}},
        "DeadLetterQueueUrl": {"Value": {"Ref": "Dead"}},
    },
}

pytestmark = pytest.mark.usefixtures("aws_settings")
_numbers = itertools.count(1)


def make_queue(cloud: LocalCloud, *, fifo: bool = False) -> str:
    attributes: dict[QueueAttributeNameType, str] = {"FifoQueue": "true"} if fifo else {}
    name = f"publish-{next(_numbers)}{'.fifo' if fifo else ''}"
    return cloud.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


@pytest.fixture
def queue(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue that the variable names."""
    url = make_queue(cloud)
    monkeypatch.setenv("EVENT_QUEUE_URL", url)
    return url


def numbered(number: int, **more: Any) -> str:
    device = f"KDtest-{number % GROUPS}"
    return json.dumps({**json.loads(event_of(device)), "event_id": f"e-{number}", **more})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three events."""
    path = tmp_path / "events.jsonl"
    path.write_text("".join(f"{numbered(number)}\n" for number in range(3)))
    return path


def contents(cloud: LocalCloud, queue: str) -> list[str]:
    return [message.body for message in peek(cloud, queue)]


def ids(bodies: Sequence[str]) -> list[str]:
    return [json.loads(body)["event_id"] for body in bodies]


# --- killed and resumed -------------------------------------------------------------------------------------


def command(cloud: LocalCloud, queue: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "forwarder_tools", "publish", str(path), "--queue-url", queue],
        env=base_environment(**cloud.aws_settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def known(path: Path) -> int:
    """How many events the journal of a file knows to be published."""
    journal = path.with_name(f"{path.name}.published")
    return journal.read_bytes().count(b"\n") - 1 if journal.exists() else -1


def stopped(cloud: LocalCloud, queue: str, path: Path, number: signal.Signals, mark: int) -> int:
    """Publish until the journal knows so many events, and send the process a signal; return its status."""
    with command(cloud, queue, path) as process:
        wait_for(lambda: known(path) >= mark or process.poll() is not None, seconds=SECONDS, what=f"event {mark}")
        process.send_signal(number)
        process.communicate(timeout=SECONDS)
        return process.returncode


@pytest.fixture
def many(tmp_path: Path) -> Path:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(f"{numbered(number)}\n" for number in range(EVENTS)))
    return path


@pytest.fixture
def marks() -> Iterator[int]:
    """Where to stop, three times."""
    return iter(sorted(random.Random(20261127).sample(range(50, EVENTS - 300), KILLS)))  # noqa: S311 - no secret


def test_killed_three_times_it_publishes_every_event_and_few_twice(
    cloud: LocalCloud, many: Path, marks: Iterator[int]
) -> None:
    queue = make_queue(cloud)
    for mark in marks:
        assert stopped(cloud, queue, many, signal.SIGKILL, mark) == -signal.SIGKILL
    assert main(["publish", str(many), "--queue-url", queue]) == 0

    times = Counter(ids(contents(cloud, queue)))
    assert times.keys() == {f"e-{number}" for number in range(EVENTS)}
    assert times.total() - EVENTS <= KILLS * IN_FLIGHT * MAX_ENTRIES


def test_on_a_fifo_queue_nothing_is_there_twice_and_each_device_keeps_its_order(
    cloud: LocalCloud, many: Path, marks: Iterator[int]
) -> None:
    queue = make_queue(cloud, fifo=True)
    for mark in marks:
        assert stopped(cloud, queue, many, signal.SIGKILL, mark) == -signal.SIGKILL
    assert main(["publish", str(many), "--queue-url", queue]) == 0

    messages = peek(cloud, queue)
    for group in range(GROUPS):
        sent = ids([message.body for message in messages if message.group == f"KDtest-{group}"])
        assert sent == [f"e-{number}" for number in range(group, EVENTS, GROUPS)]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_publishes_nothing_twice(
    cloud: LocalCloud, many: Path, number: signal.Signals, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = make_queue(cloud)
    assert stopped(cloud, queue, many, number, 200) == status
    before = known(many)
    assert before == len(contents(cloud, queue)) < EVENTS

    assert main(["publish", str(many), "--queue-url", queue]) == 0
    assert sorted(ids(contents(cloud, queue))) == sorted(f"e-{number}" for number in range(EVENTS))
    assert capsys.readouterr().err == f"{EVENTS - before:,} sent, {before:,} published before\n"


# --- where it sends -----------------------------------------------------------------------------------------


def test_the_variable_names_the_queue_and_an_option_comes_before_it(
    cloud: LocalCloud, queue: str, file: Path
) -> None:
    other = make_queue(cloud)
    assert main(["publish", str(file)]) == 0
    assert contents(cloud, queue) == file.read_text().splitlines()
    assert main(["publish", str(file), "--queue-url", other, "--journal", f"{file}.other"]) == 0
    assert len(contents(cloud, other)) == 3
    assert len(contents(cloud, queue)) == 3


def test_a_stack_names_the_queue(cloud: LocalCloud, queue: str, file: Path) -> None:
    cloud.stacks.create_stack(StackName="mini", TemplateBody=json.dumps(MINI_STACK))
    cloud.stacks.get_waiter("stack_create_complete").wait(StackName="mini", WaiterConfig={"Delay": 1})
    (stack,) = cloud.stacks.describe_stacks(StackName="mini")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    assert main(["publish", str(file), "--stack", "mini"]) == 0
    assert len(contents(cloud, outputs["EventQueueUrl"])) == 3
    assert contents(cloud, queue) == contents(cloud, outputs["DeadLetterQueueUrl"]) == []


def test_a_queue_must_be_named_once(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVENT_QUEUE_URL", raising=False)
    assert main(["publish", str(file)]) == 2
    assert "name the queue: " in capsys.readouterr().err
    assert main(["publish", str(file), "--stack", "mini", "--queue-url", "q"]) == 2
    assert "name the queue once" in capsys.readouterr().err


def test_a_queue_that_is_not_there_is_a_line(
    cloud: LocalCloud, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(file), "--queue-url", f"{cloud.url}/000000000000/nowhere"]) == 1
    summary, error = capsys.readouterr().err.splitlines()
    assert summary.startswith("0 sent, 3 refused by SQS (")
    assert summary.endswith("), not complete: run it again for the rest")
    assert error.endswith("; check the queue's URL, the region and the account")
    assert known(file) == 0


# --- what it sends ------------------------------------------------------------------------------------------


def test_what_is_invalid_is_named_and_the_rest_is_sent(
    cloud: LocalCloud, queue: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{numbered(1)}\nnot json\n\n{numbered(2, kochava_device=1)}\n{numbered(3)}\n{numbered(1)}\n")

    assert main(["publish", str(file), "--json"]) == 1

    assert ids(contents(cloud, queue)) == ["e-1", "e-3"]
    out, err = capsys.readouterr()
    assert [line.partition(": ")[0] for line in err.splitlines()[:3]] == [f"{file}:{line}" for line in (2, 4, 6)]
    assert err.splitlines()[1].endswith("did you mean kochava_device_id?); correct its spelling")
    assert err.splitlines()[3:] == ["2 sent, 2 invalid, 1 repeated"]
    assert json.loads(out) | {"sent": 2, "invalid": 2, "repeated": 1, "complete": True} == json.loads(out)


def test_it_is_sent_all_the_same_if_nobody_checks(cloud: LocalCloud, queue: str, file: Path) -> None:
    file.write_text("not json\n")
    assert main(["publish", str(file), "--no-check"]) == 0
    assert contents(cloud, queue) == ["not json"]


def test_events_that_name_no_app_are_checked_with_the_stacks(cloud: LocalCloud, queue: str, file: Path) -> None:
    file.write_text(numbered(1).replace('"kochava_app_id": "kotest-app-1", ', ""))
    assert main(["publish", str(file)]) == 1
    assert main(["publish", str(file), "--app-id", "kotest-app-1"]) == 0
    assert len(contents(cloud, queue)) == 1


def test_one_event_over_many_lines_and_a_second_file_go_too(
    cloud: LocalCloud, queue: str, file: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one.json"
    one.write_text(json.dumps(json.loads(numbered(7)), indent=2) + "\n")
    assert main(["publish", str(one), str(file)]) == 0
    assert ids(contents(cloud, queue)) == ["e-7", "e-0", "e-1", "e-2"]
    assert known(one) == 1
    assert known(file) == 3


def test_stdin_has_a_journal_if_one_is_named(
    cloud: LocalCloud, queue: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options, expected in (([], 3), (["--journal", str(file) + ".j"], 6), (["--journal", str(file) + ".j"], 6)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
        assert main(["publish", "-", *options]) == 0
        assert len(contents(cloud, queue)) == expected


def test_a_journal_is_of_one_file(file: Path, queue: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(file), str(file), "--journal", "j", "--queue-url", queue]) == 2
    assert "--journal belongs to one FILE" in capsys.readouterr().err


def test_a_run_that_sent_nothing_leaves_its_file_to_another_queue(
    cloud: LocalCloud, queue: str, file: Path
) -> None:
    assert main(["publish", str(file), "--queue-url", f"{cloud.url}/000000000000/nowhere"]) == 1
    assert main(["publish", str(file)]) == 0
    assert len(contents(cloud, queue)) == 3


def test_a_dry_run_sends_and_writes_nothing(
    cloud: LocalCloud, queue: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(file), "--dry-run"]) == 0
    assert capsys.readouterr().err == "3 would be sent\n"
    assert contents(cloud, queue) == []
    assert known(file) == -1


def test_events_get_ids_that_the_next_run_gives_them_too(
    cloud: LocalCloud, queue: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    event = json.loads(event_of("KDtest-1"))
    file.write_text(f"{json.dumps(event)}\n" * 2)
    journal = file.with_name(f"{file.name}.published")

    assert main(["publish", str(file), "--add-event-ids"]) == 0
    first = ids(contents(cloud, queue))
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])  # as if it had been killed
    assert main(["publish", str(file), "--add-event-ids"]) == 0

    assert len({*first}) == 2
    assert sorted(ids(contents(cloud, queue))) == sorted(first * 2)
    assert capsys.readouterr().err == "2 sent\n" * 2


def test_what_has_no_id_is_counted(queue: str, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del queue
    file.write_text(event_of("KDtest-1"))
    assert main(["publish", str(file)]) == 0
    assert capsys.readouterr().err == "1 sent, 1 without event_id\n"


def test_a_path_groups_the_events_of_a_fifo_queue(
    cloud: LocalCloud, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fifo = make_queue(cloud, fifo=True)
    file.write_text(event_of("KDtest-1", user="u-1"))
    assert main(["publish", str(file), "--queue-url", fifo, "--group-by", "data.user"]) == 0
    assert [message.group for message in peek(cloud, fifo)] == ["u-1"]

    assert main(["publish", str(file), "--queue-url", make_queue(cloud), "--group-by", "data.user"]) == 2
    assert "--group-by is for a FIFO queue" in capsys.readouterr().err


def test_every_file_must_be_there_before_anything_is_sent(
    cloud: LocalCloud, queue: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", str(file), "nowhere.jsonl"]) == 2
    assert capsys.readouterr().err == (
        "nowhere.jsonl: No such file or directory: give a file that can be read, or - for stdin\n"
    )
    assert contents(cloud, queue) == []
