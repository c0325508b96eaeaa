"""The account of a run: where every event is, and why anything happened more often than once. Pure.

An event is done for good when Kochava counted it, or when it is in the dead-message queue. Whatever was done again
after that needs one of these causes, each seen from outside the function:

    Kochava     it counted the event, but its answer did not say so
    SQS         it took the dead letter, but its answer did not say so
    crash       the worker that had it in hand died; at most one batch for each that did
    table       a call to the deduplication table about that very event failed, so that a repeat got through
    twice       SQS delivered the message again while the function had it in hand, and dead-lettered it, which no
                table remembers; on a standard queue, whose visibility timeout is short for that
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from forwarder_tools.localcloud import Message
from forwarder_tools.sandbox import Received
from tests.chaos.aws_faults import FailedCall, uncertain_dead_letters, uncertain_texts
from tests.chaos.crashes import Crash
from tests.chaos.gateway import DIVISOR
from tests.chaos.kochava_faults import ASKED_TO_WAIT, MISCONFIGURED, REFUSED, RETRY_AFTER, SUCCESSES
from tests.chaos.publications import APP, Event

ATTRIBUTES = frozenset({"reason", "detail", "sourceMessageId", "receiveCount", "deadLetteredAt", "sentAt"})
SHOWN = 5
LONGEST_STEP_FROM = 4
"""The receive from which on a wait may lead past the horizon."""

SCALED_WAIT = RETRY_AFTER / DIVISOR
"""Seconds of real time that a wait is long which Kochava asked for."""

LAG = 1.0
"""Seconds by which the sandbox, on a busy machine, may see a request after the worker that sent it died."""


@dataclass(frozen=True)
class Evidence:
    """Everything that was seen of a run."""

    fifo: bool
    messages: Mapping[str, Event]
    """What was published, by message id, in the order of publishing."""
    requests: Sequence[Received]
    dead: Sequence[Message]
    waiting: Sequence[Message]
    """What is still in the event queue."""
    crashes: Sequence[Crash]
    failed_calls: Sequence[FailedCall]
    invocation_seconds: float
    """How long an invocation may last."""
    batch: int
    """How many messages a worker has in hand at most."""
    clock_offset: float
    """Unix time less monotonic time."""


@dataclass(frozen=True)
class Line:
    """One line of the account."""

    text: str
    count: int
    wrong: tuple[str, ...] = ()
    """What must not be, an entry for each event; empty if the line holds."""


@dataclass(frozen=True)
class _Done:
    """An event was done for good, one way or the other."""

    at: float
    how: str
    message: str | None = None
    """The dead letter's source; nobody can tell it of a request."""
    request: Received | None = None


@dataclass
class _CrashLosses:
    """What crashes can explain: each no more than what its worker had in hand."""

    crashes: Sequence[Crash]
    seconds: float
    batch: int
    last_use: Mapping[int, float]
    used: Counter[Crash] = field(default_factory=Counter)

    def explains(self, done: _Done) -> bool:
        """Tell whether a crash lost the answer about what was done, and use up its part of that crash."""
        used_until = self.last_use[done.request.connection] if done.request else 0
        for crash in self.crashes:
            if (
                done.at - LAG <= crash.at <= done.at + self.seconds
                and used_until <= crash.at + LAG
                and self.used[crash] < self.batch
            ):
                self.used[crash] += 1
                return True
        return False


