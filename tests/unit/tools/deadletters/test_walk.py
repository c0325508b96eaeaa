"""How a walk ends, what it repeats and what it puts back, with a queue that does what SQS may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from botocore.exceptions import ReadTimeoutError

from forwarder_tools.deadletters import walk as walk_module
from forwarder_tools.deadletters.queues import DeadLetterQueue, Size
from forwarder_tools.deadletters.walk import HOLD_SECONDS, LONGEST_HOLD_SECONDS, Walk, hold_seconds
from tests.unit.tools.deadletters.letters import NOW, letter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from forwarder_tools.deadletters.letter import Letter


class Queue:
    """Hands out what it is told to, receive by receive; deletes what it is told it can delete."""

    is_fifo = False

    def __init__(self, receives: Iterable[Sequence[Letter]], size: Size) -> None:
        self._receives = iter(receives)
        self._size = size
        self.back: list[str] = []
        self.deleted: list[str] = []
        self.deletes = True
        self.takes_back = True

    def size(self) -> Size:
        return self._size

    def receive(self, most: int, hold: int) -> Sequence[Letter]:
        assert most <= 10
        assert hold >= HOLD_SECONDS
        return next(self._receives, [])

    def put_back(self, receipt_handles: Iterable[str]) -> None:
        if not self.takes_back:
            raise ReadTimeoutError(endpoint_url="")
        self.back += receipt_handles

    def delete(self, letters: Sequence[Letter]) -> dict[str, str]:
        if not self.deletes:
            return {one.message_id: "why" for one in letters}
        self.deleted += [one.message_id for one in letters]
        return {}


def walk_of(*receives: Sequence[Letter], visible: int, hidden: int = 0) -> tuple[Walk, Queue]:
    queue = Queue(receives, Size(visible, hidden, moment=NOW + 1))
    return Walk(cast("DeadLetterQueue", queue)), queue


def seen(walk: Walk) -> list[str]:
    with walk:
        return [one.message_id for letters in walk.letters() for one in letters]


ONE, TWO, THREE = (letter(name) for name in ("1", "2", "3"))


def test_everything_is_seen_once_and_put_back() -> None:
    walk, queue = walk_of([ONE, TWO], [THREE, ONE], visible=3)
    assert seen(walk) == ["1", "2", "3"]
    assert sorted(queue.back) == ["receipt-1", "receipt-2", "receipt-3"]
    assert walk.is_complete
    assert walk.remarks() == []


def test_what_came_later_is_put_back_unseen() -> None:
    walk, queue = walk_of([ONE, later("9")], visible=1)
    assert seen(walk) == ["1"]
    assert sorted(queue.back) == ["receipt-1", "receipt-9"]
    assert walk.remarks() == ["1 came while this command ran and were left alone: run it again for them"]


def later(name: str) -> Letter:
    return letter(name).__class__(name, f"receipt-{name}", "", {"SentTimestamp": f"{(NOW + 1) * 1000:.0f}"})


def test_a_queue_that_grows_faster_than_it_is_read_ends_the_walk() -> None:
    def growing() -> Iterator[list[Letter]]:
        yield [ONE]
        for number in range(1000):
            yield [later(f"new-{number}")]

    queue = Queue(growing(), Size(1, 0, moment=NOW + 1))
    walk = Walk(cast("DeadLetterQueue", queue))
    assert seen(walk) == ["1"]
    assert len(queue.back) < 20


def test_sqs_that_repeats_itself_ends_the_walk() -> None:
    queue = Queue(iter(lambda: [ONE], None), Size(2, 0, moment=NOW + 1))
    walk = Walk(cast("DeadLetterQueue", queue))
    assert seen(walk) == ["1"]
    assert not walk.is_complete


def test_no_more_are_held_than_sqs_lets_be_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk_module, "MOST_HELD", 2)
    walk, queue = walk_of([ONE, TWO], [THREE], visible=3)
    assert seen(walk) == ["1", "2"]
    assert len(queue.back) == 2


def test_what_was_deleted_is_not_put_back() -> None:
    walk, queue = walk_of([ONE, TWO], visible=2)
    with walk:
        for letters in walk.letters():
            walk.delete(letters[:1])
    assert queue.deleted == ["1"]
    assert queue.back == ["receipt-2"]
    assert walk.undeleted == {}


def test_what_could_not_be_deleted_is_deleted_when_it_comes_again_and_not_seen_again() -> None:
    walk, queue = walk_of([ONE], [ONE, TWO], visible=2)
    with walk:
        received = walk.letters()
        queue.deletes = False
        walk.delete(next(received))
        assert walk.undeleted == {"1": "why"}
        queue.deletes = True
        assert next(received) == [TWO]
    assert queue.deleted == ["1"]
    assert walk.undeleted == {}


def test_an_exception_puts_everything_back() -> None:
    def interrupted() -> None:
        with walk:
            next(walk.letters())
            raise KeyboardInterrupt

    walk, queue = walk_of([ONE, TWO], visible=2)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert walk.remarks() == ["it ended before everything was looked at: run it again for the rest"]
    assert sorted(queue.back) == ["receipt-1", "receipt-2"]


def test_what_sqs_does_not_take_back_is_said_to_come_back_by_itself() -> None:
    walk, queue = walk_of([ONE], visible=1)
    queue.takes_back = False
    assert seen(walk) == ["1"]
    (line,) = walk.remarks()
    assert line.startswith(f"what was looked at is visible again within {walk.hold} s: ")


@pytest.mark.parametrize(
    ("size", "fifo", "why"),
    [
        (Size(2, 0, NOW + 1), False, "SQS's counts are approximate; run it again in a minute"),
        (Size(1, 1, NOW + 1), False, "1 were in somebody else's hands (another command, or one that was killed)"),
        (Size(2, 0, NOW + 1), True, "of a message group SQS hands out the first ten only"),
    ],
)
def test_a_walk_that_did_not_see_all_says_why(size: Size, fifo: bool, why: str) -> None:
    queue = Queue([[ONE]], size)
    queue.is_fifo = fifo
    walk = Walk(cast("DeadLetterQueue", queue))
    seen(walk)
    assert walk.remarks()[0].startswith(f"seen 1 of about 2 dead letters: {why}")


def test_a_queue_that_moves_what_is_looked_at_is_said_to_do_so() -> None:
    queue = Queue([], Size(0, 0, NOW, has_redrive_policy=True))
    walk = Walk(cast("DeadLetterQueue", queue))
    seen(walk)
    assert walk.remarks() == ["this queue has a dead-letter queue of its own: looking counts as receiving"]


@pytest.mark.parametrize(
    ("messages", "rate", "seconds"),
    [(0, None, 30), (70, None, 31), (10_000, None, 230), (10_000, 50, 430), (1, 0.1, 40), (10**7, 1, 43200)],
)
def test_a_hold_lasts_as_long_as_the_walk_and_not_much_longer(
    messages: int, rate: float | None, seconds: int
) -> None:
    assert hold_seconds(messages, rate) == seconds <= LONGEST_HOLD_SECONDS
