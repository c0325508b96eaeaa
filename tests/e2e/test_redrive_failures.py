"""Redriving when something fails, or somebody kills it: nothing is lost, and what is doubled is known."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from forwarder_tools.cli import main
from forwarder_tools.deadletters import aws, commands
from forwarder_tools.processes import ROOT, base_environment, wait_for
from tests.e2e.dead_queues import REASONS, DeadQueues, bodies

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    from forwarder_tools.localcloud import LocalCloud

pytestmark = pytest.mark.usefixtures("aws_settings")


def redrive(queues: DeadQueues, *options: str) -> int:
    return main(["dlq", "redrive", "--rate", "1000", *options, *queues.options])


@pytest.fixture
def at_call(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[int], None]], None]:
    """Have something done before each call of one kind to SQS; it learns the call's number."""

    def register(operation: str, before: Callable[[int], None]) -> None:
        def client() -> SQSClient:
            client = aws.sqs_client()
            numbers = iter(range(1, 1000))
            client.meta.events.register(f"before-call.sqs.{operation}", lambda **_: before(next(numbers)))
            return client

        monkeypatch.setattr(commands, "sqs_client", client)

    return register


def test_what_sqs_does_not_take_stays_and_is_said(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    queues = DeadQueues.make(cloud, fifo=False, MaximumMessageSize="1024")
    taken = queues.dead_letter("expired", 12)
    refused = queues.dead_letter("expired", 3, padding=2000)

    assert redrive(queues, "--all") == 1

    assert bodies(queues.in_events()) == sorted(taken)
    assert bodies(queues.in_dead()) == sorted(refused)
    assert all(message.visible for message in queues.in_dead())
    assert capsys.readouterr().err.startswith("12 redriven\n3 not redriven: InvalidParameterValue; ")


def test_none_of_a_group_overtakes_one_that_fails(cloud: LocalCloud, capsys: pytest.CaptureFixture[str]) -> None:
    queues = DeadQueues.make(cloud, fifo=True, MaximumMessageSize="1024")
    sent = [
        *queues.dead_letter("expired", 2, group="one"),
        *queues.dead_letter("expired", 1, group="one", padding=2000),
        *queues.dead_letter("expired", 3, group="one"),
        *queues.dead_letter("expired", 1, group="other"),
    ]

    assert redrive(queues, "--all") == 1

    assert bodies(queues.in_events()) == sorted([*sent[:2], sent[-1]])
    assert [message.body for message in queues.in_dead()] == sent[2:-1]
    assert "3 not tried: an earlier one of their message group failed" in capsys.readouterr().err


def test_what_cannot_be_deleted_ends_the_redrive_and_is_named(
    standard: DeadQueues,
    at_call: Callable[[str, Callable[[int], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(number: int) -> None:
        if number > 1:
            raise ReadTimeoutError(endpoint_url="")

    sent = standard.dead_letter("expired", 35)
    ids = sorted(message.id for message in standard.in_dead()[10:20])
    at_call("DeleteMessageBatch", fail)

    assert redrive(standard, "--all") == 1

    assert bodies(standard.in_events()) == sorted(sent[:20])
    assert bodies(standard.in_dead()) == sorted(sent[10:])
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "20 redriven"
    assert said[1].startswith("stopped, since SQS did not delete what was redriven (ReadTimeoutError); ")
    assert said[1].endswith(f": {' '.join(ids)}")
    assert said[2:] == ["it ended before everything was looked at: run it again for the rest"]


def test_a_deletion_that_fails_once_is_tried_again(
    standard: DeadQueues, at_call: Callable[[str, Callable[[int], None]], None]
) -> None:
    def fail(number: int) -> None:
        if number == 1:
            raise ReadTimeoutError(endpoint_url="")

    sent = standard.dead_letter("expired", 12)
    at_call("DeleteMessageBatch", fail)

    assert redrive(standard, "--all") == 0

    assert bodies(standard.in_events()) == sorted(sent)
    assert standard.in_dead() == []


def test_a_copy_without_an_answer_is_not_deleted(
    standard: DeadQueues,
    at_call: Callable[[str, Callable[[int], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(number: int) -> None:
        if number == 2:
            raise ReadTimeoutError(endpoint_url="")

    sent = standard.dead_letter("expired", 25)
    at_call("SendMessageBatch", fail)

    assert redrive(standard, "--all") == 1

    assert len(standard.in_events()) == 10
    assert standard.everywhere() == dict.fromkeys(sent, 1)
    assert all(message.visible for message in standard.in_dead())
    assert "10 redriven\nSQS did not answer for these" in capsys.readouterr().err


def test_ctrl_c_between_a_copy_and_its_deletion_waits_for_the_deletion(
    standard: DeadQueues,
    at_call: Callable[[str, Callable[[int], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(number: int) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)

    sent = standard.dead_letter("expired", 35)
    at_call("DeleteMessageBatch", interrupt)

    assert redrive(standard, "--all") == 130

    assert len(standard.in_events()) == 20
    assert standard.everywhere() == dict.fromkeys(sent, 1)
    assert all(message.visible for message in standard.in_dead())
    assert capsys.readouterr().err.startswith("20 redriven\n")


CHOSEN = REASONS[:4]
BY_REASON = [option for reason in CHOSEN for option in ("--reason", reason)]


def killed(queues: DeadQueues, call: int) -> None:
    """Redrive four of the reasons, and be killed before the deletion of that number."""
    command = [sys.executable, "-m", "tests.e2e.killed_redrive", str(call), "dlq", "redrive"]
    done = subprocess.run(
        [*command, *BY_REASON, *queues.options],
        cwd=ROOT,
        env=base_environment(**queues.cloud.aws_settings),
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


def come_back(queues: DeadQueues) -> None:
    """Wait until the killed command's receives are over."""
    wait_for(lambda: all(message.visible for message in queues.in_dead()), seconds=30, what="their return")


def test_killed_before_a_deletion_nothing_is_lost_and_one_call_is_doubled(queues: DeadQueues) -> None:
    by_reason = {reason: queues.dead_letter(reason) for reason in REASONS}
    moved = queues.moved_by_sqs()
    sent = {*moved, *(body for one in by_reason.values() for body in one)}
    others = sorted([*moved, *(body for reason in REASONS[4:] for body in by_reason[reason])])

    killed(queues, 3)

    there = queues.everywhere()
    assert there.keys() == sent
    assert sum(there.values()) == 80  # the ten of the third call are in both queues
    assert len(queues.in_events()) == 30

    come_back(queues)
    assert redrive(queues, *BY_REASON) == 0

    assert bodies(queues.in_dead()) == others
    there = queues.everywhere()
    assert there.keys() == sent
    # SQS drops the second copy on a FIFO queue; on a standard one the events of one call are there twice.
    assert sum(there.values()) == (70 if queues.fifo else 80)
    assert max(there.values()) == (1 if queues.fifo else 2)


def test_killed_at_any_moment_nothing_is_lost(standard: DeadQueues) -> None:
    sent = standard.dead_letter("expired", 60)
    command = [sys.executable, "-m", "forwarder_tools", "dlq", "redrive", "--all", "--rate", "40"]
    with subprocess.Popen(
        [*command, *standard.options], cwd=ROOT, env=base_environment(**standard.cloud.aws_settings)
    ) as process:
        try:
            wait_for(lambda: len(standard.in_events()) >= 20, seconds=30, what="the first copies")
        finally:
            process.kill()

    there = standard.everywhere()
    assert there.keys() == set(sent)
    assert sum(there.values()) <= 70
    assert len(standard.in_events()) < 60


def test_dead_letters_that_come_meanwhile_are_left_for_the_next_time(
    standard: DeadQueues,
    at_call: Callable[[str, Callable[[int], None]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A redriven event that fails at once comes back as a new dead letter; that must not go on for ever."""

    def come(number: int) -> None:
        if number == 4:  # 1.5 seconds after the first: SQS's clock says whole seconds
            newer.extend(standard.dead_letter("invalid", 10))

    newer: list[str] = []
    sent = standard.dead_letter("invalid", 40)
    at_call("SendMessageBatch", come)

    assert main(["dlq", "redrive", "--all", "--rate", "20", *standard.options]) == 0

    assert bodies(standard.in_events()) == sorted(sent)
    assert bodies(standard.in_dead()) == sorted(newer)
    assert all(message.visible for message in standard.in_dead())
    assert "10 came while this command ran and were left alone" in capsys.readouterr().err
