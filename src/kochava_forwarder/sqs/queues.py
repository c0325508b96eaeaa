"""The calls to SQS: postpone, dead-letter, tell of a refusal; ten entries a call, made beside the sending."""

import asyncio
import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from kochava_forwarder.aws import AwsClient, Batcher
from kochava_forwarder.redaction import aws_error, printable
from kochava_forwarder.sqs.message import SENT_AT, Message
from kochava_forwarder.sqs.refusal import Refusal, iso

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef, SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES = 10  # entries in one batch call of SQS
MAX_BYTES = 1024 * 1024  # of one message with its attributes, and of one batch call of SQS
MAX_ATTRIBUTES = 10  # of one message
MAX_DETAIL = 1024  # characters of ASCII
BATCH_WINDOW_SECONDS = 0.02  # how long an entry waits for others to share its call
THREADS = 8


class DeadLetter(NamedTuple):
    """One message for the dead-letter queue.

    Args:
        message: as it came.
        reason: the outcome.
        detail: why, in words that hold no value of the publisher's.
        event_id: the publisher's idempotency key, where he gave one; at most 1024 characters.
    """

    message: Message
    reason: str
    detail: str
    event_id: str | None = None


class SqsQueues:
    """The event queue and the dead-letter queue.

    Args:
        dead_letter_queue_url: where dead letters go; a FIFO queue by its ``.fifo``.
        refusal_queue_arn: the queue where publishers are told of dead letters; None for nowhere.
    """

    def __init__(self, dead_letter_queue_url: str, refusal_queue_arn: str | None = None) -> None:
        self._dead_letter_queue_url = dead_letter_queue_url
        self._refusal_queue_arn = refusal_queue_arn
        self._sqs: AwsClient[SQSClient] = AwsClient("sqs", THREADS)
        self._dead_letters: Batcher[SQSClient, DeadLetter, str | None] = Batcher(
            self._sqs,
            call=self._send_dead_letters,
            failed=aws_error,
            max_entries=MAX_ENTRIES,
            window=BATCH_WINDOW_SECONDS,
            size=_most_bytes,
            max_bytes=MAX_BYTES,
        )
        self._refusals: Batcher[SQSClient, Refusal, str | None] = Batcher(
            self._sqs,
            call=self._send_refusals,
            failed=aws_error,
            max_entries=MAX_ENTRIES,
            window=BATCH_WINDOW_SECONDS,
        )
        self._postponements: Batcher[SQSClient, tuple[Message, int], str | None] = Batcher(
            self._sqs,
            call=_change_visibility,
            failed=aws_error,
            max_entries=MAX_ENTRIES,
            window=BATCH_WINDOW_SECONDS,
        )

    def dead_letter(self, letter: DeadLetter, deadline: float) -> asyncio.Future[str | None]:
        """Copy a message to the dead-letter queue, soon and together with others.

        Return a future: None once SQS confirmed the copy, else why there is none. `deadline`, by the loop's
        clock, is when the call has ended or is given up.
        """
        return self._dead_letters.add(letter, deadline)

    def tell(self, refusal: Refusal, deadline: float) -> asyncio.Future[str | None] | None:
        """Tell the refusal queue, if there is one, of a dead-lettered event, soon and together with others.

        Return a future: None once SQS confirmed it, else why not. `deadline` as above.
        """
        return self._refusals.add(refusal, deadline) if self._refusal_queue_arn else None

    def postpone(self, message: Message, seconds: int, deadline: float) -> asyncio.Future[str | None]:
        """Make a message invisible for `seconds` from now, soon and together with others.

        Return a future: None once SQS agreed, else why not; the queue's own timeout applies then. `deadline` as
        above.
        """
        return self._postponements.add((message, seconds), deadline)

    def flush(self) -> None:
        """Start every call that waits for more entries."""
        self._dead_letters.flush()
        self._refusals.flush()
        self._postponements.flush()

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._sqs.close()

    def _send_dead_letters(self, letters: Sequence[DeadLetter], sqs: "SQSClient") -> list[str | None]:
        now = datetime.now(UTC)
        fifo = self._dead_letter_queue_url.endswith(".fifo")
        entries = [_entry(str(index), letter, now, fifo=fifo) for index, letter in enumerate(letters)]
        answer = sqs.send_message_batch(QueueUrl=self._dead_letter_queue_url, Entries=entries)
        return _by_entry(answer, len(letters))

    def _send_refusals(self, refusals: Sequence[Refusal], sqs: "SQSClient") -> list[str | None]:
        now = datetime.now(UTC)
        answer = sqs.send_message_batch(
            QueueUrl=_queue_url(str(self._refusal_queue_arn), sqs),
            Entries=[
                {"Id": str(index), "MessageBody": refusal.as_json(now)} for index, refusal in enumerate(refusals)
            ],
        )
        return _by_entry(answer, len(refusals))


