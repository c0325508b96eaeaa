"""What the schema takes and the function refuses: what JSON Schema cannot say, or only at length. Pure.

Each has an example. There is nothing that the schema refuses and the function takes.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forwarder_tools.schema.bodies import BODIES
from kochava_forwarder.contract import numbers, passed_on, user_agent

_SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"


@dataclass(frozen=True)
class Difference:
    """One kind of body that the schema takes and the function refuses.

    Attributes:
        name: a word for it.
        text: what it is, for people.
        body: an example, as JSON text.
        shown: the part of the example that matters.
    """

    name: str
    text: str
    body: str
    shown: str


def changed(changes: Mapping[str, Any], action: str = "event") -> dict[str, Any]:
    """Return an action's example with other values at dotted paths."""
    body = copy.deepcopy(BODIES[action])
    for path, value in changes.items():
        *above, last = path.split(".")
        place = body
        for key in above:
            place = place[key]
        place[last] = value
    return body


def _difference(
    name: str, text: str, changes: Mapping[str, Any], *, action: str = "event", shown: str = ""
) -> Difference:
    default = ", ".join(f'"{path.rpartition(".")[2]}": {json.dumps(value)}' for path, value in changes.items())
    return Difference(name, text, json.dumps(changed(changes, action)), shown or default)


def _nested(depth: int) -> dict[str, Any]:
    return {"a": _nested(depth - 1)} if depth else {}


_TWICE = json.dumps(BODIES["event"]).replace('"price":', '"price": 1, "price":')
DIFFERENCES = (
    _difference(
        "two values",
        "A field in `data` and beside it, or a currency in `data` and in `event_data`, with different values.",
        {"usertime": 1760000001},
        shown='"usertime": 1760000001, "data": {"usertime": 1760000000, ...}',
    ),
    _difference(
        "misplaced",
        "A key that belongs beside `data`, inside it with a value that it has not there.",
        {"data.event_id": "another"},
        shown='"event_id": "order-4711", "data": {"event_id": "another", ...}',
    ),
    Difference("given twice", "A key given twice.", _TWICE, '"price": 1, "price": 149.95'),
    _difference(
        "same name",
        "Names of identifiers or identities that differ by outer blanks only.",
        {"data.device_ids": {"custom": "u-1", " custom": "u-2"}},
    ),
    _difference("not finite", "NaN, and numbers beyond double precision.", {"data.price": float("nan")}),
    _difference("surrogate", "Text that is not valid Unicode.", {"data.locale": "\ud800"}),
    _difference(
        "whole number",
        "A whole number written as a fraction, where only whole ones are taken: in JSON Schema, 415.0 is 415.",
        {"data.app_version": 415.0},
    ),
    _difference(
        "no such time",
        "A time as text that the calendar does not have, that is not quite ISO 8601, or whose exponent or offset "
        "puts it before 2001 or after 2099.",
        {"data.usertime": "2025-02-30T08:53:20Z"},
    ),
    _difference(
        "long number",
        f"A number as text of more than {numbers.LONGEST_NUMBER} characters.",
        {"data.event_data.price": "1." + "0" * numbers.LONGEST_NUMBER},
        shown='"price": "1.000..."',
    ),
    _difference("negative", "A negative duration as text.", {"data.app_tracking_transparency.att_duration": "-1"}),
    _difference(
        "long user agent",
        f"A user agent of more than {user_agent.MAX_USER_AGENT:,} bytes, and at most three times as many "
        "characters.",
        {"data.device_ua": "x" * (user_agent.MAX_USER_AGENT + 1)},
        shown='"device_ua": "xxx..."',
    ),
    _difference(
        "text of an object",
        "What is wrong inside JSON text that is read as an object: `event_data` and the objects of an install.",
        {"data.event_data": '{"items": [1]}'},
    ),
    _difference(
        "too deep",
        f"An object of an install that is nested more than {passed_on.MAX_DEPTH} deep.",
        {"data.conversion_data": _nested(passed_on.MAX_DEPTH + 1)},
        action="install",
        shown='"conversion_data": {"a": {"a": ...}}',
    ),
    _difference(
        "other letters",
        "A known identifier that is hashed or of another form, under its name in other letters.",
        {"data.device_ids": {"IDFA": _SHA_1}},
    ),
    _difference("control characters", "An event name of control characters only.", {"data.event_name": "\x01"}),
    _difference(
        "e-mail address",
        "An e-mail address whose last label does not begin with a letter or digit of ASCII.",
        {"data.identity_link": {"user": "a@b.\u00e9x"}},
        action="identityLink",
    ),
    _difference(
        "no app",
        "No `kochava_app_id`, on a stack without `KochavaAppId`.",
        {"kochava_app_id": None},
    ),
)
