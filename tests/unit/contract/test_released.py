"""What a released version took is taken by this one: each schema in `events/released`, against the function.

A release's own examples and lists make one corpus, nearly valid bodies another, and the longest, most and
outermost that its rules take a third.
"""

import copy
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from forwarder_tools.processes import ROOT
from kochava_forwarder.contract.parameters import RESERVED_PARAMETERS
from kochava_forwarder.contract.problems import InvalidEventError, Problem
from tests.unit.strategies import Event, examples, nearly_valid, read
from tests.unit.tools.schema.explained import unexplained
from tests.unit.tools.schema.verdicts import refusal

RELEASED = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events" / "released").glob("*.json"))
}
VALIDATORS = {version: Draft202012Validator(schema) for version, schema in RELEASED.items()}
INNER = {"AppTrackingTransparency", "GdprPrivacyConsent"}


def broken(version: str, body: Event) -> list[Problem]:
    """Returns why the function refuses what a release took; nothing if that is so, or no release could tell."""
    if not VALIDATORS[version].is_valid(body):
        return []
    try:
        read(body, default_app_id="kodefault")
    except InvalidEventError as refused:
        return unexplained(body, refused.problems)
    return []


# --- a release's own examples -------------------------------------------------------------------------------


def corpus(schema: Any) -> Iterator[Event]:
    """Yields bodies with each value that a release gives as an example, or lists, in each field of each action."""
    parts = schema["$defs"]
    for message in (
        part for part in parts.values() if "examples" in part and "data" in part.get("properties", {})
    ):
        for body in message["examples"]:
            yield body
            yield flat(body, message)
            for device_ids in parts["NamesDevice"]["examples"]:
                unnamed = with_value(body, ("kochava_device_id",), "")
                yield with_value(unnamed, ("data", "device_ids"), device_ids)
            for path, value in values(parts, message, ()):
                changed = with_value(body, path, value)
                yield from (changed, flat(changed, message))


