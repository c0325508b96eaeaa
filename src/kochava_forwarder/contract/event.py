"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly, taken out of its envelope and brought to the nested form; what has one reading is
normalised and validated by the models; the rules that look at more than one field follow. The tags are those of
`models`: SEED, DOC, SDK, PEER, OURS.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from kochava_forwarder.contract import across_fields, form, strictjson
from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.models import SHAPES, AnyMessage, KochavaEvent
from kochava_forwarder.contract.problems import InvalidEventError, Problem, from_pydantic, given_twice
from kochava_forwarder.contract.strictjson import RepeatedKeys

MAX_DEPTH = 2  # keys above an object that the contract allows, as in data.event_data
_ACTIONS = " or ".join((", ".join(map(repr, list(SHAPES)[:-1])), repr(list(SHAPES)[-1])))


def parse_event(body: str, *, sent_at: int, default_app_id: str | None) -> KochavaEvent:
    """Return the event that a message body describes.

    Args:
        body: the message body, in Kochava's nested form or in the flat form of 2018; alone, or in the envelope of
            an SNS notification or an EventBridge event.
        sent_at: when SQS took the message, in seconds since 1970; the event's time when it names none, because
            the queue adds delay (OURS).
        default_app_id: Kochava's app GUID for events that name none.

    Raises:
        InvalidEventError: the body breaks the contract.
    """
    text, tree, envelope = open_body(body)
    problems = _repeated_keys(tree)
    form.settle_action(tree)
    if default_app_id is not None:
        form.fill(tree, "kochava_app_id", default_app_id)
    form.fill(tree, "kochava_device_id", "")
    event: KochavaEvent | None = None
    lifted: frozenset[str] = frozenset()
    if shape := SHAPES.get(tree["action"]) if isinstance(tree["action"], str) else None:
        nested, lifted = form.nest(tree, shape, problems)
        data = nested.get("data")
        if isinstance(data, dict):
            problems += form.prepare(nested, data, shape, sent_at)
        try:
            event = shape.model.model_validate(nested)
        except ValidationError as error:
            problems += from_pydantic(error, shape.known)
        problems += across_fields.problems_of(event) if event else across_fields.problems_of_readable(nested)
    else:
        problems += _problems_of_any(tree)
    surrogates = strictjson.lone_surrogates(text, tree, MAX_DEPTH)
    if event is None or problems or surrogates:
        problems = [(form.as_written(path, lifted), wrong) for path, wrong in problems]
        problems += ((path, "is not valid Unicode") for path in surrogates)
        raise InvalidEventError([((*envelope, *path), wrong) for path, wrong in dict.fromkeys(problems)])
    return event


def _repeated_keys(tree: dict[str, Any]) -> list[Problem]:
    """Find keys given twice as deep as the contract allows objects at all."""
    problems = given_twice(tree, ())
    for name, member in tree.items():
        if isinstance(member, dict):
            problems += given_twice(member, (name,))
            for inner_name, inner in member.items():
                if isinstance(inner, RepeatedKeys):
                    problems += given_twice(inner, (name, inner_name))
    return problems


def _problems_of_any(tree: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a message of an unknown action, and would be with any: nobody knows its fields."""
    yield ("action",), f"must be {_ACTIONS}"
    try:
        AnyMessage.model_validate(tree)
    except ValidationError as error:
        yield from from_pydantic(error, ())
