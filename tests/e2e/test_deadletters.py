"""Looking at dead letters, exporting and deleting them: nothing changes but what was asked for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from forwarder_tools.cli import main
from tests.e2e.dead_queues import PRIVATE, REASONS, DeadQueues

if TYPE_CHECKING:
    from forwarder_tools.localcloud import LocalCloud
    from tests.e2e.conftest import Forwarder


pytestmark = pytest.mark.usefixtures("aws_settings")


def listed(capsys: pytest.CaptureFixture[str], queues: DeadQueues, *options: str) -> dict[str, Any]:
    assert main(["dlq", "list", "--json", *queues.options, *options]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def counts(answer: dict[str, Any]) -> dict[str, int]:
    return {group["reason"]: group["count"] for group in answer["groups"]}


# --- list ---------------------------------------------------------------------------------------------------


def test_dead_letters_are_listed_by_reason_and_are_back_at_once(
    queues: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    for reason in REASONS:
        queues.dead_letter(reason)
    queues.moved_by_sqs()

    answer = listed(capsys, queues)

    assert answer["complete"]
    assert answer["count"] == 70
    assert counts(answer) == {**dict.fromkeys(REASONS, 10), "moved by SQS": 10}
    assert all(message.visible for message in queues.in_dead())


def test_a_list_shows_ages_and_a_sample_and_no_value_of_the_publishers(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    standard.dead_letter("rejected", 2, age=timedelta(hours=3))
    standard.dead_letter("rejected", 1, age=timedelta(days=2))

    assert main(["dlq", "list", *standard.options]) == 0

    shown = capsys.readouterr().out
    assert "2d to 3h ago" in shown
    assert "why rejected" in shown
    assert "sourceMessageId source-" in shown
    assert PRIVATE not in shown


def test_an_empty_queue_is_said_to_be_empty(standard: DeadQueues, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dlq", "list", *standard.options]) == 0
    assert capsys.readouterr() == ("no dead letters\n", "")


def test_a_long_message_group_cannot_be_listed_and_that_is_said(
    cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    queues = DeadQueues.make(cloud, fifo=True)
    queues.dead_letter("invalid", 25, group="one")

    assert main(["dlq", "list", "--json", *queues.options]) == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["complete"] is False
    assert "seen 10 of about 25 dead letters: of a message group SQS hands out the first ten only" in shown.err


def test_what_somebody_else_holds_is_not_listed_and_that_is_said(
    standard: DeadQueues, cloud: LocalCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    standard.dead_letter("invalid", 5)
    cloud.sqs.receive_message(QueueUrl=standard.dead, MaxNumberOfMessages=2, VisibilityTimeout=60)

    assert main(["dlq", "list", *standard.options]) == 0
    assert "seen 3 of about 5 dead letters: 2 were in somebody else's hands" in capsys.readouterr().err


def test_a_stack_names_its_queues(forwarder: Forwarder, capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = forwarder.publish("this is no JSON")
    forwarder.wait_until_gone(name)

    assert main(["dlq", "show", "--stack", "standard", name]) == 0

    shown = capsys.readouterr().out
    assert "reason: invalid\n" in shown
    assert f"sourceMessageId: {name}\n" in shown


def test_an_unknown_stack_is_one_line_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dlq", "list", "--stack", "nowhere"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("kochava-forwarder: DescribeStacks: ValidationError: ")
    assert line.endswith("; check the stack's name, the region and the account")


# --- which --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--reason", "invalid"], {"invalid": 3}),
        (["--reason", "invalid", "--reason", "moved-by-sqs"], {"invalid": 3, "moved by SQS": 2}),
        (["--older-than", "1h"], {"expired": 4}),
        (["--newer-than", "1h"], {"invalid": 3, "moved by SQS": 2}),
        (["--newer-than", "1h", "--reason", "expired"], {}),
        (["--all"], {"invalid": 3, "expired": 4, "moved by SQS": 2}),
    ],
)
def test_each_option_selects(
    options: list[str], expected: dict[str, int], standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    standard.dead_letter("invalid", 3)
    standard.dead_letter("expired", 4, age=timedelta(hours=5))
    standard.moved_by_sqs(2)

    assert counts(listed(capsys, standard, *options)) == expected


def test_a_message_is_selected_by_either_of_its_ids(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    standard.dead_letter("invalid", 3)
    first, second, _ = standard.in_dead()
    ids = "--message-id", first.id, "--message-id", second.attributes["sourceMessageId"]

    assert listed(capsys, standard, *ids)["count"] == 2


# --- show ---------------------------------------------------------------------------------------------------


def test_a_dead_letter_is_shown_without_what_the_publisher_wrote(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    (body,) = standard.dead_letter("invalid", 1)
    (message,) = standard.in_dead()

    assert main(["dlq", "show", message.id, *standard.options]) == 0
    shown = capsys.readouterr().out
    assert "reason: invalid\n" in shown
    assert "sentAt: 2026-01-02T03:04:05.000+00:00\n" in shown
    assert "tenant: the publisher's; shown with --body\n" in shown
    assert PRIVATE not in shown

    assert main(["dlq", "show", "--body", message.id, *standard.options]) == 0
    shown = capsys.readouterr().out
    assert f"tenant: {PRIVATE}\n" in shown
    assert shown.endswith(f"\n\n{body}\n")
    assert all(message.visible for message in standard.in_dead())


def test_a_dead_letter_that_is_not_there_is_an_error(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dlq", "show", "nothing", *standard.options]) == 1
    assert "kochava-forwarder: no dead letter nothing: `dlq list` shows" in capsys.readouterr().err
