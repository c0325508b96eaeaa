"""What a released version took is taken by this one: each schema in `events/released`, against the function.

A release's own examples and lists make one corpus, nearly valid bodies another.
"""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from forwarder_tools.processes import ROOT
from kochava_forwarder.contract.fields import RESERVED_PARAMETERS
from kochava_forwarder.contract.problems import InvalidEventError, Problem
from tests.unit.strategies import Event, examples, nearly_valid, read
from tests.unit.tools.schema.explained import unexplained

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
    """Yields the values of each field of a model, with the keys that lead to it."""
    for name, field in model["properties"].items():
        options = (field, *field.get("anyOf", ()))
        rule = next((option["$ref"].rpartition("/")[2] for option in options if "$ref" in option), None)
        if rule in INNER or name == "data":
            yield from values(parts, parts[rule], (*path, name))
        elif rule in parts:
            enums = (option["enum"] for option in parts[rule].get("anyOf", ()) if "enum" in option)
            given = [
                *field.get("examples", ()),
                *parts[rule]["examples"],
                *(value for enum in enums for value in enum),
            ]
            yield from (((*path, name), value) for value in given)


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
