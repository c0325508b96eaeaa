"""The rules for texts, numbers, times, consent and what describes an event. Pure."""

from forwarder_tools.schema import patterns
from forwarder_tools.schema.rule import NULL, Rule, ref, text
from kochava_forwarder.contract import currency, fields, parameters, passed_on, times

_EMPTY = text(patterns.EMPTY)
_UNITS = (1, 10**3, 10**6, 10**9)  # of a second
_EPOCH = {
    "type": "number",
    "anyOf": [{"minimum": times.EARLIEST * unit, "exclusiveMaximum": times.LATEST * unit} for unit in _UNITS],
}
_TIMES = (1760000000, 1760000000000, "1760000000.5", "2025-10-09T08:53:20Z", "Thu, 09 Oct 2025 08:53:20 GMT")
_TRUTH_TYPES = ("boolean", "integer", "string")
_SAYS_NOTHING = " An empty text says nothing."
_AMOUNT = {
    "description": "An amount: a number, also as text, which becomes one. Null is left out.",
    "type": ["number", "string", "null"],
    "pattern": patterns.NUMBER,
    "examples": [150, "9.99", None],
    "$comment": "SDK, OURS",
}

RULES = (
    Rule(
        "AppId",
        fields.app_id,
        ["string"],
        "Any text but a placeholder, without a blank, `<`, `>`, `{` or `}` inside. Trimmed.",
        ["kogame-ios-ab12", " kogame-ios-ab12"],
        "DOC, OURS",
        {"allOf": [{"pattern": patterns.APP_ID}, {"not": ref("Nobody")}]},
    ),
    Rule(
        "EventId",
        fields.event_id,
        ["string", "integer"],
        "Any text, or a whole number, which becomes one. Trimmed; a placeholder and 0 count as none.",
        ["order-4711", 4711],
        "OURS",
        {"maximum": fields.LARGEST_NAME},
    ),
    Rule(
        "Text",
        fields.text,
        ["string"],
        "Any text. A placeholder is left out.",
        ["a-token", "undefined"],
        "DOC, OURS",
    ),
    Rule(
        "Version",
        fields.version,
        ["string", "integer"],
        "A text, or a whole number, which becomes one; a fraction would have lost a digit (1.10).",
        ["1.10.0", 415],
        "OURS",
    ),
    Rule(
        "Time",
        times.epoch_seconds,
        ["number", "string"],
        "Seconds, milliseconds, microseconds or nanoseconds since 1970, also as text; ISO 8601 with a zone; or a "
        "time as RFC 5322, Ruby, Go, Java, JavaScript and .NET print it. From 2001 to 2099. Becomes whole "
        "seconds.",
        _TIMES,
        "DOC, OURS",
        {"anyOf": [_EPOCH, text(patterns.NUMBER_OF_SECONDS), text(patterns.DATE_AND_TIME)]},
    ),
    Rule(
        "OptionalTime",
        times.optional_epoch_seconds,
        ["number", "string"],
        "A Time; or a placeholder, an empty text or 0, which say nothing.",
        [*_TIMES, "", 0],
        "DOC, OURS",
        {"anyOf": [ref("Time"), ref("Unfilled"), {"const": 0}, text(patterns.trimmed("0"))]},
    ),
    Rule(
        "Truth",
        fields.truth,
        _TRUTH_TYPES,
        "True or false, 1 or 0, or one of these as text. Becomes true or false.",
        [True, 0, "false"],
        "DOC, OURS",
        {"anyOf": [{"enum": [True, False, 0, 1]}, text(patterns.TRUTH)]},
    ),
    Rule(
        "OptionalTruth",
        fields.optional_truth,
        _TRUTH_TYPES,
        "A Truth, or an empty text, which says nothing.",
        [True, 0, "True", ""],
        "PEER, OURS",
        {"anyOf": [ref("Truth"), _EMPTY]},
    ),
    Rule(
        "Flag",
        fields.flag,
        _TRUTH_TYPES,
        "A Truth, which becomes 1 or 0, or an empty text, which says nothing.",
        [1, False, "true", ""],
        "DOC, OURS",
        {"anyOf": [ref("Truth"), _EMPTY]},
    ),
    Rule(
        "ConsentString",
        fields.tc_string,
        ["string"],
        "Any text. An empty one is left out.",
        ["CPokAsAPokAsA", ""],
        "DOC, OURS",
    ),
    Rule(
        "Duration",
        fields.duration,
        ["number", "string"],
        "Seconds, not negative, also as text." + _SAYS_NOTHING,
        [2.5, "12", ""],
        "DOC, OURS",
        {"anyOf": [{"type": "number", "minimum": 0}, text(patterns.NUMBER), _EMPTY]},
    ),
    Rule(
        "AttDetail",
        fields.att_detail,
        ["string"],
        "`authorized`, `denied`, `notDetermined` or `restricted`, by its letters alone." + _SAYS_NOTHING,
        ["authorized", "not_determined", "NOT DETERMINED", ""],
        "DOC, OURS",
        {"pattern": patterns.ATT_DETAIL},
    ),
    Rule(
        "EventName",
        fields.event_name,
        ["string"],
        "A standard event's exact name, or any other text, of which Kochava makes a new event. Trimmed.",
        ["Purchase", "Tree Planted\n"],
        "SEED, DOC",
        {"pattern": patterns.NOT_EMPTY},
    ),
    Rule(
        "Currency",
        currency.code,
        ["string", "null"],
        "A code of ISO 4217, or one withdrawn within ten years. Becomes capitals. An empty text, a "
        "placeholder and null say nothing.",
        ["USD", "eur", "", None],
        "DOC, OURS",
        {
            "anyOf": [
                NULL,
                {"enum": sorted(currency.ISO_4217 | currency.WITHDRAWN)},
                text(patterns.CURRENCY),
            ]
        },
    ),
    Rule(
        "Scalar",
        parameters.scalar,
        ["string", "number", "boolean", "null"],
        "Nothing nested. Sent as it is.",
        ["fr_FR", 7, True, None],
        "PEER, OURS",
    ),
    Rule(
        "Parameters",
        parameters.parameters,
        ["object", "string", "array"],
        "A flat object of texts, numbers, true, false and null, without the names that Kochava reserves. `sum` "
        "and `price` are numbers, also as text; `currency` is the event's. `[]` is an empty object; a text that "
        "is an object in JSON is read as that object, any other is sent as it is.",
        [{"name": "Skis", "sum": "150"}, "[]", '{"level": 3}', "a text", []],
        "SEED, DOC, SDK, OURS",
        {
            "maxItems": 0,
            "properties": {**dict.fromkeys(parameters.REVENUE, _AMOUNT), "currency": ref("Currency")},
            "propertyNames": {"not": {"enum": sorted(parameters.RESERVED_PARAMETERS)}},
            "additionalProperties": ref("Scalar"),
        },
    ),
    Rule(
        "PassedOn",
        passed_on.passed_on,
        ["object", "string", "array"],
        "An object, or its JSON text. Sent as it is; `[]` is an empty object, an empty text says nothing.",
        [{"campaign": {"id": 7}}, '{"campaign": 7}', [], ""],
        "DOC, OURS",
        {"pattern": f"{patterns.EMPTY}|{patterns.JSON_OBJECT}", "maxItems": 0},
    ),
)
