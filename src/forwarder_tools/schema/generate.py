"""`events/schema.json`: the models' JSON Schema, widened by what is read and filled in before them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, cast, override

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from forwarder_tools.schema import devices, forms, patterns, values
from forwarder_tools.schema.bodies import BODIES
from forwarder_tools.schema.rule import NULL, Rule, Schema, ref, text
from forwarder_tools.schema.texts import FIELDS
from kochava_forwarder.contract import form
from kochava_forwarder.contract.models import SHAPES, Shape

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DESCRIPTION = (
    "What a publisher puts on the queue, as one JSON object. Fields may stand in data (the nested form) or, "
    "but for those that describe the event itself, beside it (the flat form of 2018). An envelope of SNS or "
    "EventBridge is not part of it: what is inside is. Each $comment names the sources of a rule: SEED "
    "(Kochava, 'Post-Install Event Setup', 2018), DOC (other pages of Kochava's), SDK (Kochava's SDKs), PEER "
    "(other senders), OURS (decided by the forwarder)."
)
RULES: Mapping[str, Rule] = {rule.name: rule for rule in (*values.RULES, *devices.RULES)}
_RULE_OF = {rule.function: rule.name for rule in RULES.values()}
_UNRESOLVED = "function"  # pydantic looks up references while it works, and knows none of ours
_MAY_BE_NULL = ("kochava_app_id", "kochava_device_id", "device_ver")  # filled in by `parse_event`, `form.prepare`


class _Generator(GenerateJsonSchema):
    """Pydantic's own generator, with the rule of each function that validates a value."""

    @override
    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        function = schema["function"]["function"]
        if function not in _RULE_OF:
            raise ValueError(
                f"{function.__module__}.{function.__name__} has no rule: add one in forwarder_tools/schema"
            )
        return {_UNRESOLVED: _RULE_OF[function]}


def generate() -> Schema:
    """Return the schema of what publishers may send.

    Raises:
        ValueError: a function of the models has no rule, or a field no text.
    """
    models = [(shape.model, "validation") for shape in SHAPES.values()]
    _, generated = models_json_schema(
        cast("Any", models), schema_generator=_Generator, ref_template="#/$defs/{model}"
    )
    definitions = generated["$defs"]
    aliases = {name: part[_UNRESOLVED] for name, part in definitions.items() if _UNRESOLVED in part}
    parts: dict[str, Schema] = {
        name: _resolved(part, aliases) for name, part in definitions.items() if name not in aliases
    }
    for part in parts.values():
        _describe(part)
    parts["GdprPrivacyConsent"] |= forms.consent_complete()
    for action, shape in SHAPES.items():
        _as_published(parts, action, shape)
    parts |= {**devices.PARTS} | {name: rule.schema() for name, rule in RULES.items()}
    return {
        "$schema": DIALECT,
        "title": "Message for kochava-forwarder",
        "description": DESCRIPTION,
        "type": "object",
        "properties": {"action": _action([*SHAPES, None])},
        "allOf": [_if_action(action, shape.model) for action, shape in SHAPES.items()],
        "$defs": dict(sorted(parts.items())),
    }


def _resolved(node: Any, aliases: Mapping[str, str]) -> Any:
    """Return pydantic's schema with references to the rules; without its titles, defaults and type aliases."""
    if isinstance(node, list):
        return [_resolved(item, aliases) for item in node]
    if not isinstance(node, dict):
        return node
    rule = node.get(_UNRESOLVED) or aliases.get(node.get("$ref", "").removeprefix("#/$defs/"))
    if rule:
        return ref(rule)
    return {
        key: {name: _resolved(item, aliases) for name, item in value.items()}
        if key == "properties"
        else _resolved(value, aliases)
        for key, value in node.items()
        if key not in {"title", "default"}
    }


def _describe(part: Schema) -> None:
    """Give a model's fields their titles, descriptions and sources."""
    part["description"] = part["description"].replace("``", "`")
    for name, schema in part["properties"].items():
        if name not in FIELDS:
            raise ValueError(f"{name} has no text: add one in forwarder_tools/schema/texts.py")
        title, description, source, examples = FIELDS[name]
        shown = {"examples": list(examples)} if examples else {}
        words: Schema = {"title": title, "description": description}
        part["properties"][name] = {**words, **schema, **shown, "$comment": source}


