"""The rules between a message's fields, which may stand in ``data`` or beside it. Pure."""

from collections.abc import Sequence

from forwarder_tools.schema import patterns
from forwarder_tools.schema.rule import NULL, Schema, ref, text
from kochava_forwarder.contract.models import Shape

_SET: Schema = {"not": {"anyOf": [NULL, text(patterns.EMPTY)]}}
_DEVICE_ID_NAMED: Schema = {
    "properties": {
        "kochava_device_id": {
            "type": ["string", "integer"],
            "not": {"anyOf": [ref("Nobody"), {"type": "integer", "maximum": 0}]},
        }
    },
    "required": ["kochava_device_id"],
}


def _has(name: str, schema: Schema | None = None) -> Schema:
    """Return the schema of an object that has a member, of this schema."""
    return {**({} if schema is None else {"properties": {name: schema}}), "required": [name]}


def either(name: str, schema: Schema | None = None) -> Schema:
    """Return the schema of a message that has a field, of this schema, beside ``data`` or in it."""
    return {"anyOf": [_has(name, schema), _has("data", {"type": "object", **_has(name, schema)})]}


def required(names: Sequence[str]) -> list[Schema]:
    """Return that each of these fields must be there, in either place."""
    return [{"title": f"{name} is needed", **either(name)} for name in names]


def identity(action: str, shape: Shape) -> Schema:
    """Return that a message must say which device it is of."""
    if action == "update":
        return {
            "title": "kochava_device_id is needed",
            "description": "An update is of a device that is known.",
            **_DEVICE_ID_NAMED,
            "$comment": "PEER",
        }
    needed = either("device_ids", ref("NamesDevice"))
    return {
        "title": "a device is named",
        "description": "By one of device_ids, or by kochava_device_id.",
        "anyOf": [_DEVICE_ID_NAMED, *needed["anyOf"]],
        "$comment": "SEED, OURS" if shape.names_device else "OURS",
    }


def gdpr_applies() -> Schema:
    """Return that GDPR's reach must be said by who does not know the user's address."""
    unsaid: Schema = {"type": "object", "not": {"anyOf": [_has("gdpr_applies", _SET), ref("SaysNothing")]}}
    return {
        "title": "gdpr_applies is needed when origination_ip is empty",
        "if": either("gdpr_privacy_consent", unsaid),
        "then": either("origination_ip", {"type": "string", "not": ref("NoAddress")}),
        "$comment": "DOC",
    }


def consent_complete() -> Schema:
    """Return that a consent needs ``tc_string``, or both flags."""
    flags = ("ad_user_data", "ad_personalization")
    return {
        "anyOf": [
            {"title": "tc_string", **_has("tc_string", _SET)},
            {"title": "both flags", "properties": dict.fromkeys(flags, _SET), "required": list(flags)},
        ]
    }
