"""A model of an SQS queue: visibility, receive counts, redrive, message groups, and the limits of 120,000.

Messages come back on ticks of a tenth of a second. A standard queue hands out the longest visible first, where
SQS promises no order at all; a FIFO queue hands out nothing of a group that has messages in flight.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil, inf
from typing import Protocol

MOST_IN_FLIGHT = 120_000  # messages received and not yet deleted or visible again; beyond it nothing is received
MOST_LOOKED_AT = 120_000  # messages from the front of a FIFO queue among which SQS looks for groups that are free
TICKS = 10  # in a second
LONGEST_INVISIBLE = 12 * 3600  # seconds from the receive


@dataclass(frozen=True, slots=True)
class QueueRules:
    """A queue's attributes.

    Args:
        visibility_timeout: seconds after which a received message returns, unless told otherwise.
        max_receive_count: receives after which a message is dead-lettered instead of received again.
        fifo: whether message groups keep their order.
        most_in_flight: messages that may be invisible at the same time.
        most_looked_at: messages, from the oldest on, of which a FIFO queue hands out any.
    """

    visibility_timeout: int
    max_receive_count: int
    fifo: bool = False
    most_in_flight: int = MOST_IN_FLIGHT
    most_looked_at: int = MOST_LOOKED_AT


@dataclass(slots=True, eq=False)
class QueuedMessage:
    """One message; `number`, its place in the order of publishing, is its id and stands for its body.

    Args:
        receives: how often it was received.
        received_at: when it was last.
        returns_at: the tick at which it is visible again, while it is in flight.
    """

    number: int
    sent_at: float
    group: int
    receives: int = 0
    received_at: float = 0.0
    returns_at: int = 0

    @property
    def receipt(self) -> str:
        """The receipt handle of its last receive."""
        return f"{self.number}/{self.receives}"


class Queue:
    """One queue. Moments are in seconds; those of the receives never go back."""

    def __init__(self, rules: QueueRules) -> None:
        self.dead_letters: list[QueuedMessage] = []
        self.most_receives = 0
        self.rules = rules
        self._line: _Line = _GroupedLine(rules.most_looked_at) if rules.fifo else _StandardLine()
        self._in_flight: dict[str, QueuedMessage] = {}
        self._returning: defaultdict[int, list[str]] = defaultdict(list)
        self._ticks: list[int] = []  # the keys of `_returning`, as a heap
        self._tick = 0  # the last one whose returns have happened

    @property
    def visible(self) -> int:
        """Messages that are not in flight, those of blocked groups included."""
        return len(self._line)

    @property
    def in_flight(self) -> int:
        """Messages that are with a consumer, or wait for their next try."""
        return len(self._in_flight)

    @property
    def next_return(self) -> float:
        """When the next message in flight may be visible again; infinity when none is."""
        return self._ticks[0] / TICKS if self._ticks else inf

    def publish(self, number: int, now: float, group: int = 0) -> None:
        """Put a new message into the queue."""
        self._line.publish(QueuedMessage(number, now, group))

    def receive(self, most: int, now: float) -> list[QueuedMessage]:
        """Return up to `most` messages, invisible from now on."""
        self._return_due(int(now * TICKS))
        received = []
        for message in self._line.take(min(most, self.rules.most_in_flight - len(self._in_flight))):
            if message.receives == self.rules.max_receive_count:
                self._line.forget(message)
                self.dead_letters.append(message)
                continue
            message.receives += 1
            message.received_at = now
            self.most_receives = max(self.most_receives, message.receives)
            receipt = message.receipt
            self._in_flight[receipt] = message
            self._hide(receipt, message, now + self.rules.visibility_timeout)
            received.append(message)
        return received

    def delete(self, receipt: str) -> bool:
        """Delete a message in flight; tell whether it still was, by this receive."""
        message = self._in_flight.pop(receipt, None)
        if message is None:
            return False
        self._line.forget(message)
        return True

    def change_visibility(self, receipt: str, seconds: int, now: float) -> bool:
        """Let a message in flight return `seconds` from now; tell whether SQS would take that."""
        message = self._in_flight.get(receipt)
        if message is None or not 0 <= now + seconds - message.received_at <= LONGEST_INVISIBLE:
            return False
        self._hide(receipt, message, now + seconds)
        return True

    def _hide(self, receipt: str, message: QueuedMessage, until: float) -> None:
        message.returns_at = max(ceil(until * TICKS), self._tick + 1)
        if message.returns_at not in self._returning:
            heappush(self._ticks, message.returns_at)
        self._returning[message.returns_at].append(receipt)

    def _return_due(self, tick: int) -> None:
        while self._ticks and self._ticks[0] <= tick:
            due = heappop(self._ticks)
            for receipt in self._returning.pop(due):
                message = self._in_flight.get(receipt)
                if message and message.returns_at == due:  # else it was deleted, or told another time
                    del self._in_flight[receipt]
                    self._line.release(message)
                    self._line.join(message)
        self._tick = max(self._tick, tick)


class _Line(Protocol):
    """The visible messages."""

    def __len__(self) -> int: ...

    def publish(self, message: QueuedMessage) -> None:
        """Take in a new message."""

    def join(self, message: QueuedMessage) -> None:
        """Take in a message that is visible again, after its release."""

    def take(self, most: int) -> list[QueuedMessage]:
        """Hand out up to `most` messages."""

    def release(self, message: QueuedMessage) -> None:
        """Hear that a message that was handed out is in flight no more."""

    def forget(self, message: QueuedMessage) -> None:
        """Release a message that never joins again."""


class _StandardLine:
    """The one that has been visible for longest comes first; no message waits for another."""

    def __init__(self) -> None:
        self._messages: deque[QueuedMessage] = deque()

    def __len__(self) -> int:
        return len(self._messages)

    def publish(self, message: QueuedMessage) -> None:
        self._messages.append(message)

    join = publish

    def take(self, most: int) -> list[QueuedMessage]:
        return [self._messages.popleft() for _ in range(min(most, len(self._messages)))]

    def release(self, message: QueuedMessage) -> None:
        """Free nothing."""

    forget = release


@dataclass(slots=True)
class _Group:
    """A message group: its visible messages as a heap by their order, and how many are handed out."""

    visible: list[tuple[int, QueuedMessage]]
    out: int = 0


class _GroupedLine:
    """Each group in its order, the groups in turn; a group with messages in flight waits.

    Only the oldest messages are looked at, wherever they are: what comes after them waits until some are gone.
    """

    def __init__(self, most_looked_at: int) -> None:
        self._length = 0
        self._groups: defaultdict[int, _Group] = defaultdict(lambda: _Group([]))
        self._free: dict[int, None] = {}  # groups that have something to hand out, in the order of their turns
        self._most_looked_at = most_looked_at
        self._looked_at = 0  # how many messages there are up to the last one that is looked at
        self._last_looked_at = -1
        self._unseen: deque[int] = deque()  # the numbers of those after it
        self._beyond: list[
            tuple[int, int]
        ] = []  # groups whose first message is one of those, as a heap by its number

    def __len__(self) -> int:
        return self._length

    def publish(self, message: QueuedMessage) -> None:
        self._unseen.append(message.number)
        self._look_further()
        self.join(message)

    def join(self, message: QueuedMessage) -> None:
        heappush(self._groups[message.group].visible, (message.number, message))
        self._length += 1
        self._offer(message.group)

    def take(self, most: int) -> list[QueuedMessage]:
        taken: list[QueuedMessage] = []
        while self._free and len(taken) < most:
            name = next(iter(self._free))
            del self._free[name]
            group = self._groups[name]
            while group.visible and group.visible[0][0] <= self._last_looked_at and len(taken) < most:
                taken.append(heappop(group.visible)[1])
                group.out += 1
        self._length -= len(taken)
        return taken

    def release(self, message: QueuedMessage) -> None:
        self._groups[message.group].out -= 1
        self._offer(message.group)

    def forget(self, message: QueuedMessage) -> None:
        self._looked_at -= 1
        self._look_further()
        self.release(message)

    def _look_further(self) -> None:
        while self._unseen and self._looked_at < self._most_looked_at:
            self._last_looked_at = self._unseen.popleft()
            self._looked_at += 1
        while self._beyond and self._beyond[0][0] <= self._last_looked_at:
            self._offer(heappop(self._beyond)[1])

    def _offer(self, name: int) -> None:
        """Let a group have its turn, if it has something to hand out."""
        group = self._groups[name]
        if group.out or not group.visible:
            return
        first = group.visible[0][0]
        if first <= self._last_looked_at:
            self._free[name] = None
        else:
            heappush(self._beyond, (first, name))
