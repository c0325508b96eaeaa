"""What the function would say of an event: its problems or its warnings, each with what to do about it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from forwarder_tools.validate.remedies import WARNINGS, remedy_for
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.models import Event
from kochava_forwarder.contract.problems import InvalidEventError, in_words
from kochava_forwarder.contract.warnings import EventWarning, warnings_for

if TYPE_CHECKING:
    from kochava_forwarder.contract.models import KochavaEvent

UNKNOWN_REMEDY = "see docs/events.md"


class Problem(NamedTuple):
    """What is wrong with an event: where in it, what, and what to do. No value of the event is in any of them."""

    path: str
    problem: str
    remedy: str


class Warned(NamedTuple):
    """What is odd about an event that is taken: the warning's name, what it means, and what to do."""

    name: str
    meaning: str
    remedy: str


class Judgement(NamedTuple):
    """The function's verdict on one event.

    Args:
        event: as the function reads it; None for an invalid one.
        problems: why it is invalid; none for a valid one.
        warnings: of a valid event.
    """

    event: KochavaEvent | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Warned, ...] = ()


def judge(body: str, *, now: int, app_id: str | None) -> Judgement:
    """Judge an event as the function would, had SQS just taken it.

    Args:
        body: the message body.
        now: seconds since 1970.
        app_id: the app GUID of events that name none.
    """
    try:
        event = parse_event(body, sent_at=now, default_app_id=app_id)
    except InvalidEventError as invalid:
        return Judgement(None, problems=tuple(_problem(*problem) for problem in invalid.problems))
    warnings = dict.fromkeys(warnings_for(event, sent_at=now))
    return Judgement(event, warnings=tuple(_warned(warning, event) for warning in warnings))


def _problem(path: tuple[str | int, ...], wrong: str) -> Problem:
    key = str(path[-1]) if path else ""
    return Problem(in_words(path), wrong, remedy_for(key, wrong) or UNKNOWN_REMEDY)


def _warned(warning: EventWarning, event: KochavaEvent) -> Warned:
    meaning, remedy = WARNINGS[warning]
    if warning is EventWarning.EVENT_NAME_NEAR_STANDARD and isinstance(event, Event):
        remedy = f'did you mean "{meant_event(event.data.event_name)}"?'
    return Warned(warning.value, meaning, remedy)
