"""The judgement is the function's: the same verdict, problems and warnings, each with what to do about it."""

import json
from typing import Any

import pytest
from hypothesis import given

from forwarder_tools.processes import ROOT
from forwarder_tools.validate.judgement import Problem, Warned, judge
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.warnings import warnings_for
from tests.unit.strategies import MINIMAL, SENT_AT, bodies, changed, examples, read
from tests.unit.tools.validate.support import SETTINGS

SENDERS = json.loads((ROOT / "tests/unit/contract/cases/bodies.json").read_text())
NAMES = json.loads((ROOT / "tests/unit/contract/cases/event_names.json").read_text())["names"]


@given(body=bodies())
@examples(500)
def test_a_body_is_judged_as_the_function_judges_it(body: str) -> None:
    judgement = judge(body, now=SENT_AT, settings=SETTINGS)
    said = [f"{problem.path}: {problem.problem}" for problem in judgement.problems]
    try:
        event = read(body)
    except InvalidEventError as invalid:
        reason = str(invalid)
    else:
        expected = {warning.value for warning in warnings_for(event, sent_at=SENT_AT)}
        assert {warning.name for warning in judgement.warnings} == expected
        assert (judgement.event, said) == (event, [])
        return
    assert "; ".join(said) == reason
    assert (judgement.event, judgement.warnings) == (None, ())


@pytest.mark.parametrize("case", SENDERS, ids=lambda case: case["id"])
def test_a_senders_body_is_judged_as_it_must_be(case: dict[str, Any]) -> None:
    judgement = judge(case["body"], now=case["sent_at"], settings=SETTINGS)
    assert (judgement.event is not None) == (case["verdict"] == "accept")
    assert case["warning"] is None or case["warning"] in {warning.name for warning in judgement.warnings}


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case["name"])
def test_a_senders_event_name_is_doubted_as_the_function_doubts_it(case: dict[str, Any]) -> None:
    body = json.dumps(changed({"data.event_name": case["name"]}))
    names = {warning.name for warning in judge(body, now=SENT_AT, settings=SETTINGS).warnings}
    assert ("event_name_near_standard" in names) == case["warned"]


def test_a_standard_event_is_suggested_by_its_name() -> None:
    judgement = judge(json.dumps(changed({"data.event_name": "add_to_wishlist"})), now=SENT_AT, settings=SETTINGS)
    [warning] = [warning for warning in judgement.warnings if warning.name == "event_name_near_standard"]
    assert warning.remedy == 'did you mean "Add to Wish List"?'


def test_a_problem_has_its_path_and_its_remedy() -> None:
    judgement = judge(json.dumps(changed({"data.event_data": {"campaign": "x"}})), now=SENT_AT, settings=SETTINGS)
    assert judgement.problems == (
        Problem("data.event_data.campaign", "is reserved by Kochava", "give it another name"),
    )


def test_the_app_id_is_that_of_events_that_name_none() -> None:
    body = json.dumps({name: value for name, value in MINIMAL.items() if name != "kochava_app_id"})
    event = judge(body, now=SENT_AT, settings=SETTINGS.model_copy(update={"app_id": "kodefault"})).event
    assert event is not None
    assert event.kochava_app_id == "kodefault"
    [problem] = judge(body, now=SENT_AT, settings=SETTINGS).problems
    assert (problem.path, problem.problem) == ("kochava_app_id", "is missing")
    assert "--app-id" in problem.remedy


def test_the_time_is_that_of_events_that_name_none_and_the_measure_of_others() -> None:
    event = judge(json.dumps(MINIMAL), now=SENT_AT + 5, settings=SETTINGS).event
    assert event is not None
    assert event.data.usertime == SENT_AT + 5
    late = json.dumps(changed({"data.usertime": SENT_AT + 100}))
    names = [{*map(_name, judge(late, now=now, settings=SETTINGS).warnings)} for now in (SENT_AT, SENT_AT + 90)]
    assert ["usertime_in_future" in found for found in names] == [True, False]


def _name(warning: Warned) -> str:
    return warning.name


def test_a_warning_is_given_once() -> None:
    body = json.dumps(changed({"data.event_data": {"a": 2**63}, "data.b": 2**64}))
    names = [warning.name for warning in judge(body, now=SENT_AT, settings=SETTINGS).warnings]
    assert names.count("integer_too_large") == 1


@pytest.mark.parametrize("name", ["Purchase", ""])
def test_an_event_has_its_id_whether_it_is_valid_or_not(name: str) -> None:
    body = json.dumps(changed({"event_id": "order\x1b1", "data.event_name": name}))
    judgement = judge(body, now=SENT_AT, settings=SETTINGS)
    assert (judgement.event_id, judgement.event is not None) == ("order 1", bool(name))


@pytest.mark.parametrize("key", ["jane@mail.example", "+15550100", "a" * 33])
def test_a_key_that_may_be_personal_is_not_shown(key: str) -> None:
    [problem] = judge(json.dumps(changed({key: 1})), now=SENT_AT, settings=SETTINGS).problems
    assert problem.path == "?"
    assert key not in str(problem)
