"""The form of a message: flat or nested, and what senders leave out or write in another way. Pure.

Only what has one reading is filled in or moved; the rest is a problem. Tags: SEED, DOC, SDK, PEER, OURS.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from kochava_forwarder.contract import currency, passed_on, strictjson
from kochava_forwarder.contract.fields import is_blank
from kochava_forwarder.contract.models import SHAPES, AppTrackingTransparency, Event, GdprPrivacyConsent, Shape
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.placeholders import is_unfilled
from kochava_forwarder.contract.problems import Problem, given_twice
from kochava_forwarder.contract.strictjson import Path

OBJECTS: Mapping[str, frozenset[str]] = MappingProxyType(  # the models inside `data`, with their members
    {
        "app_tracking_transparency": frozenset(AppTrackingTransparency.model_fields),
        "gdpr_privacy_consent": frozenset(GdprPrivacyConsent.model_fields),
    }
)
_BY_LETTERS = {squeezed(action): action for action in SHAPES}


def fill(values: dict[str, Any], name: str, default: Any) -> None:
    """Fill in what is missing, null or blank; some keys must be sent even when their value is unknown (SEED)."""
    value = values.get(name)
    if value is None or is_blank(value):
        values[name] = default


def settle_action(tree: dict[str, Any]) -> None:
    """Write the action as Kochava knows it: by its letters alone, and an event where none is said."""
    fill(tree, "action", "event")
    action = tree["action"]
    if isinstance(action, str) and action not in SHAPES:
        tree["action"] = _BY_LETTERS.get(squeezed(action), action)


def nest(tree: dict[str, Any], shape: Shape, problems: list[Problem]) -> tuple[dict[str, Any], frozenset[str]]:
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


def _is_same(one: Any, other: Any, deepest: int = passed_on.MAX_DEPTH) -> bool:
    """Tell whether two JSON values are equal; to Python, true is 1. Deeper than a field may be, none are."""
    if deepest < 0:
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _is_same(value, other[name], deepest - 1) for name, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(
            _is_same(*pair, deepest - 1) for pair in zip(one, other, strict=True)
        )
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def prepare(nested: dict[str, Any], data: dict[str, Any], shape: Shape, sent_at: int) -> list[Problem]:
    """Fill in and normalise what is more than a field's own affair, and return what is wrong with it."""
    problems: list[Problem] = []
    usertime = data.get("usertime")
    if usertime is None or (isinstance(usertime, str) and is_unfilled(usertime.strip())):
        data["usertime"] = sent_at
    for name, members in OBJECTS.items():
        value = data.get(name)
        if value == []:  # PHP prints an empty array so
            data[name] = {}
        elif isinstance(value, dict) and value and says_nothing(value, members):
            del data[name]
    if shape.names_device and data.get("device_ver") is None:  # a blank one is sent as it came
        data["device_ver"] = ""
    if shape.model is Event:
        if isinstance(data.get("event_data"), str):
            problems += _read_json_text(data)
        problems += currency.settle(data)
    elif "app_ver" in shape.top and data.get("app_version"):
        fill(nested, "app_ver", data["app_version"])  # where Kochava reads the version of an install (DOC)
    if not shape.top.isdisjoint(data):
        problems += _misplaced(nested, data, shape)
    return problems


def says_nothing(value: Mapping[str, Any], members: frozenset[str]) -> bool:
    """Tell whether all members of an object are null: what printers of objects make of one that is not set.

    An empty text may be what PHP makes of false, and a key that is none of the members a slip.
    """
    return all(member is None for member in value.values()) and value.keys() <= members


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
    return problems + given_twice(parameters, path)


def _misplaced(nested: Mapping[str, Any], data: dict[str, Any], shape: Shape) -> Iterator[Problem]:
    """Take out of ``data`` what belongs beside it: Kochava would get it where nobody reads it."""
    for name in sorted(shape.top & data.keys()):
        if not _is_same(data.pop(name), nested.get(name)):
            yield ("data", name), "belongs beside data, not inside it"


def as_written(path: Path, lifted: frozenset[str]) -> Path:
    """Return where the publisher wrote it: the flat form's fields were moved into ``data``."""
    return path[1:] if len(path) > 1 and path[0] == "data" and path[1] in lifted else path
