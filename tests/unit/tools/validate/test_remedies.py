"""Each kind of problem and each warning has its row, and no row is left over."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given

from forwarder_tools.schema.differences import DIFFERENCES, Difference
from forwarder_tools.validate.judgement import UNKNOWN_REMEDY, judge
from forwarder_tools.validate.remedies import PROBLEMS, WARNINGS, remedy_for
from kochava_forwarder.contract import event
from kochava_forwarder.contract.warnings import EventWarning
from tests.unit.strategies import SENT_AT, bodies, examples
from tests.unit.tools.validate.support import SETTINGS

CONTRACT = Path(event.__file__).parent
# Texts of the contract with a blank in them that begin no problem: parts of one, parts of patterns, words.
NO_PROBLEMS = {
    *(" or ", ", ", ": ", "; ", "and ", " more", " ", "is ", "must be ", "see the context"),
    *(": publish the JSON text itself", " at character ", " bytes", "a UUID with dashes", "must be {expected}"),
    *(": the client's address alone", " (this is a UUID without dashes, or hashed)"),
    *(" at", " (this is one inside a JSON string: encode it once)"),
    *(" (leave the object out when GDPR does not apply)", "1 to 16 hexadecimal digits"),
}
# What these are filled with.
FILLED = {
    *(
        "must be a UUID with dashes",
        "must be 1 to 16 hexadecimal digits",
        "must be digits",
        "is base64",
        "is gzip",
    ),
    *("must be 'event', 'install', 'update' or 'identityLink'", "must be a string: the client's address alone"),
    *("kochava_app_id: is missing", "must be a JSON object (this is one inside a JSON string: encode it once)"),
}


def _texts() -> Iterator[str]:
    for path in CONTRACT.glob("*.py"):
        if path.name in ("standard_events.py", "renaming.py"):  # no problems of an event
            continue
        tree = ast.parse(path.read_text())
        described = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in described:
                yield node.value


def _is_said(text: str) -> bool:
    """Tells a text for people from a name or a pattern."""
    return " " in text and not re.search(r"[\\|\[]", text) and len(text) < 100


SAID = sorted(text for text in {*_texts(), *FILLED} if _is_said(text) and text not in NO_PROBLEMS)


@pytest.mark.parametrize("text", SAID)
def test_what_the_contract_says_has_a_remedy(text: str) -> None:
    key, _, problem = text.rpartition("kochava_app_id: ")
    assert remedy_for(key or "any", problem) is not None


@pytest.mark.parametrize("beginning", [text for kind in PROBLEMS for text in kind.beginnings])
def test_every_row_is_for_something_that_the_contract_says(beginning: str) -> None:
    assert any(text.startswith(beginning) for text in SAID)


def test_no_row_is_hidden_by_one_before_it() -> None:
    beginnings = [text for kind in PROBLEMS for text in kind.beginnings]
    assert [(one, other) for one, other in itertools.combinations(beginnings, 2) if other.startswith(one)] == []


@given(body=bodies())
@examples(1000)
def test_a_problem_of_a_nearly_valid_body_has_a_remedy(body: str) -> None:
    assert UNKNOWN_REMEDY not in {
        problem.remedy for problem in judge(body, now=SENT_AT, settings=SETTINGS).problems
    }


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_what_a_schema_cannot_say_has_a_remedy(difference: Difference) -> None:
    assert UNKNOWN_REMEDY not in {
        problem.remedy for problem in judge(difference.body, now=SENT_AT, settings=SETTINGS).problems
    }


def test_a_missing_app_id_may_be_the_stacks() -> None:
    assert "--app-id" in (remedy_for("kochava_app_id", "is missing") or "")
    assert "--app-id" not in (remedy_for("event_name", "is missing") or "")


def test_a_kind_that_nobody_knows_has_none() -> None:
    assert remedy_for("a", "has wings") is None


def test_every_warning_is_explained() -> None:
    assert WARNINGS.keys() == set(EventWarning)


def test_what_is_said_is_short_and_in_ascii() -> None:
    texts = [kind.remedy for kind in PROBLEMS] + [text for row in WARNINGS.values() for text in row]
    assert all(text.isascii() and len(text) <= 80 and not text.endswith(".") for text in texts)
