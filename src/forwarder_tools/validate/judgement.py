"""What the function would say of an event: its problems or its warnings, each with what to do about it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forwarder_tools.validate.hints import hint_for, written
from forwarder_tools.validate.remedies import WARNINGS, remedy_for
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.identity import identity_of, shown
from kochava_forwarder.contract.models import Event
from kochava_forwarder.contract.privacy import without_private
from kochava_forwarder.contract.problems import InvalidEventError, in_words
from kochava_forwarder.contract.renaming import renamed
from kochava_forwarder.contract.warnings import EventWarning, warnings_for

if TYPE_CHECKING:
    from kochava_forwarder.contract.models import KochavaEvent
    from kochava_forwarder.settings import Settings

UNKNOWN_REMEDY = "see docs/events.md"


class Problem(NamedTuple):
    """What is wrong with an event: where in it, what, and what to do. No value of the event is in any of them."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}"


class Warned(NamedTuple):
    """What is odd about an event that is taken: the warning's name, what it means, and what to do."""

    name: str
    meaning: str
    remedy: str


class Judgement(NamedTuple):
    """The function's verdict on one event.

    Args:
        event_id: the publisher's idempotency key as the function logs it, if it can be read.
        event: as it is sent; None for an invalid one.
        problems: why it is invalid; none for a valid one.
        warnings: of a valid event.
    """

    event_id: str | None
    event: KochavaEvent | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Warned, ...] = ()


class Taken(NamedTuple):
    """An event that the function takes: as it was published, but for its name, and as it is sent."""

    published: KochavaEvent
    sent: KochavaEvent


def taken(body: str, *, now: int, settings: Settings) -> Taken:
    """Return the event in a body; the arguments are those of `judge`.

    Raises:
        InvalidEventError: the function would refuse it.
    """
    parsed = parse_event(body, sent_at=now, default_app_id=settings.app_id)
    published = renamed(parsed, settings.event_names)
    return Taken(published, without_private(published, settings.privacy))


def judge(body: str, *, now: int, settings: Settings) -> Judgement:
    """Judge an event as the function would, had SQS just taken it.

    Args:
        body: the message body.
        now: seconds since 1970.
        settings: the function's.
    """
    try:
        published, event = taken(body, now=now, settings=settings)
    except InvalidEventError as invalid:
        event_id = identity_of(body, default_app_id=settings.app_id).event_id
        return Judgement(event_id, None, problems=problems_of(body, invalid))
    warnings = dict.fromkeys(warnings_for(published, sent_at=now))
    event_id = shown(event.event_id, event.kochava_app_id).event_id
    return Judgement(event_id, event, warnings=tuple(_warned(warning, published) for warning in warnings))


def problems_of(body: str, invalid: InvalidEventError) -> tuple[Problem, ...]:
    """Return the problems for which the function refuses a body, each with what to do about it."""
    event = written(body)
    problems = []
    for path, wrong in invalid.problems:
        hint = hint_for(event, path, wrong) if event else None
        key = str(path[-1]) if path else ""
        problems.append(Problem(in_words(path), wrong, hint or remedy_for(key, wrong) or UNKNOWN_REMEDY))
    return tuple(problems)


def _warned(warning: EventWarning, event: KochavaEvent) -> Warned:
    meaning, remedy = WARNINGS[warning]
    if warning is EventWarning.EVENT_NAME_NEAR_STANDARD and isinstance(event, Event):
        remedy = f'did you mean "{meant_event(event.data.event_name)}"?'
    return Warned(warning.value, meaning, remedy)
