"""An event queue and its dead-letter queue on the local cloud, filled as the function and SQS fill it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from forwarder_tools.localcloud import LocalCloud, Message, peek
from forwarder_tools.processes import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

REASONS = ("invalid", "rejected", "expired", "ambiguous", "unavailable", "misconfigured")
PUBLISHED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PRIVATE = "KD-private"

_numbers = itertools.count(1)


@dataclass(frozen=True)
class DeadQueues:
    """The two queues of a deployment, without its function."""

    cloud: LocalCloud
    events: str
    dead: str
    fifo: bool

    @classmethod
    def make(cls, cloud: LocalCloud, *, fifo: bool, **attributes: str) -> DeadQueues:
        """Create the queues, the event queue with some more attributes; SQS moves what was received once."""
        number, suffix = next(_numbers), ".fifo" if fifo else ""
        kind: dict[QueueAttributeNameType, str] = {"FifoQueue": "true"} if fifo else {}
        dead = cloud.sqs.create_queue(QueueName=f"dead-{number}{suffix}", Attributes=kind)["QueueUrl"]
        known = cloud.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
        policy = json.dumps({"deadLetterTargetArn": known["QueueArn"], "maxReceiveCount": 1})
        answer = cloud.sqs.create_queue(
            QueueName=f"live-{number}{suffix}",
            Attributes={**kind, "RedrivePolicy": policy, **attributes},  # type: ignore[dict-item] # names as given
        )
        return cls(cloud, answer["QueueUrl"], dead, fifo)

    @property
    def options(self) -> list[str]:
        """How a command line names these queues."""
        return ["--queue", self.events, "--dead-letter-queue", self.dead]

    def dead_letter(
        self, reason: str, count: int = 10, *, age: timedelta = timedelta(), group: str = "", padding: int = 0
    ) -> list[str]:
        """Send dead letters as the function does; return their bodies."""
        bodies = [_body(padding) for _ in range(count)]
        for start in range(0, count, 10):
            entries = [self._entry(body, reason, age, group) for body in bodies[start : start + 10]]
            answer = self.cloud.sqs.send_message_batch(QueueUrl=self.dead, Entries=entries)
            assert len(answer["Successful"]) == len(entries)
        return bodies

    def _entry(self, body: str, reason: str, age: timedelta, group: str) -> SendMessageBatchRequestEntryTypeDef:
        name = str(next(_numbers))
        texts = {
            "reason": reason,
            "sourceMessageId": f"source-{name}",
            "deadLetteredAt": (datetime.now(UTC) - age).isoformat(timespec="milliseconds"),
            "sentAt": PUBLISHED.isoformat(timespec="milliseconds"),
            "detail": f"why {reason}",
            "tenant": PRIVATE,  # the publisher's own
        }
        entry: SendMessageBatchRequestEntryTypeDef = {
            "Id": name,
            "MessageBody": body,
            "MessageAttributes": {
                **{key: {"DataType": "String", "StringValue": value} for key, value in texts.items()},
                "receiveCount": {"DataType": "Number", "StringValue": "3"},
                "blob": {"DataType": "Binary.own", "BinaryValue": b"\0\xff"},
            },
        }
        if self.fifo:
            entry |= {"MessageGroupId": group or f"group-{name}", "MessageDeduplicationId": name}
        return entry

    def moved_by_sqs(self, count: int = 10) -> list[str]:
        """Have SQS move messages to the dead-letter queue by itself; return their bodies."""
        bodies = [_body() for _ in range(count)]
        for body in bodies:
            name = str(next(_numbers))
            entry: SendMessageBatchRequestEntryTypeDef = {"Id": name, "MessageBody": body}
            if self.fifo:
                entry |= {"MessageGroupId": f"group-{name}", "MessageDeduplicationId": name}
            self.cloud.sqs.send_message_batch(QueueUrl=self.events, Entries=[entry])
        before = len(self.in_dead())

        def moved() -> bool:
            self.cloud.sqs.receive_message(QueueUrl=self.events, MaxNumberOfMessages=10, VisibilityTimeout=0)
            return len(self.in_dead()) == before + count

        wait_for(moved, seconds=10, what="the move to the dead-letter queue")
        return bodies

    def in_dead(self) -> list[Message]:
        """Return what is in the dead-letter queue."""
        return peek(self.cloud, self.dead)

    def in_events(self) -> list[Message]:
        """Return what is in the event queue."""
        return peek(self.cloud, self.events)

    def everywhere(self) -> Counter[str]:
        """Return how often each body is in either queue."""
        return Counter(message.body for message in (*self.in_dead(), *self.in_events()))


def bodies(messages: Sequence[Message]) -> list[str]:
    """Return the messages' bodies, sorted."""
    return sorted(message.body for message in messages)


def _body(padding: int = 0) -> str:
    number = next(_numbers)
    return f'{{"kochava_device_id": "{PRIVATE}-{number}",  "note": "\u00e9 {"x" * padding}"}}'
