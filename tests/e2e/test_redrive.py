"""Redriving: what goes over, how, and how fast."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from forwarder_tools.cli import main
from kochava_forwarder.forwarding.decision import expired_before_try
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import DeadLetter, SqsQueues
from tests.e2e.dead_queues import PRIVATE, PUBLISHED, REASONS, DeadQueues, bodies

if TYPE_CHECKING:
    from forwarder_tools.localcloud import LocalCloud

pytestmark = pytest.mark.usefixtures("aws_settings")


def redrive(queues: DeadQueues, *options: str) -> int:
    return main(["dlq", "redrive", "--rate", "1000", *options, *queues.options])


def test_the_dead_letters_of_a_reason_go_and_the_others_stay(
    queues: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = {reason: queues.dead_letter(reason) for reason in REASONS}
    queues.moved_by_sqs()
    total = queues.everywhere()

    assert redrive(queues, "--reason", "expired") == 0

    assert bodies(queues.in_events()) == sorted(sent["expired"])
    assert queues.everywhere() == total
    assert all(message.visible for message in queues.in_dead())
    assert capsys.readouterr().err == "10 redriven\n"


def test_for_programs_a_redrive_and_its_dry_run_are_one_object(
    standard: DeadQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    standard.dead_letter("expired", 2)
    assert redrive(standard, "--all", "--dry-run", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["complete"], planned["count"]) == (True, 2)
    assert redrive(standard, "--all", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "redriven": 2,
        "failed": {},
        "behind": 0,
        "unanswered": [],
        "undeleted": {},
    }


def test_a_copy_has_what_the_publisher_sent_and_when(queues: DeadQueues) -> None:
    (body,) = queues.dead_letter("expired", 1, group="one")
    (dead,) = queues.in_dead()

    assert redrive(queues, "--all") == 0

    (copy,) = queues.in_events()
    assert copy.body == body
    assert copy.id != dead.id
    assert copy.group == ("one" if queues.fifo else None)
    assert copy.attributes == {
        "tenant": PRIVATE,
        "blob": dead.attributes["blob"],
        "sentAt": PUBLISHED.isoformat(timespec="milliseconds"),
    }


def test_what_sqs_moved_gets_when_it_was_sent(queues: DeadQueues) -> None:
    (body,) = queues.moved_by_sqs(1)

    assert redrive(queues, "--reason", "moved by SQS") == 0

    (copy,) = queues.in_events()
    assert copy.body == body
    assert copy.attributes.keys() == {"sentAt"}


def received(queues: DeadQueues) -> Message:
    """Receive a redriven message as the function does."""
    answer = queues.cloud.sqs.receive_message(
        QueueUrl=queues.events, MessageSystemAttributeNames=["All"], MessageAttributeNames=["All"]
    )
    (message,) = answer["Messages"]
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in message["MessageAttributes"].items()
    }
    record: dict[str, Any] = {
        "messageId": message["MessageId"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": attributes,
    }
    return Message.from_record(SQSRecord(record), time.time())


def test_an_event_that_the_function_gave_up_is_tried_again_and_keeps_its_time(queues: DeadQueues) -> None:
    published = PUBLISHED.timestamp()
    own = {"tenant": {"dataType": "String", "stringValue": "one"}}
    message = Message("m-1", "r-1", "{}", published, published, 55, "g", "", own)

    async def dead_letter() -> None:
        sqs = SqsQueues(queues.dead)
        deadline = asyncio.get_running_loop().time() + 10
        copied = sqs.dead_letter(DeadLetter(message, "expired", "too old", "order-1"), deadline)
        sqs.flush()
        assert await copied is None
        sqs.close()

    asyncio.run(dead_letter())
    assert redrive(queues, "--message-id", "m-1", "--reason", "expired") == 0

    again = received(queues)
    assert again.first_sent_at == published
    assert again.attributes.keys() == {"sentAt", "tenant"}
    assert expired_before_try(again, horizon=60, now=time.time()) is None


def test_a_message_group_keeps_its_order_however_long_it_is(cloud: LocalCloud) -> None:
    queues = DeadQueues.make(cloud, fifo=True)
    sent = queues.dead_letter("expired", 25, group="one")

    assert redrive(queues, "--all") == 0

    assert [message.body for message in queues.in_events()] == sent
    assert queues.in_dead() == []


def test_no_more_go_in_a_second_than_the_rate_says(standard: DeadQueues) -> None:
    standard.dead_letter("expired", 30)
    start = time.monotonic()
    assert main(["dlq", "redrive", "--all", "--rate", "20", *standard.options]) == 0
    assert time.monotonic() - start >= 1  # the third ten may go after a second
