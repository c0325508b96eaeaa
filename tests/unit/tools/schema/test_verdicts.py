"""The schema and the function say the same of a body, but for the documented differences."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder_tools.processes import ROOT
from forwarder_tools.samples import expectations, sample_name, sample_paths
from forwarder_tools.schema.differences import DIFFERENCES, Difference
from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.problems import InvalidEventError
from tests.unit.strategies import MINIMAL, Event, examples, nearly_valid
from tests.unit.tools.schema.explained import EXPLANATIONS, unexplained
from tests.unit.tools.schema.verdicts import VALIDATOR, check, flattened, refusal

SENDERS = json.loads((ROOT / "tests/unit/contract/cases/bodies.json").read_text())


# --- samples and senders ------------------------------------------------------------------------------------


def inside(body: str) -> Any:
    """Return what a schema can judge: the message in an envelope that can be opened, else the whole JSON value."""
    try:
        return open_body(body).tree
    except InvalidEventError:
        return json.loads(body)


@pytest.mark.parametrize("path", sample_paths(), ids=sample_name)
def test_a_sample_is_valid_exactly_when_it_is_not_expected_to_be_invalid(path: Path) -> None:
    rows = expectations()[sample_name(path)]
    for record, expected in zip(json.loads(path.read_text())["Records"], rows, strict=True):
        try:
            body = inside(record["body"])
        except ValueError:
            assert expected.outcome == "invalid"
            continue
        problems = refusal(record["body"])
        if expected.outcome == "invalid" and VALIDATOR.is_valid(body):
            assert problems is not None
            assert unexplained(body, problems) == []
        else:
            assert VALIDATOR.is_valid(body) == (expected.outcome != "invalid")


def test_few_samples_are_invalid_for_what_a_schema_cannot_say() -> None:
    taken = set()
    for path in sample_paths():
        rows = expectations()[sample_name(path)]
        for record, expected in zip(json.loads(path.read_text())["Records"], rows, strict=True):
            with suppress(ValueError):  # it is not JSON
                if expected.outcome == "invalid" and VALIDATOR.is_valid(inside(record["body"])):
                    taken.add(sample_name(path))

    assert taken == {
        "invalid-conflicting-values.json",
        "invalid-duplicate-keys.json",
        "invalid-nan.json",
        "invalid/app-id-missing.json",
        "invalid/currency-conflict.json",
        "invalid/lone-surrogate.json",
        "invalid/misplaced.json",
        "invalid/number-too-large.json",
    }


@pytest.mark.parametrize("case", SENDERS, ids=lambda case: case["id"])
def test_a_senders_body_has_one_verdict(case: dict[str, Any]) -> None:
    check(case["body"].removeprefix("\ufeff"), refusal(case["body"]))


# --- a corpus of nearly valid bodies ------------------------------------------------------------------------


@given(event=nearly_valid(), flat=st.booleans())
@examples(2000)
def test_a_nearly_valid_body_has_one_verdict(event: Event, flat: bool) -> None:
    text = json.dumps(flattened(event) if flat else event)
    check(text, refusal(text, default_app_id="kodefault"))


# --- what a schema cannot say -------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_documented_difference_is_one(difference: Difference) -> None:
    body, problems = json.loads(difference.body), refusal(difference.body)

    assert problems
    assert VALIDATOR.is_valid(body)
    assert all(EXPLANATIONS[difference.name](body, problem) for problem in problems)


def test_every_difference_is_documented_and_explained() -> None:
    assert [difference.name for difference in DIFFERENCES] == list(EXPLANATIONS)


def test_the_schema_is_of_what_is_inside_an_envelope() -> None:
    envelope = {
        "version": "0",
        "id": "1",
        "source": "app",
        "account": "123456789012",
        "time": "2025-10-09T08:53:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": "event",
        "detail": MINIMAL,
    }

    assert refusal(json.dumps(envelope)) is None
    assert not VALIDATOR.is_valid(envelope)
    assert VALIDATOR.is_valid(envelope["detail"])