def _as_published(parts: dict[str, Schema], action: str, shape: Shape) -> None:
    """Widen the schemas of a message and of its data to both forms of a body, and to what is filled in."""
    message = parts[shape.model.__name__]
    data = parts[_data_model(shape).__name__]
    data_fields: dict[str, Schema] = data["properties"]
    needed: list[str] = [name for name in data.get("required", ()) if name not in {"usertime", "device_ver"}]
    for fields in (message["properties"], data_fields):
        for name in fields:
            fields[name] = _widened(name, fields[name])
    values: list[str | None] = [action, None] if action == "event" else [action]
    message["properties"] = {"action": None} | message["properties"] | {"action": _action(values)}
    data_fields |= {name: _repeated(name, message["properties"][name], action) for name in sorted(shape.top)}
    may_be_flat = [name for name in needed if name in shape.flat]
    data["required"] = [name for name in needed if name not in shape.flat]
    _drop_empty(data)
    if not data.get("required"):
        message["properties"]["data"] = _instead(
            message["properties"]["data"],
            {"anyOf": [ref(_data_model(shape).__name__), {"type": "array", "maxItems": 0}]},
        )
    place = f"{_data_model(shape).__name__}/properties"
    message["properties"] |= {name: ref(f"{place}/{name}") for name in data_fields if name in shape.flat}
    message["required"] = ["data"] if data.get("required") else []
    _drop_empty(message)
    message["allOf"] = [*forms.required(may_be_flat), forms.identity(action, shape), forms.gdpr_applies()]
    message["examples"] = [BODIES[action]]


def _data_model(shape: Shape) -> type[BaseModel]:
    return cast("type[BaseModel]", shape.model.model_fields["data"].annotation)


def _widened(name: str, schema: Schema) -> Schema:
    """Return a field's schema with what is filled in or read before the models see it."""
    if name == "usertime":
        return _instead(schema, {"anyOf": [ref("Time"), ref("Unfilled"), NULL]})
    if name == "currency":
        return _instead(schema, ref("Currency"))
    if name in form.OBJECTS:
        nothing = {**ref("SaysNothing"), "propertyNames": {"enum": sorted(form.OBJECTS[name])}}
        return _instead(schema, {"anyOf": [*schema["anyOf"], nothing]})
    if name in _MAY_BE_NULL and "$ref" in schema:
        return _instead(schema, {"anyOf": [{"$ref": schema["$ref"]}, ref("Blank"), NULL]})
    return schema


def _instead(schema: Schema, types: Schema) -> Schema:
    """Return a field's schema with other types."""
    return {key: value for key, value in schema.items() if key not in {"$ref", "anyOf"}} | types


def _repeated(name: str, schema: Schema, action: str) -> Schema:
    """Return the schema, in data, of a key that belongs beside it."""
    repeated: Schema = {
        "title": schema["title"],
        "description": "Belongs beside data; taken here, and dropped, when it says the same there.",
        "$comment": "OURS",
    }
    if name == "action":
        return repeated | {"const": action}
    if name in _MAY_BE_NULL:  # null is filled in there, and so never the same
        return {**repeated, **schema["anyOf"][0]}
    return {**repeated, "anyOf": schema["anyOf"]}


def _drop_empty(part: Schema) -> None:
    if not part.get("required"):
        part.pop("required", None)


def _action(values: list[str | None]) -> Schema:
    title, description, source, _ = FIELDS["action"]
    default = " If missing, null or empty, an event." if None in values else ""
    said = f"{description} By its letters alone.{default}"
    return {"title": title, "description": said, **_one_of(values), "$comment": source}


def _one_of(actions: Sequence[str | None]) -> Schema:
    """Return the schema of one of the actions; None among them is one that is not said."""
    letters = text(patterns.by_letters(*(action.lower() for action in actions if action)))
    return {"anyOf": [{"enum": list(actions)}, letters, *([ref("Blank")] if None in actions else [])]}


def _if_action(action: str, model: type[BaseModel]) -> Schema:
    """Return which message a body must be, by its action; a body without one is an event."""
    condition: Schema = {"properties": {"action": _one_of([action, None] if action == "event" else [action])}}
    if action != "event":
        condition["required"] = ["action"]
    return {"if": condition, "then": ref(model.__name__)}
