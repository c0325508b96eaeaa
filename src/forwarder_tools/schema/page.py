"""`docs/contract.md`: the schema as tables, with what the function makes of each example. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from forwarder_tools.schema.devices import PARTS
from forwarder_tools.schema.differences import DIFFERENCES, Difference, changed
from forwarder_tools.schema.rule import NULL, Schema
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import SHAPES, AppTrackingTransparency, GdprPrivacyConsent
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.standard_events import PARAMETER_TYPES, STANDARD_EVENTS
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.kochava.payload import encode_payload

SENT_AT = 1_760_000_000  # seconds since 1970; when SQS took the examples
_GONE = object()
_INNER = {"app_tracking_transparency": AppTrackingTransparency, "gdpr_privacy_consent": GdprPrivacyConsent}
_INTRODUCTION = """\
# The contract, field by field

Made by `make schema` from [events/schema.json](../events/schema.json), a JSON Schema (draft 2020-12) with which
publishers can check their events; both are made from the models that the function validates with.
[events.md](events.md) explains.

**Sources**: SEED, Kochava's "Post-Install Event Setup" of 2018; DOC, other pages of Kochava's; SDK, Kochava's own
SDKs; PEER, other senders; OURS, decided here. **Examples**: `given` → `what Kochava gets`; no arrow where they are
equal. Every field of `data` but `event_name` and `event_data` may stand beside it instead.
"""
_STANDARD = """\
## Standard events

