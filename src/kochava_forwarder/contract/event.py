"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly, taken out of its envelope and brought to the nested form; what has one reading is
normalised and validated by the models; the rules that look at more than one field follow. The tags are those of
`models`: SEED, DOC, SDK, PEER, OURS.
"""

from typing import Any, NamedTuple

from pydantic import ValidationError

from kochava_forwarder.contract import across_fields, envelopes, form, strictjson
from kochava_forwarder.contract.models import SHAPES, KochavaEvent, Shape
from kochava_forwarder.contract.problems import InvalidEventError, Problem, from_pydantic, given_twice
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

MAX_DEPTH = 2  # keys above an object that the contract allows, as in data.event_data
MAX_ENVELOPES = 3  # one inside another: EventBridge to SNS to SQS has two
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
    text, tree, envelope = _open(body)
    problems = _repeated_keys(tree)
    shape = _shape_of(tree, problems)
    nested, lifted = form.nest(tree, shape, problems)
    if nested.get("kochava_app_id") is None and default_app_id is not None:
        nested["kochava_app_id"] = default_app_id
    form.fill(nested, "kochava_device_id", "")
    data = nested.get("data")
    if isinstance(data, dict):
        problems += form.prepare(nested, data, shape, sent_at)
    event: KochavaEvent | None = None
    try:
        event = shape.model.model_validate(nested)
    except ValidationError as error:
        problems += from_pydantic(error, shape.known)
    problems += across_fields.problems_of(event) if event else across_fields.problems_of_readable(nested)
    surrogates = strictjson.lone_surrogates(text, tree, MAX_DEPTH)
    if event is None or problems or surrogates:
        problems = [(form.as_written(path, lifted), wrong) for path, wrong in problems]
        problems += ((path, "is not valid Unicode") for path in surrogates)
        raise InvalidEventError([((*envelope, *path), wrong) for path, wrong in dict.fromkeys(problems)])
    return event


class _Opened(NamedTuple):
    text: str  # the JSON text that has the message in it
    tree: dict[str, Any]
    envelope: Path  # the keys that lead to the message


def _open(body: str) -> _Opened:
    """Read a body strictly, and take the message out of its envelopes."""
    text, tree = body, _read_object(body, ())
    envelope: Path = ()
    while "TopicArn" in tree or "detail-type" in tree:
        if repeated := given_twice(tree, envelope):
            raise InvalidEventError(repeated)
        try:
            key, value = envelopes.content(tree)
        except InvalidEventError as error:
            raise InvalidEventError([((*envelope, *path), wrong) for path, wrong in error.problems]) from None
        envelope = (*envelope, key)
        if len(envelope) > MAX_ENVELOPES:
            raise InvalidEventError([(envelope, "is one envelope too many")])
        text, tree = (value, _read_object(value, envelope)) if isinstance(value, str) else (text, value)
    return _Opened(text, tree, envelope)


def _read_object(text: str, path: Path) -> dict[str, Any]:
    try:
        value = strictjson.decode(text)
    except strictjson.NotJsonError as error:
        encoding = envelopes.encoding_of(text)
        wrong = f"is {encoding}: publish the JSON text itself" if encoding else str(error)
        raise InvalidEventError([(path, wrong)]) from None
    if envelopes.is_pointer(value):
        raise InvalidEventError([(path, "is a pointer to S3 (SQS Extended Client): publish the event itself")])
    if not isinstance(value, dict):
        raise InvalidEventError([(path, "must be a JSON object")])
    if "Records" in value:
        raise InvalidEventError([((*path, "Records"), "this is a whole Lambda event: publish a record's body")])
    return value


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


def _shape_of(tree: dict[str, Any], problems: list[Problem]) -> Shape:
    """Return the shape for the body's action; ``event`` if it names none, or none that is known."""
    form.fill(tree, "action", "event")
    shape = SHAPES.get(tree["action"]) if isinstance(tree["action"], str) else None
    if shape is None:
        problems.append((("action",), f"must be {_ACTIONS}"))
        tree["action"] = "event"
    return shape or SHAPES["event"]
