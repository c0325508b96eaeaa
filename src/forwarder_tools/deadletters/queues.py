"""The calls to SQS: receive dead letters, put them back, delete them, copy them to the event queue."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools import batches
from forwarder_tools.deadletters.copies import entry
from forwarder_tools.deadletters.letter import Letter
from forwarder_tools.processes import ToolError
from kochava_forwarder.redaction import aws_error
from kochava_forwarder.sqs.queues import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import (
        DeleteMessageBatchRequestEntryTypeDef,
        DeleteMessageBatchResultTypeDef,
        SendMessageBatchResultTypeDef,
    )

    from forwarder_tools.deadletters.aws import Queues

POLL_SECONDS = 1
"""How long SQS looks for a message before it answers that there is none: with any wait it asks all its servers."""

DELETE_ATTEMPTS = 3


@dataclass(frozen=True)
class Size:
    """What SQS says of a queue; its counts are approximate.

    Args:
        visible: messages that it would hand out.
        hidden: messages that somebody has received and not deleted yet, or that are delayed.
        moment: when it said so by its own clock, in seconds since 1970, rounded up to a whole second.
        has_redrive_policy: whether it has a dead-letter queue of its own.
    """

    visible: int
    hidden: int
    moment: float
    has_redrive_policy: bool = False

    @property
    def all(self) -> int:
        """How many messages it holds."""
        return self.visible + self.hidden


class _Queue:
    """A queue of SQS.

    Args:
        sqs: the client.
        url: the queue's.
    """

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self.url = url

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps the order within a message group."""
        return self.url.endswith(".fifo")


class DeadLetterQueue(_Queue):
    """A dead-letter queue."""

    def size(self) -> Size:
        """Return how many messages it holds now."""
        answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        attributes = answer["Attributes"]
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        return Size(
            visible=int(attributes["ApproximateNumberOfMessages"]),
            hidden=int(attributes["ApproximateNumberOfMessagesNotVisible"])
            + int(attributes["ApproximateNumberOfMessagesDelayed"]),
            moment=parsedate_to_datetime(date).timestamp() + 1 if date else time.time(),
            has_redrive_policy="RedrivePolicy" in attributes,
        )

    def receive(self, most: int, hold: int) -> list[Letter]:
        """Receive dead letters; none means that there is none to be had at this moment.

        Args:
            most: how many at most, up to ten.
            hold: seconds for which nobody else receives them.
        """
        answer = self._sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=most,
            VisibilityTimeout=hold,
            WaitTimeSeconds=POLL_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return [Letter.from_received(message) for message in answer.get("Messages", [])]

    def put_back(self, receipt_handles: Iterable[str]) -> None:
        """Make dead letters visible again; one that SQS does not take becomes so when its hold is over."""
        for handles in itertools.batched(receipt_handles, MAX_ENTRIES, strict=False):
            self._sqs.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for number, handle in enumerate(handles)
                ],
            )

    def delete(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """Delete dead letters, at most ten.

        Never raises what AWS does: a dead letter that has been copied must be deleted or named.

        Returns:
            For each of which SQS did not confirm it after three attempts, by its message id, why.
        """
        failures = {letter.message_id: batches.NOT_CONFIRMED for letter in letters}
        for _ in range(DELETE_ATTEMPTS):
            left = [letter for letter in letters if letter.message_id in failures]
            if not left:
                break
            entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
                {"Id": str(number), "ReceiptHandle": letter.receipt_handle} for number, letter in enumerate(left)
            ]
            try:
                failures = _failures(left, self._sqs.delete_message_batch(QueueUrl=self.url, Entries=entries))
            except (ClientError, BotoCoreError) as error:
                failures = {letter.message_id: aws_error(error) for letter in left}
        return failures


class EventQueue(_Queue):
    """The queue from which the function takes events."""

    def copy(self, letters: Sequence[Letter]) -> Mapping[str, str]:
        """Send copies of dead letters, as many as one call takes.

        Returns:
            For each that SQS did not confirm, by its message id, the code of its failure.
        """
        entries = [entry(str(number), letter, fifo=self.is_fifo) for number, letter in enumerate(letters)]
        return _failures(letters, self._sqs.send_message_batch(QueueUrl=self.url, Entries=entries))


def _failures(
    letters: Sequence[Letter], answer: SendMessageBatchResultTypeDef | DeleteMessageBatchResultTypeDef
) -> dict[str, str]:
    """Return why SQS did not confirm an entry of a batch call, by the message id of its letter."""
    failed = batches.failures(map(str, range(len(letters))), answer)
    return {letters[int(number)].message_id: failure.code for number, failure in failed.items()}


def both(sqs: SQSClient, queues: Queues) -> tuple[DeadLetterQueue, EventQueue]:
    """Return the queues between which dead letters are redriven.

    Raises:
        ToolError: the event queue is not known, or the two cannot belong together.
    """
    if queues.events is None:
        raise ToolError("the event queue is not known: name it with --queue URL, or the stack with --stack NAME")
    dead_letters, events = DeadLetterQueue(sqs, queues.dead_letters), EventQueue(sqs, queues.events)
    if dead_letters.url == events.url:
        raise ToolError(f"{events.url} is both the event queue and the dead-letter queue: name two queues")
    if dead_letters.is_fifo != events.is_fifo:
        raise ToolError("one queue is a FIFO queue and the other is not: name two queues of one stack")
    return dead_letters, events
