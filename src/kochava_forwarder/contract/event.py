"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly, taken out of its envelope and brought to the nested form; what has one reading is
normalised and validated by the models; the rules that look at more than one field follow. The tags are those of
`models`: SEED, DOC, SDK, PEER, OURS.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from kochava_forwarder.contract import currency, envelopes, identifiers, strictjson
from kochava_forwarder.contract.models import SHAPES, Event, KochavaEvent, Shape
from kochava_forwarder.contract.problems import InvalidEventError, Problem, from_pydantic
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

MAX_DEPTH = 2  # keys above an object that the contract allows, as in data.event_data
MAX_ENVELOPES = 3  # one inside another: EventBridge to SNS to SQS has two
OBJECTS = ("app_tracking_transparency", "gdpr_privacy_consent")  # the models inside `data`
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
    nested, lifted = _nest(tree, shape, problems)
    if nested.get("kochava_app_id") is None and default_app_id is not None:
        nested["kochava_app_id"] = default_app_id
    _fill(nested, "kochava_device_id", "")
    data = nested.get("data")
    if isinstance(data, dict):
        problems += _prepare(nested, data, shape, sent_at)
    event: KochavaEvent | None = None
    try:
        event = shape.model.model_validate(nested)
    except ValidationError as error:
        problems += from_pydantic(error, shape.known)
    problems += _across_fields(event) if event else _across_readable_fields(nested)
    surrogates = strictjson.lone_surrogates(text, tree, MAX_DEPTH)
    if event is None or problems or surrogates:
        problems = [(_as_written(path, lifted), wrong) for path, wrong in problems]
        problems += ((path, "is not valid Unicode") for path in surrogates)
        raise InvalidEventError([((*envelope, *path), wrong) for path, wrong in dict.fromkeys(problems)])
    return event


# --- the body -----------------------------------------------------------------------------------------------


class _Opened(NamedTuple):
    text: str  # the JSON text that has the message in it
    tree: dict[str, Any]
    envelope: Path  # the keys that lead to the message


def _open(body: str) -> _Opened:
    """Read a body strictly, and take the message out of its envelopes."""
    text, tree = body, _read_object(body, ())
    envelope: Path = ()
    while "TopicArn" in tree or "detail-type" in tree:
        if repeated := _repeated_keys_of(tree, envelope):
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


def _shape_of(tree: dict[str, Any], problems: list[Problem]) -> Shape:
    """Return the shape for the body's action; ``event`` if it names none, or none that is known."""
    _fill(tree, "action", "event")
    shape = SHAPES.get(tree["action"]) if isinstance(tree["action"], str) else None
    if shape is None:
        problems.append((("action",), f"must be {_ACTIONS}"))
        tree["action"] = "event"
    return shape or SHAPES["event"]


# --- the form -----------------------------------------------------------------------------------------------


def _nest(tree: dict[str, Any], shape: Shape, problems: list[Problem]) -> tuple[dict[str, Any], frozenset[str]]:
    """Move the flat form's fields into ``data``; return the nested form and the names that were moved."""
    nested = dict(tree)
    data = tree.get("data")
    if isinstance(data, dict) and shape.flat.isdisjoint(tree):
        nested["data"] = dict(data)
        return nested, frozenset()
    flat = {name: nested.pop(name) for name in tree if name in shape.flat}
    inner = {} if data == [] or "data" not in tree else data  # PHP prints an empty array so
    if not isinstance(inner, dict):
        return nested, frozenset()
    problems += (
        ((name,), "differs from data." + name)
        for name, value in flat.items()
        if name in inner and not _is_same(inner[name], value)
    )
    nested["data"] = flat | inner
    return nested, frozenset(flat.keys() - inner.keys())


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; to Python, true is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _fill(values: dict[str, Any], name: str, default: Any) -> None:
    """Fill in what is missing or null; some keys must be sent even when their value is unknown (SEED)."""
    if values.get(name) is None:
        values[name] = default


def _prepare(nested: dict[str, Any], data: dict[str, Any], shape: Shape, sent_at: int) -> list[Problem]:
    """Fill in and normalise what is more than a field's own affair, and return what is wrong with it."""
    problems: list[Problem] = []
    usertime = data.get("usertime")
    if usertime is None or (isinstance(usertime, str) and not usertime.strip()):
        data["usertime"] = sent_at
    for name in OBJECTS:
        if data.get(name) == []:  # PHP prints an empty array so
            data[name] = {}
    if shape.names_device:
        _fill(data, "device_ver", "")
    if shape.model is Event:
        if isinstance(data.get("event_data"), str):
            problems += _read_json_text(data)
        problems += currency.settle(data)
    elif "app_ver" in shape.top and data.get("app_version"):
        _fill(nested, "app_ver", data["app_version"])  # where Kochava reads the version of an install (DOC)
    if not shape.top.isdisjoint(data):
        problems += _misplaced(nested, data, shape)
    return problems


