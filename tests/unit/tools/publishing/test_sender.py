"""How events go to SQS: in batches side by side, again when they fail, and each group in its order."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from forwarder_tools.publishing.events import Event
from forwarder_tools.publishing.sender import IN_FLIGHT, Sender
from forwarder_tools.publishing.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

STANDARD, FIFO = "https://sqs.test/1/events", "https://sqs.test/1/events.fifo"
NO_PAUSES = (0.0, 0.0)
REFUSED = ClientError(
    {"Error": {"Code": "AccessDenied", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 403}},  # type: ignore[typeddict-item] # enough
    "SendMessageBatch",
)
THROTTLED = ClientError(
    {"Error": {"Code": "RequestThrottled", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}},  # type: ignore[typeddict-item] # enough
    "SendMessageBatch",
)
SILENT = ConnectTimeoutError(endpoint_url="https://sqs.test")

type Behaviour = Callable[[str, int], tuple[str, bool] | Exception | None]


class Queue:
    """Stands for SQS: `behaviour` says of a body's try, by its number, how it fails, if it does."""

    def __init__(self, behaviour: Behaviour = lambda _body, _try: None) -> None:
        self.behaviour = behaviour
        self.taken: list[str] = []
        self.tries: Counter[str] = Counter()
        self.calls: list[int] = []
        self.at_once = 0
        self.most_at_once = 0
        self.before_answer: Callable[[], object] = lambda: None
        self._lock = threading.Lock()

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's names
        del QueueUrl
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.before_answer()
        with self._lock:
            self.at_once -= 1
            self.calls.append(len(Entries))
            answer: dict[str, Any] = {"Successful": [], "Failed": []}
            self.tries.update(entry["MessageBody"] for entry in Entries)
            failures = [
                self.behaviour(entry["MessageBody"], self.tries[entry["MessageBody"]]) for entry in Entries
            ]
            if error := next((one for one in failures if isinstance(one, Exception)), None):
                raise error
            for entry, failure in zip(Entries, failures, strict=True):
                if isinstance(failure, tuple):
                    code, fault = failure
                    answer["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": fault})
                else:
                    answer["Successful"].append({"Id": entry["Id"]})
                    self.taken.append(entry["MessageBody"])
            return answer


class Run:
    """A sender, and what it told."""

    def __init__(self, queue: Queue, url: str = STANDARD) -> None:
        self.summary = Summary(url, dry_run=False)
        self.sender = Sender(queue, url, self.summary, NO_PAUSES)  # type: ignore[arg-type] # a stand-in
        self.confirmed: list[str] = []
        self.failed: list[tuple[str, str]] = []
        self.before_confirmation: Callable[[], None] = lambda: None

    def send(self, events: Iterator[Event] | Sequence[Event]) -> None:
        def confirmed(taken: Sequence[Event]) -> None:
            self.before_confirmation()
            self.confirmed += [event.body for event in taken]

        self.sender.send(
            events, confirmed=confirmed, failed=lambda event, code: self.failed.append((event.place, code))
        )


def events(number: int, groups: int = 0, start: int = 0) -> list[Event]:
    return [
        Event(f"f:{n}", f"key-{n}", f"{n}", None, f"own-{n}", f"g{n % groups}" if groups else None)
        for n in range(start, start + number)
    ]


def bodies(given: Sequence[Event]) -> set[str]:
    return {event.body for event in given}


@pytest.mark.parametrize(("url", "groups"), [(STANDARD, 0), (FIFO, 50)])
def test_everything_goes_once_ten_at_a_time(url: str, groups: int) -> None:
    given, queue = events(1234, groups), Queue()
    run = Run(queue, url)
    run.send(given)

    assert len(queue.taken) == run.summary.sent == 1234
    assert {*queue.taken} == {*run.confirmed} == bodies(given)
    assert max(queue.calls) == 10
    if url == STANDARD:
        assert len(queue.calls) == 124


def test_several_batches_are_in_flight_and_no_more_than_the_bound() -> None:
    together = threading.Barrier(IN_FLIGHT)
    queue = Queue()
    queue.before_answer = lambda: together.wait(10)
    Run(queue).send(events(IN_FLIGHT * 10 * 3))
    assert queue.most_at_once == IN_FLIGHT


def test_what_is_not_confirmed_yet_is_no_more_than_the_bound() -> None:
    queue = Queue()
    run = Run(queue)
    unknown: list[int] = []
    run.before_confirmation = lambda: unknown.append(len(queue.taken) - len(run.confirmed))
    run.send(events(1000))
    assert max(unknown) <= IN_FLIGHT * 10


