"""What the schema and the function say of a body."""

import json

from jsonschema import Draft202012Validator

from forwarder_tools.processes import ROOT
from kochava_forwarder.contract.models import SHAPES
from kochava_forwarder.contract.problems import InvalidEventError, Problem
from tests.unit.strategies import Event, read
from tests.unit.tools.schema.explained import unexplained

VALIDATOR = Draft202012Validator(json.loads((ROOT / "events" / "schema.json").read_text()))


def refusal(body: str, *, default_app_id: str | None = None) -> tuple[Problem, ...] | None:
    """Returns what the function says is wrong with a body, or None for one that it takes."""
    try:
        read(body, default_app_id=default_app_id)
    except InvalidEventError as refused:
        return refused.problems
    return None


def check(text: str, problems: tuple[Problem, ...] | None) -> None:
    """Checks that the schema says of a body what the function said, or may differ."""
    body = json.loads(text)
    if problems is None:
        assert next(VALIDATOR.iter_errors(body), None) is None, "the schema refuses what the function takes"
    elif VALIDATOR.is_valid(body):
        assert unexplained(body, problems) == [], "the schema takes what the function refuses"


def flattened(event: Event) -> Event:
    """Returns a body with the fields of `data` that may stand beside it beside it, unless they do already."""
    data, action = event.get("data"), event.get("action", "event")
    if not isinstance(data, dict) or not isinstance(action, str) or action not in SHAPES:
        return event
    flat = {name: value for name, value in data.items() if name in SHAPES[action].flat and name not in event}
    inner = {name: value for name, value in data.items() if name not in flat}
    kept = {name: value for name, value in event.items() if name != "data"}
    return kept | flat | ({"data": inner} if inner else {})
