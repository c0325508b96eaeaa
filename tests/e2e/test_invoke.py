"""Each sample through the built artifact in the real Lambda runtime, and the command around it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forwarder_tools.artifact import FUNCTION
from forwarder_tools.invoke import Result, invoke, outcomes, runtime_environment
from forwarder_tools.localcloud import LocalCloud, peek
from forwarder_tools.processes import ROOT
from forwarder_tools.runtime import Runtime, lambda_runtime
from forwarder_tools.samples import EVENTS, expectations, read_sample, sample_name, sample_paths
from forwarder_tools.sandbox import Sandbox


@pytest.fixture(scope="module")
def queue(cloud: LocalCloud) -> str:
    return cloud.sqs.create_queue(QueueName="dead-letters-of-samples")["QueueUrl"]


@pytest.fixture(scope="module")
def runtime(cloud: LocalCloud, queue: str, sandbox: Sandbox, template: Path) -> Iterator[Runtime]:
    settings = runtime_environment(cloud, queue, sandbox)
    with lambda_runtime(template.parent / FUNCTION, settings) as runtime:
        yield runtime


STANDARD = [path for path in sample_paths() if not path.stem.startswith("fifo-")]


@pytest.mark.parametrize("path", STANDARD, ids=sample_name)
def test_each_record_of_a_sample_ends_as_the_table_says(
    path: Path, runtime: Runtime, cloud: LocalCloud, queue: str, sandbox: Sandbox
) -> None:
    seen = len(sandbox.received)
    event = read_sample(path)
    result = Result(event, runtime.invoke(event), sandbox.received[seen:], peek(cloud, queue))

    assert result.invocation.error is None
    ended = outcomes(result)
    assert [outcome for outcome, _ in ended] == [row.outcome for row in expectations()[sample_name(path)]]
    for (_, why), row in zip(ended, expectations()[sample_name(path)], strict=True):
        assert all(text in why for text in row.mentions)
    assert all(request.accepted for request in result.received)


def test_a_fifo_sample_is_invoked_with_a_fifo_dead_letter_queue() -> None:
    path = EVENTS / "fifo-groups.json"
    result = invoke(path, [])
    assert [outcome for outcome, _ in outcomes(result)] == [
        row.outcome for row in expectations()[sample_name(path)]
    ]
    assert [message.group for message in result.dead] == ["KDtest0041"]


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forwarder_tools.invoke", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_shows_what_happened() -> None:
    done = _command("events/mixed-batch.json", "--fault", "503")
    assert done.returncode == 0, done.stderr
    for text in (
        "batchItemFailures",
        "delivered",
        "invalid",
        "unavailable",
        "comes back in",
        "data.event_data.items",
    ):
        assert text in done.stdout


def test_for_programs_the_command_prints_one_object() -> None:
    done = _command("events/purchase.json", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert [record["outcome"] for record in said["records"]] == ["delivered"]
    assert [request["answer"] for request in said["received"]] == ["200 success"]


def test_events_as_they_are_published_are_invoked_one_a_line(tmp_path: Path) -> None:
    [sample] = read_sample(EVENTS / "purchase.json")["Records"]
    path = tmp_path / "events.jsonl"
    path.write_text(f'{sample["body"]}\n{{"kochava_device_id": "KDtest-lines"}}\n')
    done = _command(str(path))

    assert done.returncode == 0, done.stderr
    for text in ('"batchItemFailures": []', "delivered", "invalid", "data.event_name: is missing"):
        assert text in done.stdout


def test_a_missing_file_ends_the_command_with_status_1() -> None:
    done = _command("events/nothing.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kochava-forwarder invoke: events/nothing.json: No such file")