def values(parts: Any, model: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yields the values that a release gives for each field of a model, with the keys that lead to it."""
    for place, field, rule in fields(parts, model, path):
        enums = (option["enum"] for option in parts[rule].get("anyOf", ()) if "enum" in option)
        given = [
            *field.get("examples", ()),
            *parts[rule]["examples"],
            *(value for enum in enums for value in enum),
        ]
        yield from ((place, value) for value in given)


def fields(parts: Any, model: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, str]]:
    """Yields each field of a model: the keys that lead to it, what the release says of it, and its rule's name."""
    for name, field in model["properties"].items():
        options = (field, *field.get("anyOf", ()))
        rule = next((option["$ref"].rpartition("/")[2] for option in options if "$ref" in option), "")
        if rule in INNER or name == "data":
            yield from fields(parts, parts[rule], (*path, name))
        elif rule in parts:
            yield (*path, name), field, rule


def with_value(body: Event, path: tuple[str, ...], value: Any) -> Event:
    body = copy.deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return body


def flat(body: Event, message: Any) -> Event:
    """Returns a body with the fields beside `data` that the release let stand there."""
    movable = message["properties"].keys() - body.keys()
    beside = {name: value for name, value in body["data"].items() if name in movable}
    return body | beside | {"data": {name: value for name, value in body["data"].items() if name not in beside}}


@pytest.mark.parametrize("version", RELEASED)
def test_every_example_of_a_release_is_taken(version: str) -> None:
    bodies = list(corpus(RELEASED[version]))

    assert sum(map(VALIDATORS[version].is_valid, bodies)) > 500
    assert [(problems, body) for body in bodies if (problems := broken(version, body))] == []


@pytest.mark.parametrize("version", RELEASED)
def test_no_name_is_reserved_that_was_not(version: str) -> None:
    reserved = RELEASED[version]["$defs"]["Parameters"]["propertyNames"]["not"]["enum"]

    assert set(reserved) >= RESERVED_PARAMETERS


# --- the longest, most and outermost ------------------------------------------------------------------------

LONG = 10_000  # characters, where a release sets no limit
MANY = 1_000  # keys
DEEP = 16  # keys, one inside another; the release says so in words only
PADDING = " \n" * 100
# What no rule of a schema names, for it is said by a pattern or in words: offered to every rule of the name.
ENDS: dict[str, list[Any]] = {
    "Address": [
        *("255.255.255.255", " 255.255.255.255:65535 ", "::", "::1", "::ffff:255.255.255.255"),
        *("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
    ],
    "DeviceIds": [{"android_id": "1"}, {"android_id": "f" * 16}, {"imei": "1"}, {"imei": "1" * 20}],
    "Duration": ["1e300", "0." + "9" * 398],
    "Parameters": [{"sum": 10**300, "price": "-1e300"}, {"sum": -1e300, "price": "9" * 300}],
    "UserAgent": ["x" * 8192, "%78" * 8192],
}


def outermost(schema: Any) -> Iterator[Event]:
    """Yields bodies with what is offered to each rule, in each field of each action, and beside its fields."""
    parts = schema["$defs"]
    for message in (
        part for part in parts.values() if "examples" in part and "data" in part.get("properties", {})
    ):
        body = message["examples"][0]
        found = {path: rule for path, _, rule in fields(parts, message, ())}
        for path, rule in found.items():
            if path[1:] not in found:  # inside data it must say what it says beside it
                yield from map(partial(with_value, body, path), offers(parts, rule))
        yield from (with_value(body, ("data", "x" * LONG), value) for value in offers(parts, "Scalar"))
        yield with_value(body, ("data",), {f"x{number}": number for number in range(MANY)} | body["data"])


def offers(parts: Any, rule: str) -> Iterator[Any]:
    """Yields values at the ends of what a rule might take; whether it does, the release's schema says."""
    for bound in bounds(parts, parts[rule]):
        yield from (bound, str(bound))
        if 0 < bound <= datetime.max.replace(tzinfo=UTC).timestamp():
            yield datetime.fromtimestamp(math.floor(bound), UTC).isoformat()
    yield from (0, 2**63, -(2**63), 10**300, -(10**300), 5e-324, "9" * 300)
    yield from ("", "x", *(letter * LONG for letter in "xé🎿" if "maxLength" not in parts[rule]))
    for text in filter(lambda example: isinstance(example, str), parts[rule]["examples"]):
        yield from (PADDING + text + PADDING, text.upper(), text.lower())
    yield {f"x{number}": "x" for number in range(MANY)}
    yield {"x" * LONG: "x" * LONG}
    deepest: Any = 10**300
    for _ in range(DEEP):
        deepest = {"x": deepest}
    yield deepest
    yield from ENDS.get(rule, ())


def bounds(parts: Any, node: Any) -> Iterator[int | float]:
    """Yields the smallest and the largest number of each span that a rule, or one that it refers to, names."""
    for key, value in node.items() if isinstance(node, dict) else ():
        if key in {"minimum", "maximum"}:
            yield value
        elif key == "exclusiveMaximum":
            yield from (value - 1, math.nextafter(value, 0))
        elif key == "$ref":
            yield from bounds(parts, parts[value.rpartition("/")[2]])
        for inner in value if isinstance(value, list) else [value]:
            yield from bounds(parts, inner)


@pytest.mark.parametrize("version", RELEASED)
def test_what_a_release_took_at_its_ends_is_taken(version: str) -> None:
    bodies = [body for body in outermost(RELEASED[version]) if VALIDATORS[version].is_valid(body)]

    assert len(bodies) > 500
    assert [problems for body in bodies if (problems := refusal(json.dumps(body)))] == []


# --- nearly valid bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", RELEASED)
@given(body=nearly_valid(mistakes=2))
@examples(500)
def test_a_nearly_valid_body_that_a_release_took_is_taken(version: str, body: Event) -> None:
    assert broken(version, json.loads(json.dumps(body))) == []


# --- the folder ---------------------------------------------------------------------------------------------


def test_every_released_schema_is_of_a_version_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", Path(ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert RELEASED
    assert set(RELEASED) <= set(versions)
