"""Sends events to the event queue: batches of ten, several in flight, each group in its order."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools.batches import Failure, failures, next_call
from forwarder_tools.processes import uninterrupted
from kochava_forwarder.redaction import aws_error
from kochava_forwarder.sqs.queues import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_sqs import SQSClient

    from forwarder_tools.publishing.events import Event
    from forwarder_tools.publishing.summary import Summary

IN_FLIGHT = 8
"""Batches at once; a run that is killed may have sent so many that its journal does not know."""

READ_AHEAD = 500
"""Events of a FIFO queue among which the next batch looks for groups that are free."""

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the tries of an entry that SQS does not confirm."""

_SERVER_ERRORS = 500  # the lowest HTTP status of a server that failed


@dataclass(frozen=True)
class Sent:
    """What became of one batch.

    Args:
        events: all of it.
        failed: why SQS did not take an event, by its key.
        error: what was raised instead of an answer to the last try.
    """

    events: Sequence[Event]
    failed: dict[str, str]
    error: Exception | None

    @property
    def confirmed(self) -> list[Event]:
        """Those that SQS has."""
        return [event for event in self.events if event.key not in self.failed]


class Sender:
    """Sends events to one queue.

    Args:
        sqs: the client.
        url: the queue's.
        summary: learns what becomes of the events.
        pauses: see `PAUSES`.
    """

    def __init__(self, sqs: SQSClient, url: str, summary: Summary, pauses: Sequence[float] = PAUSES) -> None:
        self._summary = summary
        self._sqs = sqs
        self._url = url
        self._pauses = pauses
        self._read_ahead = READ_AHEAD if url.endswith(".fifo") else MAX_ENTRIES
        self._failed_groups: set[str] = set()
        self._flight: dict[Future[Sent], Sequence[Event]] = {}
        self._interrupted = threading.Event()

    def send(
        self,
        events: Iterable[Event],
        *,
        confirmed: Callable[[Sequence[Event]], None],
        failed: Callable[[Event, str], None],
    ) -> None:
        """Send events; return when it is known what became of each.

        When it is interrupted it begins nothing new, and waits for what is in flight.

        Args:
            events: in their order; they are read as they are sent.
            confirmed: is told of events that SQS has, on this thread.
            failed: is told of an event that SQS refused in a batch, with the code, on this thread.

        Raises:
            ClientError, BotoCoreError: SQS refused a call, or did not answer for too long.
        """
        self._interrupted.clear()
        source = (event for event in events if self._may_go(event))
        waiting: list[Event] = []
        with ThreadPoolExecutor(IN_FLIGHT, "send") as pool:
            try:
                while True:
                    self._begin(pool, source, waiting)
                    if not self._flight:
                        return
                    done = wait(self._flight, return_when=FIRST_COMPLETED).done
                    with uninterrupted():
                        self._end(done, confirmed, failed)
                    waiting[:] = [event for event in waiting if self._may_go(event)]
            finally:
                with uninterrupted():
                    self._interrupted.set()
                    self._end(wait(self._flight).done, confirmed, failed)

    def _begin(self, pool: ThreadPoolExecutor, source: Iterator[Event], waiting: list[Event]) -> None:
        """Send as many batches as may be in flight, of what waits and then of the source."""
        while len(self._flight) < IN_FLIGHT:
            waiting += itertools.islice(source, self._read_ahead - len(waiting))
            busy = {event.group for batch in self._flight.values() for event in batch if event.group}
            batch, later = next_call(waiting, size=_size, group=_group, busy=busy)
            if not batch:
                break
            with uninterrupted():
                self._flight[pool.submit(self._send, batch)] = batch
            waiting[:] = later

    def _end(
        self,
        done: Iterable[Future[Sent]],
        confirmed: Callable[[Sequence[Event]], None],
        failed: Callable[[Event, str], None],
    ) -> None:
        """Say what became of batches, and raise what ended one."""
        batches = [future.result() for future in done if self._flight.pop(future)]
        if taken := [event for batch in batches for event in batch.confirmed]:
            self._summary.sent += len(taken)
            confirmed(taken)
        for batch in batches:
            for event in batch.events:
                if code := batch.failed.get(event.key):
                    self._note_failure(event, code)
                    if not batch.error:  # that one is raised, for all of them
                        failed(event, code)
        if error := next((batch.error for batch in batches if batch.error), None):
            raise error

    def _may_go(self, event: Event) -> bool:
        """Tell whether no earlier event of its group failed; one that stays behind is counted."""
        stays = event.group in self._failed_groups
        self._summary.behind += stays
        return not stays

    def _note_failure(self, event: Event, code: str) -> None:
        self._summary.failed[code] += 1
        if event.group is not None:
            self._failed_groups.add(event.group)

    def _send(self, events: Sequence[Event]) -> Sent:
        """Send a batch, and again what SQS does not confirm of it, a bounded number of times."""
        left = {str(number): event for number, event in enumerate(events)}
        final: dict[str, str] = {}
        error: ClientError | BotoCoreError | None = None
        failed: Mapping[str, Failure] = {}
        for pause in (*self._pauses, None):
            failed, error = self._call(left)
            final |= {left[name].key: failure.code for name, failure in failed.items() if failure.is_final}
            left = {name: left[name] for name, failure in failed.items() if not failure.is_final}
            if not left or pause is None or self._interrupted.wait(pause):
                break
        final |= {event.key: failed[name].code for name, event in left.items()}
        return Sent(events, final, error)

    def _call(
        self, events: Mapping[str, Event]
    ) -> tuple[Mapping[str, Failure], ClientError | BotoCoreError | None]:
        entries = [event.entry(name) for name, event in events.items()]
        try:
            answer = self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            failure = Failure(aws_error(error), is_final=_is_refusal(error))
            return dict.fromkeys(events, failure), error
        return failures(events, answer), None


def _size(event: Event) -> int:
    return event.size


def _group(event: Event) -> str | None:
    return event.group


def _is_refusal(error: BotoCoreError | ClientError) -> bool:
    """Tell whether SQS would refuse the same call again: not what it throttled, or had no answer to."""
    if not isinstance(error, ClientError):
        return False
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return status < _SERVER_ERRORS and "Throttl" not in error.response["Error"]["Code"]
