"""The rules for what names a device, its user, its address and its user agent. Pure."""

from collections.abc import Mapping
from types import MappingProxyType

from forwarder_tools.schema import patterns
from forwarder_tools.schema.rule import NULL, Rule, Schema, ref, text
from kochava_forwarder.contract import addresses, fields, identifiers, user_agent

_UUID = "AAAAAAAA-0000-4000-8000-000000000001"
_ESCAPE = len("%41")
_NOBODY: Schema = {"anyOf": [NULL, ref("Nobody")]}
_LINKS_NOBODY: Schema = {"anyOf": [NULL, ref("Nobody"), {"const": 0}]}

# What the rules share, by its name in $defs.
PARTS: Mapping[str, Schema] = MappingProxyType(
    {
        "Nobody": {
            "description": "What names nobody: a text that is empty, all zeros, or what programs print for "
            "a value that they do not have.",
            **text(patterns.NOBODY),
            "examples": ["", "00000000-0000-0000-0000-000000000000", "null", "(null)", "unknown", "${IDFA}"],
            "$comment": "OURS",
        },
        "Blank": {
            "description": "A text of blanks, or of nothing.",
            **text(patterns.EMPTY),
            "examples": ["", " "],
            "$comment": "OURS",
        },
        "Unfilled": {
            "description": "A text that is empty, or what programs print for a value that they do not have.",
            **text(patterns.UNFILLED),
            "examples": ["", "null", "(null)", "N/A", "${IDFA}"],
            "$comment": "OURS",
        },
        "SaysNothing": {
            "description": "An object without a value, as printers of objects make it: as if it were missing.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": NULL,
            "examples": [{"att": None, "att_time": None}],
            "$comment": "OURS",
        },
        "NoAddress": {
            "description": "An address that is not known.",
            **text(patterns.NO_ADDRESS),
            "examples": ["", "unknown", "0.0.0.0", "::"],  # nosec B104  # noqa: S104 - nobody's address, and nothing listens here
            "$comment": "OURS",
        },
        "NamesDevice": {
            "description": "At least one identifier names somebody, and is of its form where it has one.",
            "type": "object",
            "not": {
                "patternProperties": {
                    patterns.trimmed(name): {"anyOf": [*_NOBODY["anyOf"], {"not": text(form)}]}
                    for name, form in patterns.FORMS.items()
                },
                "additionalProperties": _NOBODY,
            },
            "examples": [
                *({name: _UUID} for name in ("idfa", "idfv", "adid")),
                {"android_id": "9774d56d682e549c"},
                {"android_id": "1"},
                {"imei": "01234567890123456789"},
                {"custom": "u-1"},
            ],
            "$comment": "SEED, OURS",
        },
    }
)

RULES = (
    Rule(
        "DeviceId",
        identifiers.device_id,
        ["string", "integer"],
        "Any text, or a whole number, which becomes one. Trimmed; one that names nobody becomes empty.",
        ["KD5b085ab00b386", "(null)", 4711],
        "SEED, OURS",
        {"maximum": fields.LARGEST_NAME},
    ),
    Rule(
        "DeviceIds",
        identifiers.device_ids,
        ["object", "null", "array"],
        "Names and identifiers, raw, never hashed. Trimmed; null and what names nobody is left out; null and "
        "`[]` are an empty object. Kochava knows "
        + ", ".join(f"`{name}`" for name in sorted(identifiers.KNOWN))
        + "; any other name "
        "is the publisher's own.",
        [{"idfa": _UUID}, {"IDFA": f" {_UUID}", "adid": "null"}, [], None],
        "SEED, DOC, OURS",
        {
            "maxItems": 0,
            "patternProperties": {
                **{
                    patterns.trimmed(name): {
                        "type": ["string", "null"],
                        "anyOf": [ref("Nobody"), {"not": text(digest)}],
                    }
                    for name, digest in patterns.DIGESTS.items()
                },
                patterns.EMPTY: _NOBODY,
            },
            "additionalProperties": {"type": ["string", "null"]},
        },
    ),
    Rule(
        "Idfa",
        identifiers.idfa,
        ["string"],
        "A UUID with dashes that is not all zeros. Trimmed.",
        [_UUID],
        "PEER, OURS",
        {"allOf": [{"pattern": patterns.FORMS["idfa"]}, {"not": ref("Nobody")}]},
    ),
    Rule(
        "Identities",
        identifiers.identity_link,
        ["object"],
        "Names and identities, at least one that names somebody. Trimmed; whole numbers become texts; what names "
        "nobody is left out. E-mail addresses are refused.",
        [{"app_userid": "u-1"}, {"app_userid": 17, "loyalty": None}],
        "SDK, OURS",
        {
            "patternProperties": {patterns.EMPTY: _LINKS_NOBODY},
            "additionalProperties": {
                "anyOf": [
                    {"type": ["null", "integer"]},
                    ref("Nobody"),
                    {"type": "string", "not": {"pattern": patterns.EMAIL}},
                ]
            },
            "not": {"additionalProperties": _LINKS_NOBODY},
        },
    ),
    Rule(
        "Address",
        addresses.ip_address,
        ["string", "null"],
        "An IPv4 or IPv6 address, alone. Brackets and a port are taken off; null, a placeholder and nobody's "
        "address become empty.",
        ["203.0.113.7", "203.0.113.7:52544", "::ffff:203.0.113.7", "[2001:db8::1]:443", "", None],
        "SEED, OURS",
        {"anyOf": [NULL, text(patterns.ADDRESS), text(patterns.UNFILLED)]},
    ),
    Rule(
        "UserAgent",
        user_agent.user_agent,
        ["string", "null"],
        f"Raw or URL-encoded, at most {user_agent.MAX_USER_AGENT:,} bytes once decoded. Sent URL-encoded once, "
        "unless the stack's `DeviceUaEncoding` says `raw`; null and placeholders become empty.",
        ["Mozilla/5.0 (X)", "Mozilla%2F5.0%20%28X%29", "unknown", None],
        "SEED, OURS",
        {"maxLength": user_agent.MAX_USER_AGENT * _ESCAPE},
    ),
)
