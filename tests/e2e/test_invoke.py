"""Each sample through the built artifact in the real Lambda runtime, and the command around it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from forwarder_tools.artifact import FUNCTION
from forwarder_tools.invoke import Result, invoke, outcomes, runtime_environment
from forwarder_tools.localcloud import LocalCloud, peek
from forwarder_tools.processes import ROOT, ToolError
from forwarder_tools.runtime import Runtime, lambda_runtime
from forwarder_tools.samples import expectations, read_sample, sample_paths
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


@pytest.mark.parametrize("path", STANDARD, ids=lambda path: path.stem)
def test_each_record_of_a_sample_ends_as_the_table_says(
    path: Path, runtime: Runtime, cloud: LocalCloud, queue: str, sandbox: Sandbox
) -> None:
    seen = len(sandbox.received)
    event = read_sample(path)
    result = Result(event, runtime.invoke(event), sandbox.received[seen:], peek(cloud, queue))

    assert result.invocation.error is None
    ended = outcomes(result)
    assert [outcome for outcome, _ in ended] == [row.outcome for row in expectations()[path.name]]
    for (_, why), row in zip(ended, expectations()[path.name], strict=True):
        assert all(text in why for text in row.mentions)
    assert all(request.accepted for request in result.received)


def test_a_fifo_sample_is_invoked_with_a_fifo_dead_letter_queue() -> None:
    path = next(path for path in sample_paths() if path.stem.startswith("fifo-"))
    result = invoke(path, [])
    assert [outcome for outcome, _ in outcomes(result)] == [row.outcome for row in expectations()[path.name]]
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


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.json", None, r"No such file or directory; events/ has .*purchase\.json"),
        ("text.json", "hello", "not JSON"),
        ("other.json", "{}", "not an SQS event"),
        ("list.json", "[]", "not an SQS event"),
    ],
)
def test_a_file_that_is_no_sample_is_named_in_one_line(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(ToolError, match=message) as caught:
        read_sample(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_ends_the_command_with_status_1() -> None:
    done = _command("events/nothing.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("make invoke: events/nothing.json: No such file")
