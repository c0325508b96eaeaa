"""Goes through a dead-letter queue once. Looking at an SQS queue means receiving its messages.

What is received is held, invisible to others, until the walk is over, so that the next receive brings others; then
everything that was not removed is put back. A walk that is killed leaves that to SQS: the hold runs out.

Only what was in the queue at the start is looked at: an event that is redriven and fails again comes back as a new
dead letter while the walk goes on, and would be redriven for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools.deadletters.queues import DeadLetterQueue, Size
from kochava_forwarder.sqs.queues import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    from forwarder_tools.deadletters.letter import Letter

HOLD_SECONDS = 30
"""For how long what is received stays invisible, at least."""

RECEIVES_A_SECOND = 50
"""Messages that a slow connection receives a second: a long queue is held for longer."""

LONGEST_HOLD_SECONDS = 12 * 3600
"""SQS's limit."""

MOST_HELD = 100_000
"""Below the 120,000 messages of a queue that SQS lets be in flight; beyond these it hands out none."""

IDLE_RECEIVES = 10
"""How many receives in a row may bring nothing new before the walk ends: SQS may hand out a message twice."""


class Walk:
    """One way through a dead-letter queue; entered with `with`.

    Args:
        queue: the queue.
        rate: messages a second that the caller takes, if it takes its time.
        at_once: messages of one receive.
    """

    def __init__(self, queue: DeadLetterQueue, *, rate: float | None = None, at_once: int = MAX_ENTRIES) -> None:
        self.queue = queue
        self._at_once = min(at_once, MAX_ENTRIES)
        self._rate = rate
        self._held: dict[str, str] = {}  # message id -> receipt handle of its last receive
        self._removed: set[str] = set()
        self._newer = 0
        self._seen = 0
        self._are_back = True
        self._is_over = False
        self.undeleted: dict[str, str] = {}
        self.size = Size(0, 0, 0)
        self.hold = 0
        self.progress: Callable[[int], None] = lambda _: None

    def __enter__(self) -> Self:
        """Ask how much there is to look at."""
        self.size = self.queue.size()
        self.hold = hold_seconds(self.size.all, self._rate)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put everything back that was not removed; what cannot be put back comes back when its hold is over."""
        try:
            self.queue.put_back(self._held.values())
        except (BotoCoreError, ClientError):
            self._are_back = False

    def letters(self) -> Iterator[list[Letter]]:
        """Yield the dead letters of one receive after the other, each dead letter once, without empty lists."""
        idle = 0
        while idle < IDLE_RECEIVES and len(self._held) < MOST_HELD:
            received = self.queue.receive(self._at_once, self.hold)
            if not received:
                break
            if new := self._new(received):
                self._seen += len(new)
                yield new
                self.progress(len(new))
            idle = 0 if new else idle + 1
        self._is_over = True

    def _new(self, received: Sequence[Letter]) -> list[Letter]:
        """Return those that were in the queue at the start and were not seen before; hold all."""
        self.delete([letter for letter in received if letter.message_id in self._removed])
        first = [letter for letter in received if letter.message_id not in self._held.keys() | self._removed]
        self._held |= {
            letter.message_id: letter.receipt_handle
            for letter in received
            if letter.message_id not in self._removed
        }
        new = [letter for letter in first if letter.queued_at < self.size.moment]
        self._newer += len(first) - len(new)
        return new

    def delete(self, letters: Sequence[Letter]) -> None:
        """Delete dead letters that are dealt with, at most ten; they are not yielded again.

        One whose deletion SQS does not confirm is in `undeleted`, with the reason, and deleted if SQS hands it out
        again.
        """
        names = {letter.message_id for letter in letters}
        self._removed |= names
        for name in names:
            self._held.pop(name, None)
            self.undeleted.pop(name, None)
        self.undeleted |= self.queue.delete(letters)

    @property
    def is_complete(self) -> bool:
        """Whether at least as many dead letters were seen as SQS said it held at the start."""
        return self._seen >= self.size.all

    def remarks(self) -> list[str]:
        """Return what a person should know of what was not seen, a line each."""
        lines = []
        if self.size.all and not self._is_over:
            lines.append("it ended before everything was looked at: run it again for the rest")
        elif not self.is_complete:
            lines.append(f"seen {self._seen} of about {self.size.all} dead letters: {self._why()}")
        if self._newer:
            lines.append(f"{self._newer} came while this command ran and were left alone: run it again for them")
        if not self._are_back:
            lines.append(
                f"what was looked at is visible again within {self.hold} s: SQS did not take it back at once"
            )
        if self.size.has_redrive_policy:
            lines.append("this queue has a dead-letter queue of its own: looking counts as receiving")
        return lines

    def _why(self) -> str:
        if len(self._held) >= MOST_HELD:
            return f"{MOST_HELD} at once is the most that can be held; redrive or purge some, and run it again"
        if self.size.hidden:
            return (
                f"{self.size.hidden} were in somebody else's hands (another command, or one that was killed) "
                "and come back when their visibility timeout is over"
            )
        if self.queue.is_fifo:
            return "of a message group SQS hands out the first ten only; redrive or purge those to see the next"
        return "SQS's counts are approximate; run it again in a minute"


def hold_seconds(messages: int, rate: float | None) -> int:
    """Return for how long messages must be held so that none comes back before the walk is over.

    Args:
        messages: how many there are to go through.
        rate: how many a second the caller takes; None if it does not wait.
    """
    seconds = HOLD_SECONDS + messages / RECEIVES_A_SECOND
    if rate is not None:
        seconds += max(messages, 1) / rate
    return min(LONGEST_HOLD_SECONDS, int(seconds))