def _change_visibility(postponements: Sequence[tuple[Message, int]], sqs: "SQSClient") -> list[str | None]:
    answer = sqs.change_message_visibility_batch(
        QueueUrl=_queue_url(postponements[0][0].queue_arn, sqs),
        Entries=[
            {"Id": str(index), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": seconds}
            for index, (message, seconds) in enumerate(postponements)
        ],
    )
    return _by_entry(answer, len(postponements))


def _queue_url(arn: str, sqs: "SQSClient") -> str:
    """Return the URL of a queue by its ARN, without the call and the right that asking for it would take."""
    account, name = arn.split(":")[4:6]
    return f"{sqs.meta.endpoint_url}/{account}/{name}"


def _by_entry(answer: Mapping[str, Any], entries: int) -> list[str | None]:
    """Return for each entry of a batch call None where SQS confirmed it, else the code of its failure."""
    confirmed = {entry["Id"] for entry in answer.get("Successful", [])}
    failed = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
    ids = map(str, range(entries))
    return [None if identifier in confirmed else failed.get(identifier, "not confirmed") for identifier in ids]


def _entry(name: str, letter: DeadLetter, now: datetime, *, fifo: bool) -> "SendMessageBatchRequestEntryTypeDef":
    message = letter.message
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": name, "MessageBody": message.body}
    if attributes := _attributes(letter, now, MAX_BYTES - len(message.body.encode())):
        entry["MessageAttributes"] = attributes
    if fifo:
        entry["MessageGroupId"] = message.group_id or message.message_id
        entry["MessageDeduplicationId"] = message.message_id
    return entry


def _attributes(letter: DeadLetter, now: datetime, room: int) -> "dict[str, MessageAttributeValueTypeDef]":
    """Return the dead letter's message attributes, as many as SQS allows beside a body that leaves `room` bytes.

    The body must stay byte-identical, so that beside a body near SQS's limit the attributes that come last here
    go first; the log line of the message id has ours still. The publisher's own come last, but for those that
    carry the names of ours: these are of an earlier dead letter.
    """
    message = letter.message
    ours: dict[str, MessageAttributeValueTypeDef] = {
        "reason": _string(letter.reason),
        "sourceMessageId": _string(message.message_id),
        "receiveCount": {"DataType": "Number", "StringValue": str(message.receive_count)},
        "deadLetteredAt": _string(iso(now)),
        SENT_AT: _string(iso(datetime.fromtimestamp(message.first_sent_at, UTC))),
    }
    if event_id := printable(letter.event_id or ""):
        ours["eventId"] = _string(event_id)
    ours["detail"] = _string(printable(letter.detail)[:MAX_DETAIL] or letter.reason)
    publishers = {name: value for name, given in message.attributes.items() if (value := _as_sent(given))}
    kept: dict[str, MessageAttributeValueTypeDef] = {}
    for name, value in (ours | {name: value for name, value in publishers.items() if name not in ours}).items():
        room -= len(name.encode()) + _size(value)
        if room < 0 or len(kept) == MAX_ATTRIBUTES:
            break
        kept[name] = value
    return kept


def _string(text: str) -> "MessageAttributeValueTypeDef":
    return {"DataType": "String", "StringValue": text}


def _as_sent(attribute: Any) -> "MessageAttributeValueTypeDef | None":
    """Return a message attribute as SQS takes it, from the form in which Lambda hands it over."""
    match attribute:
        case {"dataType": str(kind), "binaryValue": str(value)}:
            return {"DataType": kind, "BinaryValue": base64.b64decode(value)}
        case {"dataType": str(kind), "stringValue": str(value)}:
            return {"DataType": kind, "StringValue": value}
        case _:
            return None


def _size(attribute: "MessageAttributeValueTypeDef") -> int:
    binary = attribute.get("BinaryValue")
    value = binary if isinstance(binary, bytes) else attribute.get("StringValue", "").encode()
    return len(attribute["DataType"].encode()) + len(value)


def _most_bytes(letter: DeadLetter) -> int:
    """Return the most bytes that SQS may count for a dead letter; what is no Unicode text goes alone."""
    try:
        return len(letter.message.body.encode()) + 3 * MAX_DETAIL + len(str(letter.message.attributes))
    except UnicodeEncodeError:
        return MAX_BYTES