class Ledger:
    """The account of a run."""

    def __init__(self, evidence: Evidence) -> None:
        self._seen = evidence
        self._events = list(dict.fromkeys(evidence.messages.values()))
        self._by_device = {event.device: event for event in self._events if event.device}
        self._message_ids: dict[Event, list[str]] = defaultdict(list)
        for message_id, published in evidence.messages.items():
            self._message_ids[published].append(message_id)
        self._counted: dict[Event, list[_Done]] = defaultdict(list)
        self._strays: list[str] = []
        for request in evidence.requests:
            event = self._by_device.get(request.device or "")
            if request.accepted and event:
                self._counted[event].append(_Done(request.arrived, request.answer, request=request))
            elif request.event is not None and event is None:
                self._strays.append(f"a request of device {request.device}")
        self._dead_letters: dict[Event, list[_Done]] = defaultdict(list)
        for message in evidence.dead:
            source = message.attributes.get("sourceMessageId", message.id)
            if event := evidence.messages.get(source):
                self._dead_letters[event].append(_Done(self._dead_at(message), "dead-lettered", source))
            else:
                self._strays.append(f"a dead letter of message {source}")

    @cached_property
    def lines(self) -> list[Line]:
        """The account, line by line."""
        return [*self._account(), *self._repeated(), *self._rules()]

    @property
    def holds(self) -> bool:
        """Whether every line does."""
        return not any(line.wrong for line in self.lines)

    # --- where every event is -------------------------------------------------------------------------------

    def _account(self) -> Iterator[Line]:
        events = self._events
        delivered = {event for event in events if self._counted[event]}
        dead = {event for event in events if self._dead_letters[event]}
        waiting = {self._seen.messages[message.id] for message in self._seen.waiting}
        lost = [event for event in events if event not in delivered | dead | waiting]
        yield Line("published", len(events))
        yield Line("delivered: counted by Kochava", len(delivered - dead))
        for reason, number in sorted(self._reasons(dead - delivered).items()):
            yield Line(f"dead-lettered: {reason}", number)
        yield Line("delivered and dead-lettered, each explained below", len(delivered & dead))
        yield Line("still in the queue", len(waiting), tuple(f"{_name(event)} waits" for event in waiting))
        yield Line("lost", len(lost), tuple(f"{_name(event)} is nowhere" for event in lost))

    def _reasons(self, events: set[Event]) -> Counter[str]:
        found = {
            self._source(message): message.attributes.get("reason", "(none)")
            for message in reversed(self._seen.dead)
        }
        return Counter(reason for event, reason in found.items() if event in events)

    # --- what happened more often than once -----------------------------------------------------------------

    def _repeated(self) -> Iterator[Line]:
        losses = self._crash_losses()
        table, dead_letters = (
            uncertain_texts(self._seen.failed_calls),
            uncertain_dead_letters(self._seen.failed_calls),
        )
        causes: dict[str, int] = dict.fromkeys(CAUSES, 0)
        wrong: list[str] = []
        for again in sorted(self._done_again(), key=lambda pair: pair[1].at):
            event, done = again
            cause = self._cause(event, done, losses, table, dead_letters)
            if cause:
                causes[cause] += 1
            else:
                wrong.append(f"{_name(event)} was done again, although it was {done.how}")
        yield Line("counted more than once", sum(len(done) > 1 for done in self._counted.values()))
        yield Line("done again after all", sum(causes.values()) + len(wrong))
        for cause, number in causes.items():
            yield Line(f"  because {cause}", number)
        yield Line("  for no reason", len(wrong), tuple(wrong))

    def _done_again(self) -> Iterator[tuple[Event, _Done]]:
        """Yield what was done and should have been the end of it, but was not."""
        for event in self._events:
            dead_letters = sorted(self._dead_letters[event], key=lambda done: done.at)
            counted = self._counted[event]
            end = max((done.at for done in (*counted, *dead_letters)), default=0.0)
            yield from ((event, done) for done in counted if done.at < end)
            if self._is_repeated(event):  # its other message may well have gone on after this one's dead letter
                dead_letters = [one for one, then in pairwise(dead_letters) if one.message == then.message]
            yield from ((event, done) for done in dead_letters if done.at < end)

    def _cause(
        self, event: Event, done: _Done, losses: _CrashLosses, table: set[str], dead_letters: set[str]
    ) -> str | None:
        if done.request and done.how not in SUCCESSES:
            return KOCHAVA
        if done.message in dead_letters:
            return SQS
        if done.request and table.intersection(self._record_keys(event)):
            return TABLE
        if losses.explains(done):  # last, since a crash explains no more than was in hand
            return CRASH
        return TWICE if done.message and not self._seen.fifo else None

    def _gave_up_its_place(self, event: Event) -> bool:
        first_counted = self._counted[event][0].at
        return any(self._is_repeated(event) or dead.at < first_counted for dead in self._dead_letters[event])

    def _is_repeated(self, event: Event) -> bool:
        return len(self._message_ids[event]) > 1

    def _record_keys(self, event: Event) -> set[str]:
        return {record_key(event, message) for message in self._message_ids[event]}

    def _crash_losses(self) -> _CrashLosses:
        last_use: dict[int, float] = {}
        for request in self._seen.requests:
            last_use[request.connection] = max(last_use.get(request.connection, 0), request.arrived)
        crashes = sorted(self._seen.crashes, key=lambda crash: crash.at)
        return _CrashLosses(crashes, self._seen.invocation_seconds, self._seen.batch, last_use)

    # --- what must hold besides -----------------------------------------------------------------------------

    def _rules(self) -> Iterator[Line]:
        for text, wrong in (
            ("dead letters without their attributes", self._without_attributes()),
            ("dead letters with a wrong reason", self._wrong_reasons()),
            ("dead letters that are not what was published", self._changed()),
            ("requests that break Kochava's contract", self._unlike_the_contract()),
            ("requests and dead letters of nothing that was published", self._strays),
            # On a standard queue each of two receives may end the other's wait.
            *(
                (
                    ("message groups out of order", self._out_of_order()),
                    ("tries sooner than Kochava asked", self._too_soon()),
                )
                if self._seen.fifo
                else ()
            ),
        ):
            found = tuple(wrong)
            yield Line(text, len(found), found)

    def _source(self, message: Message) -> Event | None:
        return self._seen.messages.get(message.attributes.get("sourceMessageId", message.id))

    def _dead_at(self, message: Message) -> float:
        at = message.attributes.get("deadLetteredAt")
        return datetime.fromisoformat(at).timestamp() - self._seen.clock_offset if at else 0.0

    def _without_attributes(self) -> Iterator[str]:
        for message in self._seen.dead:
            if missing := ATTRIBUTES - message.attributes.keys():
                yield f"message {message.id} lacks {', '.join(sorted(missing))}"

    def _wrong_reasons(self) -> Iterator[str]:
        refused = {
            self._by_device.get(request.device or "")
            for request in self._seen.requests
            if request.answer in REFUSED
        }
        for message in self._seen.dead:
            event = self._source(message)
            if event is None:
                continue
            due = _due(event, event in refused)
            reason = message.attributes.get("reason")
            if reason != due and not (reason == "expired" and self._may_expire(event, message)):
                yield f"{_name(event)} is dead-lettered as {reason}, should be {due}"

    def _may_expire(self, event: Event, message: Message) -> bool:
        """Tell whether the wait before an event's next try was long enough to lead past the horizon."""
        answers = {request.answer for request in self._seen.requests if request.device == event.device}
        late = int(message.attributes.get("receiveCount", 0)) >= LONGEST_STEP_FROM
        return not event.invalid and (late or bool(answers & {*MISCONFIGURED, ASKED_TO_WAIT}))

    def _changed(self) -> Iterator[str]:
        for message in self._seen.dead:
            event = self._source(message)
            if event and message.body != event.body:
                yield f"{_name(event)} has another body"
            if event and self._seen.fifo and message.group != event.group:
                yield f"{_name(event)} is in group {message.group}, not {event.group}"

    def _unlike_the_contract(self) -> Iterator[str]:
        for request in self._seen.requests:
            if request.problems:
                yield f"device {request.device}: {'; '.join(request.problems)}"

    def _too_soon(self) -> Iterator[str]:
        """Yield the events that were tried again before the wait was over for which Kochava had asked."""
        tries: dict[str | None, list[Received]] = defaultdict(list)
        for request in self._seen.requests:
            tries[request.device].append(request)
        for event in self._events:
            for one, then in pairwise(() if self._is_repeated(event) else tries[event.device]):
                if one.answer == ASKED_TO_WAIT and then.arrived - one.arrived < SCALED_WAIT:
                    yield f"{_name(event)} was tried {then.arrived - one.arrived:.1f} s after the answer"

    def _out_of_order(self) -> Iterator[str]:
        """Yield the groups whose events were not first counted in the order in which they were published.

        One that was dead-lettered before has given up its place: it holds nobody up, and comes back if its worker
        died before it answered. So has a repeated one: its other message may have delivered it.
        """
        groups: dict[str, list[tuple[float, Event]]] = defaultdict(list)
        for event in self._events:
            if self._counted[event] and not self._gave_up_its_place(event):
                groups[event.group].append((self._counted[event][0].at, event))
        for group, firsts in groups.items():
            for (before, one), (after, other) in pairwise(firsts):
                if after < before:
                    yield f"{group}: {_name(other)} was counted before {_name(one)}"


KOCHAVA = "Kochava counted it and did not say so"
SQS = "SQS took its dead letter and did not say so"
CRASH = "the worker that had it in hand died"
TABLE = "the deduplication table failed about it"
TWICE = "SQS delivered its message twice at once"
CAUSES = (KOCHAVA, SQS, CRASH, TABLE, TWICE)


def _due(event: Event, refused: bool) -> str:
    """Return the reason with which an event is to be dead-lettered, if it is."""
    if event.aged:
        return "expired"
    return "invalid" if event.invalid else "rejected" if refused else "none"


def record_key(event: Event, message: str) -> str:
    """Return the key of an event's record in the deduplication table, as Powertools writes it."""
    key = f"event {APP} {event.event_id}" if event.event_id else f"message {message}"
    record = json.dumps({"key": key})
    return f"kochava-forwarder#{hashlib.sha256(record.encode()).hexdigest()}"


def _name(event: Event) -> str:
    return f"event {event.number}"


def shown(wrong: Iterable[str]) -> str:
    """Return what is wrong in a few lines."""
    found = list(wrong)
    more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join([*found[:SHOWN], *more])