Kochava knows these names, exactly, and in their `event_data` these parameters, each of its type (SDK). Another
name, parameter or type is sent as it is; [events.md](events.md#what-is-only-counted) says what is counted then,
and [events/standard](../events/README.md#kochavas-standard-events) has a sample of each.

| kind | names |
| --- | --- |
"""
_TYPES = {(str,): "string", (int, float): "number", (bool,): "boolean"}
_DIFFERENCES = """\
## What the schema cannot say

The function refuses these, and the schema takes them. The schema refuses nothing that the function takes; but it
is of the message itself, not of the [envelope](events.md#envelopes) of SNS or EventBridge around it.

| taken by the schema | example | the function says |
| --- | --- | --- |
"""
_HEAD = (
    "| field | required | type | what it is | value | examples | source |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


class _Field(NamedTuple):
    name: str
    schema: Schema
    needed: bool
    at: str  # its dotted path in a message
    action: str  # of that message


def page(schema: Schema) -> str:
    """Return the page for a schema.

    Raises:
        ValueError: the function takes what the schema is said to take alone.
    """
    parts: Mapping[str, Schema] = schema["$defs"]
    sections = [_INTRODUCTION.rstrip()]
    sections += ["\n".join(_message(parts, action)) for action in SHAPES]
    sections += ["\n".join(_inner(parts, name)) for name in _INNER]
    sections += ["\n\n".join(["## Values", *_values(parts)])]
    sections += [_STANDARD + "\n".join(_standard())]
    sections += [_DIFFERENCES + "\n".join(map(_difference, DIFFERENCES))]
    return "\n\n".join(sections) + "\n"


def _message(parts: Mapping[str, Schema], action: str) -> Iterator[str]:
    shape = SHAPES[action]
    message, data = parts[shape.model.__name__], parts[f"{shape.model.__name__}Data"]
    needed = {*data.get("required", ()), *map(_needed_field, message["allOf"])}
    yield from (f"## {action}", "", message["description"], "", *_HEAD)
    for name in (name for name in message["properties"] if name in shape.top):
        yield _row(parts, _Field(name, message["properties"][name], name in needed, name, action))
    for name in (name for name in data["properties"] if name not in shape.top):
        yield _row(parts, _Field(name, data["properties"][name], name in needed, f"data.{name}", action))
    yield f"| any other, in `data` | | {_types(parts, 'Scalar')} | | {_link('Scalar')} | | PEER, OURS |"
    yield ""
    conditions = [condition for condition in message["allOf"] if not _needed_field(condition)]
    yield f"Also: {'; '.join(map(_sentence, conditions))}."


def _inner(parts: Mapping[str, Schema], name: str) -> Iterator[str]:
    part = parts[_INNER[name].__name__]
    yield from (f"## {name}", "", part["description"], "", *_HEAD)
    for field, schema in part["properties"].items():
        needed = field in part.get("required", ())
        yield _row(parts, _Field(field, schema, needed, f"data.{name}.{field}", "event"))


def _needed_field(condition: Schema) -> str | None:
    title = str(condition["title"])
    name = title.removesuffix(" is needed")
    return None if name == title else name


def _sentence(condition: Schema) -> str:
    more = f": {condition['description'].rstrip('.').lower()}" if "description" in condition else ""
    return f"{condition['title']}{more} ({condition['$comment']})"


def _row(parts: Mapping[str, Schema], field: _Field) -> str:
    rule = _rule_of(field.schema)
    if rule:
        given = field.schema.get("examples") or parts[rule].get("examples", ())
        value, examples = _link(rule), "; ".join(_examples(given, field))
    else:
        value, examples = "", _code(field.action)
    types = _types(parts, rule, null=NULL in field.schema.get("anyOf", ()) and not field.needed)
    needed, source = "yes" if field.needed else "", field.schema["$comment"]
    cells = (f"`{field.name}`", needed, types, field.schema["description"], value, examples, source)
    return f"| {' | '.join(cells)} |"


def _rule_of(schema: Schema) -> str | None:
    """Return the name of the rule, or of the model, that a field's schema refers to."""
    options = (schema, *schema.get("anyOf", ()))
    return next((option["$ref"].rpartition("/")[2] for option in options if "$ref" in option), None)


def _types(parts: Mapping[str, Schema], rule: str | None, *, null: bool = False) -> str:
    types = parts[rule]["type"] if rule else "string"
    names = [types] if isinstance(types, str) else list(types)
    if null and "null" not in names:
        names.append("null")
    return ", ".join("`[]`" if name == "array" else name for name in names)


def _link(rule: str) -> str:
    heading = next((name for name, model in _INNER.items() if model.__name__ == rule), rule)
    return f"[{heading}](#{heading.lower()})"


def _values(parts: Mapping[str, Schema]) -> Iterator[str]:
    messages = {shape.model.__name__ for shape in SHAPES.values()}
    models = messages | {f"{name}Data" for name in messages} | {model.__name__ for model in _INNER.values()}
    for name in sorted(parts.keys() - models):
        yield f"### {name}"
        examples = f" Such as {', '.join(map(_code, parts[name]['examples']))}." if name in PARTS else ""
        yield f"{parts[name]['description']}{examples} ({parts[name]['$comment']})"


def _standard() -> Iterator[str]:
    yield f"| event | {', '.join(f'`{name}`' for name in sorted(STANDARD_EVENTS))} |"
    for types, called in _TYPES.items():
        names = sorted(name for name, known in PARAMETER_TYPES.items() if known == types)
        yield f"| parameter: {called} | {', '.join(f'`{name}`' for name in names)} |"


# --- examples -----------------------------------------------------------------------------------------------


def _examples(given: Sequence[Any], field: _Field) -> Iterator[str]:
    for value in given:
        try:
            sent = _sent(value, field)
        except InvalidEventError:  # the value is right, but not in this message: an update needs a device's id
            continue
        if sent is _GONE:
            yield f"{_code(value)} → nothing"
        else:
            same = sent == value and type(sent) is type(value)
            yield _code(value) if same else f"{_code(value)} → {_code(sent)}"


def _code(value: Any) -> str:
    return f"`{json.dumps(value)}`".replace("|", "\\|")


def _sent(value: Any, field: _Field) -> Any:
    """Return what Kochava gets for a value of a field; `_GONE` for nothing."""
    body = json.dumps(changed({field.at: value}, field.action))
    event = parse_event(body, sent_at=SENT_AT, default_app_id=None)
    place: Any = json.loads(encode_payload(event, DeviceUaEncoding.PERCENT))
    for key in field.at.split("."):
        place = place.get(key, _GONE) if isinstance(place, dict) else _GONE
    return place


def _difference(difference: Difference) -> str:
    try:
        parse_event(difference.body, sent_at=SENT_AT, default_app_id=None)
    except InvalidEventError as refused:
        return f"| {difference.text} | `{difference.shown}` | `{refused}` |"
    raise ValueError(f"{difference.name}: the function takes the example: it is no difference any more")
