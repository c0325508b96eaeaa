"""Every command and query of docs/runbook.md, run as written, on the local cloud."""

from __future__ import annotations

import os
import re
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from forwarder_tools.processes import ROOT, base_environment
from tests.e2e.commands import aws_cli

if TYPE_CHECKING:
    from tests.e2e.conftest import Forwarder

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
BEGINNING, *COMMANDS = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
QUERIES = re.findall(r"```insights\n(.*?)```", RUNBOOK, re.DOTALL)
SECONDS = 60


def run(forwarder: Forwarder, script: str) -> str:
    """Run a script; return what it prints."""
    programs = (str(aws_cli()), str(ROOT / ".venv" / "bin"), os.environ["PATH"])
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        env=base_environment(**forwarder.cloud.aws_settings, PATH=os.pathsep.join(programs)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def refused(forwarder: Forwarder) -> list[str]:
    """Events that are in the log and in the dead-letter queue."""
    published = forwarder.publish("not JSON", "[]")
    forwarder.wait_until_gone(*published)
    return published


@pytest.fixture(scope="module")
def beginning(forwarder: Forwarder) -> str:
    """What the commands with which the runbook begins have set, as commands that set it again."""
    named = BEGINNING.replace("STACK=kochava-forwarder", f"STACK={forwarder.name}")
    assert named != BEGINNING
    return run(forwarder, f"set -a\n{named}export -p\n")


def test_the_function_is_found_by_the_stacks_name(forwarder: Forwarder, beginning: str) -> None:
    assert run(forwarder, f'{beginning}echo "$FUNCTION"').strip() == forwarder.stack.function_name


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_as_written(forwarder: Forwarder, beginning: str, command: str) -> None:
    shown = run(forwarder, beginning + command)
    assert bool(shown) is (">/dev/null" not in command)


def test_the_log_command_shows_what_was_not_delivered(
    forwarder: Forwarder, beginning: str, refused: list[str]
) -> None:
    [command] = [command for command in COMMANDS if "filter-log-events" in command]
    shown = run(forwarder, beginning + command)
    assert all(message in shown for message in refused)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_understood(forwarder: Forwarder, query: str) -> None:
    assert isinstance(_found(forwarder, query), list)


def test_the_first_query_shows_what_was_not_delivered(forwarder: Forwarder, refused: list[str]) -> None:
    shown = "\n".join(_found(forwarder, QUERIES[0]))
    assert all(message in shown for message in refused)


def _found(forwarder: Forwarder, query: str) -> list[str]:
    now = int(time.time())
    logs = forwarder.cloud.logs
    configuration = forwarder.cloud.functions.get_function_configuration(
        FunctionName=forwarder.stack.function_name
    )
    started = logs.start_query(
        logGroupName=configuration["LoggingConfig"]["LogGroup"],
        startTime=now - 3600,
        endTime=now + 60,
        queryString=query,
    )
    answer = logs.get_query_results(queryId=started["queryId"])
    assert answer["status"] == "Complete"
    return [field["value"] for row in answer["results"] for field in row]
