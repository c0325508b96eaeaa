"""What is sent to the event queue for a dead letter, and in which calls. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forwarder_tools import batches
from forwarder_tools.deadletters.letter import iso
from kochava_forwarder.sqs.message import SENT_AT
from kochava_forwarder.sqs.queues import MAX_ATTRIBUTES, MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

    from forwarder_tools.deadletters.letter import Letter


def entry(name: str, letter: Letter, *, fifo: bool) -> SendMessageBatchRequestEntryTypeDef:
    """Return the entry of SendMessageBatch that copies a dead letter to the event queue.

    The body stays as it is, and so do the publisher's attributes and the message group. `sentAt` says when SQS
    first took the event, for the function. On a FIFO queue the deduplication id is new to the event queue, so that
    SQS does not drop the copy, yet always the same for the same dead letter: whoever copies one twice within SQS's
    five minutes sends it once.

    Args:
        name: the entry's name in its call.
        letter: the dead letter.
        fifo: whether the event queue is a FIFO queue.
    """
    copy: SendMessageBatchRequestEntryTypeDef = {"Id": name, "MessageBody": letter.body}
    if attributes := _attributes(letter):
        copy["MessageAttributes"] = attributes
    if letter.group_id:
        copy["MessageGroupId"] = letter.group_id
    if fifo:
        copy["MessageGroupId"] = letter.group_id or letter.message_id
        copy["MessageDeduplicationId"] = f"redrive-{letter.message_id}"
    return copy


def _attributes(letter: Letter) -> dict[str, MessageAttributeValueTypeDef]:
    """Return the copy's attributes, as many as SQS allows: `sentAt` for the function, then the publisher's."""
    publishers = letter.publishers()
    publishers.pop(SENT_AT, None)
    wanted: dict[str, MessageAttributeValueOutputTypeDef] = {
        SENT_AT: {"DataType": "String", "StringValue": iso(letter.sent_at)},
        **publishers,
    }
    kept: dict[str, MessageAttributeValueTypeDef] = {}
    room = MAX_BYTES - len(letter.body.encode())
    for attribute, value in wanted.items():
        size = _size(attribute, value)
        if size <= room and len(kept) < MAX_ATTRIBUTES:
            room -= size
            kept[attribute] = _as_sent(value)
    return kept


def _as_sent(value: MessageAttributeValueOutputTypeDef) -> MessageAttributeValueTypeDef:
    if "BinaryValue" in value:
        return {"DataType": value["DataType"], "BinaryValue": value["BinaryValue"]}
    return {"DataType": value["DataType"], "StringValue": value.get("StringValue", "")}


def _size(name: str, value: MessageAttributeValueOutputTypeDef) -> int:
    content = value.get("BinaryValue") or value.get("StringValue", "").encode()
    return len(name.encode()) + len(value["DataType"].encode()) + len(content)


def size(letter: Letter) -> int:
    """Return the most bytes that SQS counts for a copy of a dead letter."""
    attributes = (_size(name, value) for name, value in letter.attributes.items())
    return min(MAX_BYTES, len(letter.body.encode()) + sum(attributes) + _ROOM_FOR_SENT_AT)


_ROOM_FOR_SENT_AT = _size(SENT_AT, {"DataType": "String", "StringValue": iso(0)})


def in_calls(letters: Sequence[Letter], *, fifo: bool) -> Iterator[list[Letter]]:
    """Yield dead letters in the calls that copy them, on a FIFO queue at most one of each message group a call."""
    return batches.in_calls(letters, size=size, group=lambda letter: (fifo and letter.group_id) or None)
