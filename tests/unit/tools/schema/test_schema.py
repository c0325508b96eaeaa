"""`events/schema.json` and `docs/contract.md`: current, complete, and in what all readers of JSON Schema know."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from forwarder_tools.processes import ToolError
from forwarder_tools.schema import __main__ as command
from forwarder_tools.schema import generate, page
from forwarder_tools.schema.bodies import BODIES
from forwarder_tools.schema.differences import Difference, changed
from forwarder_tools.schema.texts import FIELDS
from kochava_forwarder.contract import fields
from kochava_forwarder.contract.models import SHAPES
from kochava_forwarder.contract.standard_events import STANDARD_EVENTS
from tests.unit.strategies import read

SCHEMA: dict[str, Any] = json.loads(command.SCHEMA.read_text())
PARTS: dict[str, dict[str, Any]] = SCHEMA["$defs"]
MODELS = {name for name, part in PARTS.items() if "properties" in part and name != "Parameters"}
SOURCES = {"SEED", "DOC", "SDK", "PEER", "OURS"}


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yields every object in a JSON value."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


def patterns() -> set[str]:
    found = {node["pattern"] for node in nodes(PARTS) if isinstance(node.get("pattern"), str)}
    return found.union(*(node["patternProperties"] for node in nodes(PARTS) if "patternProperties" in node))


# --- current ------------------------------------------------------------------------------------------------


def test_the_files_are_what_the_models_say() -> None:
    assert (command.SCHEMA.read_text(), command.PAGE.read_text()) == command.printed(), "run `make schema`"


def test_it_is_a_schema_of_its_draft() -> None:
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)


def test_every_part_is_used() -> None:
    used = {node["$ref"].split("/")[2] for node in nodes(SCHEMA) if isinstance(node.get("$ref"), str)}

    assert used == PARTS.keys()


def test_a_function_without_a_rule_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {rule.function: rule.name for rule in generate.RULES.values() if rule.function is not fields.flag}
    monkeypatch.setattr(generate, "_RULE_OF", rules)

    with pytest.raises(ToolError, match=r"^kochava_forwarder\.contract\.fields\.flag has no rule: add one in "):
        command.printed()


def test_a_field_without_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {name: text for name, text in FIELDS.items() if name != "att"}
    monkeypatch.setattr(generate, "FIELDS", texts)

    with pytest.raises(ToolError, match=r"^att has no text: add one in "):
        command.printed()


def test_a_difference_that_is_none_any_more_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "DIFFERENCES", [Difference("gone", "", json.dumps(BODIES["event"]), "")])

    with pytest.raises(ToolError, match=r"^gone: the function takes the example"):
        command.printed()


# --- complete -----------------------------------------------------------------------------------------------


def test_there_is_a_schema_of_each_action_and_of_its_data() -> None:
    assert {
        name for shape in SHAPES.values() for name in (shape.model.__name__, f"{shape.model.__name__}Data")
    } < MODELS


@pytest.mark.parametrize("name", PARTS)
def test_every_part_and_field_says_what_it_is_and_from_where(name: str) -> None:
    part = PARTS[name]
    described = [part, *(field for field in part.get("properties", {}).values() if set(field) != {"$ref"})]

    for schema in described if name in MODELS else [part]:
        assert schema["description"]
        assert schema is part or name not in MODELS or schema["title"]
        assert (schema is part and name in MODELS) or set(schema["$comment"].split(", ")) <= SOURCES


@pytest.mark.parametrize("name", sorted(PARTS.keys() - MODELS))
def test_every_example_of_a_rule_is_taken_by_it(name: str) -> None:
    rule = Draft202012Validator({"$defs": PARTS, "$ref": f"#/$defs/{name}"})

    assert PARTS[name]["examples"]
    assert [example for example in PARTS[name]["examples"] if not rule.is_valid(example)] == []


@pytest.mark.parametrize("action", SHAPES)
def test_the_example_of_an_action_has_every_field_and_is_taken(action: str) -> None:
    (body,) = PARTS[SHAPES[action].model.__name__]["examples"]

    assert {*body, *body["data"]} == set(SHAPES[action].known)
    assert Draft202012Validator(SCHEMA).is_valid(body)
    assert read(body).action == action


@pytest.mark.parametrize("name", sorted(STANDARD_EVENTS))
def test_every_standard_event_is_taken(name: str) -> None:
    assert Draft202012Validator(SCHEMA).is_valid(changed({"data.event_name": name}))


# --- portable -----------------------------------------------------------------------------------------------


def test_the_patterns_have_only_what_all_readers_understand_alike() -> None:
    known = re.compile(r"\\[^]\[{}().*+?^$|/\\-]|\(\?(?!:)|[*+?}]\?|\{\d{4,}")

    assert {use for pattern in patterns() for use in known.findall(pattern.replace(r"[\s\S]", ""))} == set()


def test_every_pattern_is_one() -> None:
    assert len({re.compile(pattern) for pattern in patterns()}) > 20


# --- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the command write beside nothing of the project's."""
    for name, path in {"ROOT": "", "SCHEMA": "schema.json", "PAGE": "page.md", "RELEASED": "released"}.items():
        monkeypatch.setattr(command, name, tmp_path / path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["schema", *arguments])
    return command.main()


def test_it_writes_both_files(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--release", "") == 0
    assert ((files / "schema.json").read_text(), (files / "page.md").read_text()) == command.printed()
    assert not (files / "released").exists()


def test_it_keeps_the_schema_of_a_release(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "--release", "1.2.3") == 0
    assert (files / "released" / "1.2.3.json").read_text() == (files / "schema.json").read_text()
    assert run(monkeypatch, "--release", "1.2.3") == 0


def test_it_changes_no_release(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "released").mkdir()
    (files / "released" / "1.2.3.json").write_text("{}\n")

    assert run(monkeypatch, "--release", "1.2.3") == 1
    assert capsys.readouterr().err == (
        "make schema: released/1.2.3.json is there and says something else: a release is never changed\n"
    )
    assert not (files / "schema.json").exists()


def test_it_keeps_nothing_under_a_name_that_is_no_version(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--release", "../1.2") == 1
    assert capsys.readouterr().err == (
        "make schema: RELEASE=../1.2 is no version: give three numbers, as in RELEASE=1.2.3\n"
    )
    assert list(files.iterdir()) == []