# --- failures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [("InternalError", False), SILENT, THROTTLED])
def test_what_may_succeed_is_tried_again(failure: tuple[str, bool] | Exception) -> None:
    given, queue = events(30), Queue(lambda body, number: failure if body == "7" and number <= 2 else None)
    run = Run(queue)
    run.send(given)
    assert {*run.confirmed} == bodies(given)
    assert queue.tries["7"] == 3
    assert not run.failed
    assert not run.summary.failed


def test_what_fails_every_time_is_told_and_the_others_go() -> None:
    queue = Queue(lambda body, _: ("InternalError", False) if body == "7" else None)
    run = Run(queue)
    run.send(events(30))
    assert run.failed == [("f:7", "InternalError")]
    assert {*run.confirmed} == bodies(events(30)) - {"7"}
    assert queue.tries["7"] == len(NO_PAUSES) + 1
    assert (run.summary.sent, run.summary.failed) == (29, {"InternalError": 1})


def test_what_is_at_fault_itself_is_not_tried_again() -> None:
    queue = Queue(lambda body, _: ("InvalidMessageContents", True) if body == "7" else None)
    Run(queue).send(events(30))
    assert queue.tries["7"] == 1


def test_a_call_that_is_refused_ends_it_and_what_was_in_flight_is_known() -> None:
    queue = Queue(lambda body, _: REFUSED if body == "15" else None)
    run = Run(queue)
    with pytest.raises(ClientError, match="AccessDenied"):
        run.send(events(10_000))
    assert {*run.confirmed} == {*queue.taken}
    assert len(queue.taken) < 10_000
    assert queue.tries["15"] == 1


def test_no_answer_again_and_again_ends_it() -> None:
    run = Run(Queue(lambda _body, _try: SILENT))
    with pytest.raises(ConnectTimeoutError):
        run.send(events(10_000))
    assert run.summary.failed["ConnectTimeoutError"] <= IN_FLIGHT * 10


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_begins_nothing_new_and_forgets_nothing(error: type[BaseException]) -> None:
    def interrupted() -> Iterator[Event]:
        yield from events(95)
        raise error

    queue = Queue()
    run = Run(queue)
    with pytest.raises(error):
        run.send(interrupted())
    assert {*run.confirmed} == {*queue.taken}
    assert run.summary.sent == len(queue.taken)


def test_an_interruption_ends_the_tries() -> None:
    def interrupted() -> Iterator[Event]:
        yield from events(10)
        raise KeyboardInterrupt

    summary = Summary(STANDARD, dry_run=False)
    queue = Queue(lambda _body, _try: ("InternalError", False))
    sender = Sender(queue, STANDARD, summary, [5])  # type: ignore[arg-type] # a stand-in
    with pytest.raises(KeyboardInterrupt):
        sender.send(interrupted(), confirmed=lambda _: None, failed=lambda *_: None)
    assert summary.failed == {"InternalError": 10}
    assert {*queue.tries.values()} == {1}


def test_tries_go_on_in_a_second_input() -> None:
    queue = Queue(lambda _body, number: ("InternalError", False) if number == 1 else None)
    run = Run(queue)
    run.send(events(10))
    run.send(events(10, start=10))
    assert run.summary.sent == 20


# --- FIFO queues --------------------------------------------------------------------------------------------


def order(taken: Sequence[str], groups: int) -> dict[int, list[int]]:
    return {group: [int(body) for body in taken if int(body) % groups == group] for group in range(groups)}


@pytest.mark.parametrize("groups", [1, 3, 40])
def test_each_group_keeps_its_order_while_entries_fail_for_a_while(groups: int) -> None:
    count = itertools.count()
    queue = Queue(lambda _body, number: ("InternalError", False) if number < 3 and next(count) % 5 == 0 else None)
    run = Run(queue, FIFO)
    run.send(events(300, groups))
    assert run.summary.sent == 300
    assert all(numbers == sorted(numbers) for numbers in order(queue.taken, groups).values())


def test_the_next_of_a_group_waits_until_the_one_before_it_is_written_down() -> None:
    queue = Queue()
    run = Run(queue, FIFO)
    seen: list[tuple[int, int]] = []
    run.before_confirmation = lambda: seen.append((len(queue.taken), len(run.confirmed)))
    run.send(events(20, groups=1))
    assert seen == [(number + 1, number) for number in range(20)]


def test_behind_a_failure_nothing_of_its_group_goes_and_others_do() -> None:
    queue = Queue(lambda body, _: ("InvalidMessageContents", True) if body == "4" else None)
    run = Run(queue, FIFO)
    run.send(events(30, groups=3))  # 1, 4, 7 ... are a group
    assert order(queue.taken, 3) == {0: [*range(0, 30, 3)], 1: [1], 2: [*range(2, 30, 3)]}
    assert (run.summary.sent, run.summary.behind) == (21, 8)

    run.send(events(3, groups=3, start=30))  # of another input
    assert run.summary.behind == 9
