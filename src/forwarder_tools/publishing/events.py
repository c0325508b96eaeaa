"""What is sent to the event queue for an event in a file, and what is not sent. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid5

from pydantic_core import PydanticCustomError

from forwarder_tools.validate.judgement import problems_of, taken
from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.identifiers import device_id
from kochava_forwarder.contract.identity import identity_of
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.strictjson import is_unicode
from kochava_forwarder.sqs.queues import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Collection

    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

    from forwarder_tools.records import Published
    from kochava_forwarder.contract.models import KochavaEvent
    from kochava_forwarder.settings import Settings

_NOT_TAKEN_BY_SQS = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ID_OF_SQS = re.compile(r"[!-~]{1,128}")  # what SQS takes as the id of a message group, or for deduplication


class Why(StrEnum):
    """Why an event is not sent."""

    INVALID = "invalid"
    REPEATED = "repeated"
    PUBLISHED = "published before"


@dataclass(frozen=True)
class Event:
    """An event to send.

    Args:
        place: where it stands: file and line, and which record of an SQS event.
        key: what makes it the same event in another run.
        body: the message's body.
        event_id: its `event_id`; None if it has none.
        own_id: an id that it has in every run with the same journal, and no other event has.
        group: its message group; None on a standard queue.
    """

    place: str
    key: str
    body: str
    event_id: str | None
    own_id: str
    group: str | None

    @property
    def size(self) -> int:
        """The bytes that SQS counts for it."""
        return len(self.body.encode())

    def entry(self, name: str) -> SendMessageBatchRequestEntryTypeDef:
        """Return its entry of SendMessageBatch, under a name."""
        entry: SendMessageBatchRequestEntryTypeDef = {"Id": name, "MessageBody": self.body}
        if self.group is not None:
            entry["MessageGroupId"] = _id_of_sqs(self.group)
            entry["MessageDeduplicationId"] = _id_of_sqs(self.event_id or self.own_id)
        return entry


class NotSent(NamedTuple):
    """An event that is not sent: where it stands, and why, for programs and, a line each, for people."""

    place: str
    why: Why
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Rules:
    """How events are read.

    Args:
        settings: the function's.
        fifo: whether the queue is a FIFO queue.
        check: refuse what the function would refuse.
        group_by: on a FIFO queue, the keys that lead to what events are grouped by; empty for the device.
        add_event_ids: give an event that has no `event_id` one.
    """

    settings: Settings
    fifo: bool = False
    check: bool = True
    group_by: tuple[str, ...] = ()
    add_event_ids: bool = False


class Reader:
    """Reads the events of one input.

    Args:
        name: what the input is called in the events' places.
        rules: how.
        namespace: what the ids are made of that events are given.
        published: the keys of events that an earlier run has published.
        now: seconds since 1970.
    """

    def __init__(self, name: str, rules: Rules, namespace: UUID, published: Collection[str], now: int) -> None:
        self._name = name
        self._rules = rules
        self._namespace = namespace
        self._published = published
        self._now = now
        self._seen: set[str] = set()
        self._times: Counter[bytes] = Counter()

    def read(self, found: Published) -> Event | NotSent:
        """Return what is sent for an event of the input."""
        record = "" if found.place is None else f": Records[{found.place}]"
        place = f"{self._name}:{found.line}{record}"
        try:
            return self._event(place, found.body)
        except InvalidEventError as error:
            return NotSent(place, Why.INVALID, tuple(map(str, problems_of(found.body, error))))
        except _NotSentError as error:
            return NotSent(place, error.why, (str(error),))

    def _event(self, place: str, body: str) -> Event:
        if not is_unicode(body):
            raise _NotSentError("is not UTF-8")
        facts = self._facts(body)
        group = self._group(body, facts) if self._rules.fifo else None
        key, own_id = self._names(body, facts)
        event_id = facts.event_id
        if self._rules.add_event_ids and event_id is None and (longer := _with_event_id(body, own_id)):
            body, event_id = longer, own_id
        _refuse_what_sqs_refuses(body)
        if key in self._seen:
            raise _NotSentError("has the event_id of an earlier event", Why.REPEATED)
        self._seen.add(key)
        if key in self._published:
            raise _NotSentError("was published before", Why.PUBLISHED)
        return Event(place, key, body, event_id, own_id, (group or key) if self._rules.fifo else None)

    def _names(self, text: str, facts: _Facts) -> tuple[str, str]:
        """Return an event's key and its own id; equal texts without an `event_id` are as many events."""
        digest = hashlib.sha256(text.encode())
        if facts.event_id:
            key = f"event {facts.app_id} {facts.event_id}"
        else:
            self._times[digest.digest()] += 1
            key = f"body {digest.hexdigest()} {self._times[digest.digest()]}"
        return key, str(uuid5(self._namespace, key))

    def _facts(self, text: str) -> _Facts:
        try:
            return _of_event(taken(text, now=self._now, settings=self._rules.settings).published)
        except InvalidEventError:
            if self._rules.check:
                raise
        return _of_anything(text, self._rules.settings.app_id)

    def _group(self, text: str, facts: _Facts) -> str | None:
        """Return what an event is grouped by; None if nothing tells, and it need not be checked."""
        if not self._rules.group_by:
            return facts.device
        value: Any = _message(text)
        for name in self._rules.group_by:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise _NotSentError(f"{'.'.join(self._rules.group_by)}: is needed for its message group")
        return str(value)


class _NotSentError(Exception):
    def __init__(self, reason: str, why: Why = Why.INVALID) -> None:
        super().__init__(reason)
        self.why = why


class _Facts(NamedTuple):
    app_id: str
    event_id: str | None
    device: str | None


def _of_event(event: KochavaEvent) -> _Facts:
    ids = event.data.device_ids or {}
    first = next((f"{name}={ids[name]}" for name in sorted(ids)), None)
    return _Facts(event.kochava_app_id, event.event_id, event.kochava_device_id or first)


def _of_anything(body: str, app_id: str | None) -> _Facts:
    identity = identity_of(body, default_app_id=app_id)
    device = ""
    with suppress(PydanticCustomError):
        device = device_id(_message(body).get("kochava_device_id"))
    return _Facts(identity.app_id or "", identity.event_id, device or None)


def _message(body: str) -> dict[str, Any]:
    """Return the message in a body, out of its envelopes; an empty one if there is none."""
    try:
        return open_body(body).tree
    except InvalidEventError:
        return {}


def _with_event_id(body: str, event_id: str) -> str | None:
    """Return the body with an `event_id`, otherwise unchanged; None for what has no room for one.

    That is an event in an envelope, one whose `event_id` was never filled in, and what is no event at all.
    """
    try:
        opened = open_body(body)
    except InvalidEventError:
        return None
    if opened.envelope or "event_id" in opened.tree or not opened.tree or not body.startswith("{"):
        return None
    return f'{{"event_id": "{event_id}", {body.removeprefix("{").lstrip()}'


def _refuse_what_sqs_refuses(body: str) -> None:
    if not body:
        raise _NotSentError("is empty")
    if (size := len(body.encode())) > MAX_BYTES:
        raise _NotSentError(f"is too large: {size:,} bytes, and SQS takes {MAX_BYTES:,}")
    if found := _NOT_TAKEN_BY_SQS.search(body):
        raise _NotSentError(
            f"has the character U+{ord(found[0]):04X}, which SQS does not take: write it as an escape of JSON"
        )


def _id_of_sqs(text: str) -> str:
    """Return a text itself, if SQS takes it as an id, else its digest."""
    return text if _ID_OF_SQS.fullmatch(text) else hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
