"""SQS's side: postpone, dead-letter. The only module that knows boto3's SQS client.

boto3 costs 150 ms to import and blocks, so that it is imported when a failure first needs it, and its calls are
made on threads, beside the sending, ten entries a call.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from kochava_forwarder.redaction import aws_error, printable
from kochava_forwarder.sqs.message import Message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES = 10  # entries in one batch call of SQS
MAX_BYTES = 1024 * 1024  # of one message with its attributes, and of one batch call of SQS
MAX_DETAIL = 1024  # characters of ASCII
BATCH_WINDOW_SECONDS = 0.02  # how long an entry waits for others to share its call
THREADS = 8


class DeadLetter(NamedTuple):
    """One message for the dead-letter queue: why it goes there, in words that hold no value of the publisher's."""

    message: Message
    reason: str
    detail: str


class Queues:
    """The calls to SQS.

    Args:
        dead_letter_queue_url: where dead letters go; a FIFO queue by its ``.fifo``.
    """

    def __init__(self, dead_letter_queue_url: str) -> None:
        self._dead_letter_queue_url = dead_letter_queue_url
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sqs")
        self._opening = threading.Lock()
        self._dead_letters = _Batcher(self._send_dead_letters, _dead_letter_size, self._threads)
        self._postponements = _Batcher(self._change_visibility, lambda _: 0, self._threads)

    def dead_letter(self, letter: DeadLetter) -> asyncio.Future[str | None]:
        """Copy a message to the dead-letter queue, soon and together with others.

        Returns a future: None once SQS confirmed the copy, else why there is none.
        """
        return self._dead_letters.add(letter)

    def postpone(self, message: Message, seconds: int) -> asyncio.Future[str | None]:
        """Make a message invisible for `seconds` from now, soon and together with others.

        Returns a future: None once SQS agreed, else why not; the queue's own timeout applies then.
        """
        return self._postponements.add((message, seconds))

    def flush(self) -> None:
        """Start every call that waits for more entries."""
        self._dead_letters.flush()
        self._postponements.flush()

    def close(self) -> None:
        """End the threads; the object is not used afterwards."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if "_client" in vars(self):
            self._client.close()

    def _send_dead_letters(self, letters: Sequence[DeadLetter]) -> list[str | None]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entries = [self._entry(index, letter, now) for index, letter in enumerate(letters)]
        answer = self._sqs().send_message_batch(QueueUrl=self._dead_letter_queue_url, Entries=entries)
        return _by_entry(answer, len(letters))

    def _change_visibility(self, postponements: Sequence[tuple[Message, int]]) -> list[str | None]:
        answer = self._sqs().change_message_visibility_batch(
            QueueUrl=self._queue_url(postponements[0][0].queue_arn),
            Entries=[
                {"Id": str(index), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": seconds}
                for index, (message, seconds) in enumerate(postponements)
            ],
        )
        return _by_entry(answer, len(postponements))

    def _queue_url(self, arn: str) -> str:
        """Return the URL of a queue by its ARN, without the call and the right that asking for it would take."""
        account, name = arn.split(":")[4:6]
        return f"{self._sqs().meta.endpoint_url}/{account}/{name}"

    def _entry(self, index: int, letter: DeadLetter, now: str) -> "SendMessageBatchRequestEntryTypeDef":
        message = letter.message
        entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(index), "MessageBody": message.body}
        if attributes := _attributes(letter, now, MAX_BYTES - len(message.body.encode())):
            entry["MessageAttributes"] = {
                name: {"DataType": "Number" if name == "receiveCount" else "String", "StringValue": value}
                for name, value in attributes.items()
            }
        if self._dead_letter_queue_url.endswith(".fifo"):
            entry["MessageGroupId"] = message.group_id or message.message_id
            entry["MessageDeduplicationId"] = message.message_id
        return entry

    def _sqs(self) -> "SQSClient":
        with self._opening:
            return self._client

    @cached_property
    def _client(self) -> "SQSClient":
        import boto3  # noqa: PLC0415 - 150 ms that only a failure should cost
        from botocore.config import Config  # noqa: PLC0415 - the same

        return boto3.client(
            "sqs",
            config=Config(
                connect_timeout=2,
                read_timeout=5,
                max_pool_connections=THREADS,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )


def _by_entry(answer: Mapping[str, Any], entries: int) -> list[str | None]:
    """Return for each entry of a batch call None where SQS confirmed it, else the code of its failure."""
    confirmed = {entry["Id"] for entry in answer.get("Successful", [])}
    failed = {entry["Id"]: entry["Code"] for entry in answer.get("Failed", [])}
    ids = map(str, range(entries))
    return [None if identifier in confirmed else failed.get(identifier, "not confirmed") for identifier in ids]


def _attributes(letter: DeadLetter, now: str, room: int) -> dict[str, str]:
    """Return the dead letter's message attributes, as many as SQS allows beside a body that leaves `room` bytes.

    The body must stay byte-identical, so that beside a body near SQS's limit the detail goes first, then all of
    them: the log line of the message id has them still.
    """
    attributes = {
        "reason": letter.reason,
        "sourceMessageId": letter.message.message_id,
        "receiveCount": str(letter.message.receive_count),
        "deadLetteredAt": now,
    }
    detailed = attributes | {"detail": printable(letter.detail)[:MAX_DETAIL] or letter.reason}
    return next((some for some in (detailed, attributes) if _attributes_size(some) <= room), {})


def _attributes_size(attributes: dict[str, str]) -> int:
    return sum(len(name) + len("String") + len(value) for name, value in attributes.items())


def _dead_letter_size(letter: DeadLetter) -> int:
    """Return the most bytes that SQS may count for a dead letter; what is no Unicode text goes alone."""
    try:
        return len(letter.message.body.encode()) + 2 * MAX_DETAIL
    except UnicodeEncodeError:
        return MAX_BYTES


class _Batcher[T]:
    """Gathers entries into batch calls, made on threads; each entry learns what became of it.

    Args:
        call: makes one call for up to ten entries; returns for each None, or why it failed; may raise.
        size: the bytes that an entry takes of `MAX_BYTES`.
        threads: where the calls are made.
    """

    def __init__(
        self,
        call: Callable[[Sequence[T]], list[str | None]],
        size: Callable[[T], int],
        threads: ThreadPoolExecutor,
    ) -> None:
        self._call = call
        self._size = size
        self._threads = threads
        self._waiting: list[tuple[T, asyncio.Future[str | None]]] = []
        self._bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, item: T) -> asyncio.Future[str | None]:
        """Put an entry into the next call; return its future, which never raises."""
        loop = asyncio.get_running_loop()
        size = self._size(item)
        if self._bytes + size > MAX_BYTES:
            self.flush()
        future: asyncio.Future[str | None] = loop.create_future()
        self._waiting.append((item, future))
        self._bytes += size
        if len(self._waiting) == MAX_ENTRIES:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(BATCH_WINDOW_SECONDS, self.flush)
        return future

    def flush(self) -> None:
        """Start the call with what has been gathered, if anything."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            entries, self._waiting, self._bytes = self._waiting, [], 0
            items = [item for item, _ in entries]
            made = asyncio.wrap_future(self._threads.submit(self._call, items))
            made.add_done_callback(partial(_tell, [future for _, future in entries]))


def _tell(futures: list[asyncio.Future[str | None]], made: asyncio.Future[list[str | None]]) -> None:
    """Pass on to each entry what became of it; an exception counts for all entries of the call."""
    error = asyncio.CancelledError() if made.cancelled() else made.exception()
    results: list[str | None] = [aws_error(error)] * len(futures) if error else made.result()
    for future, result in zip(futures, results, strict=True):
        if not future.done():
            future.set_result(result)