def _read_json_text(data: dict[str, Any]) -> list[Problem]:
    """Read ``event_data`` that is the JSON text of an object as that object; any other text stays one (SEED)."""
    text: str = data["event_data"]
    if not text.lstrip().startswith(("{", "[")):
        return []
    try:
        parameters = strictjson.decode(text)
    except strictjson.NotJsonError:
        return []
    if parameters != [] and not isinstance(parameters, dict):
        return []
    data["event_data"] = parameters or {}
    path = ("data", "event_data")
    surrogates = strictjson.lone_surrogates(text, parameters, 0)
    problems = [((*path, *inner), "is not valid Unicode") for inner in surrogates]
    return problems + _repeated_keys_of(parameters, path)


def _repeated_keys(tree: dict[str, Any]) -> list[Problem]:
    """Find keys given twice as deep as the contract allows objects at all."""
    problems = _repeated_keys_of(tree, ())
    for name, member in tree.items():
        if isinstance(member, dict):
            problems += _repeated_keys_of(member, (name,))
            for inner_name, inner in member.items():
                if isinstance(inner, RepeatedKeys):
                    problems += _repeated_keys_of(inner, (name, inner_name))
    return problems


def _repeated_keys_of(value: Any, path: Path) -> list[Problem]:
    if not isinstance(value, RepeatedKeys):
        return []
    return [((*path, name), "is given twice") for name in value.repeated]


def _misplaced(nested: Mapping[str, Any], data: dict[str, Any], shape: Shape) -> Iterator[Problem]:
    """Take out of ``data`` what belongs beside it: Kochava would get it where nobody reads it."""
    for name in sorted(shape.top & data.keys()):
        if not _is_same(data.pop(name), nested.get(name)):
            yield ("data", name), "belongs beside data, not inside it"


def _as_written(path: Path, lifted: frozenset[str]) -> Path:
    """Return where the publisher wrote it: the flat form's fields were moved into ``data``."""
    return path[1:] if len(path) > 1 and path[0] == "data" and path[1] in lifted else path


# --- across fields ------------------------------------------------------------------------------------------


def _across_fields(event: KochavaEvent) -> list[Problem]:
    """Return what is wrong between the fields of a message that are each right."""
    data = event.data
    problems = _identity_problems(event.action, event.kochava_device_id, data.device_ids or {})
    if data.gdpr_privacy_consent is not None:
        problems += _gdpr_problems(vars(data.gdpr_privacy_consent), has_ip=bool(data.origination_ip))
    return problems


def _across_readable_fields(nested: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong between the fields of a message, whatever else is wrong inside them."""
    problems: list[Problem] = []
    data = nested.get("data")
    if not isinstance(data, dict):
        return problems
    action = nested["action"]
    with suppress(PydanticCustomError):
        device_id = identifiers.device_id(nested["kochava_device_id"])
        if "device_ids" in data or not SHAPES[action].names_device:
            problems += _identity_problems(action, device_id, identifiers.device_ids(data.get("device_ids")))
    consent = data.get("gdpr_privacy_consent")
    if isinstance(consent, dict):
        given = {name: None if value == "" else value for name, value in consent.items()}
        problems += _gdpr_problems(given, has_ip=bool(data.get("origination_ip")))
    return problems


def _identity_problems(action: str, device_id: str, device_ids: Mapping[str, str]) -> list[Problem]:
    if action == "update":
        return [] if device_id else [(("kochava_device_id",), "is needed: an update is of a device that is known")]
    return [
        (("data", "device_ids", *path), text)
        for path, text in identifiers.identity_problems(device_id, device_ids)
    ]


def _gdpr_problems(consent: Mapping[str, Any], *, has_ip: bool) -> list[Problem]:
    path = ("data", "gdpr_privacy_consent")
    problems: list[Problem] = []
    if not has_ip and consent.get("gdpr_applies") is None:
        problems.append(((*path, "gdpr_applies"), "is needed when origination_ip is empty"))
    flags = [consent.get(name) for name in ("ad_user_data", "ad_personalization")]
    if consent.get("tc_string") is None and None in flags:
        wrong = "needs tc_string, or both ad_user_data and ad_personalization"
        if consent.get("gdpr_applies") in (0, False, "0", "false") and flags == [None, None]:
            wrong += " (leave the object out when GDPR does not apply)"
        problems.append((path, wrong))
    return problems
