"""What an event is called, read of bodies that are invalid, too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.identity import MAX_CHARACTERS, Identity, identity_of, shown
from tests.unit.strategies import examples

APP = "kotest-app-1"


def of(body: object, default: str | None = None) -> Identity:
    return identity_of(body if isinstance(body, str) else json.dumps(body), default_app_id=default)


def test_an_invalid_event_has_its_names() -> None:
    assert of({"event_id": " order-1 ", "kochava_app_id": APP, "typo": 1}) == Identity("order-1", APP)


def test_an_event_that_names_no_app_is_of_the_default_one() -> None:
    assert of({"event_id": "order-1"}, APP) == Identity("order-1", APP)
    assert of({"kochava_app_id": "kotest-app-2"}, APP) == Identity(None, "kotest-app-2")


def test_the_names_stand_inside_an_envelope() -> None:
    envelope = {
        "id": "00000000-0000-4000-8000-000000000000",
        "version": "0",
        "account": "000000000000",
        "time": "2026-11-25T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "source": "shop",
        "detail-type": "purchase",
        "detail": {"event_id": "order-1", "data": 7},
    }
    assert of(envelope, APP) == Identity("order-1", APP)


@pytest.mark.parametrize("body", ["", "no JSON", "[]", "7", '{"Records": []}', '{"TopicArn": 1}'])
def test_what_is_no_event_has_no_names(body: str) -> None:
    assert of(body, APP) == Identity()


@pytest.mark.parametrize("unsaid", [None, "", " "])
def test_an_app_that_is_not_said_is_the_stacks(unsaid: str | None) -> None:
    assert of({"kochava_app_id": unsaid, "event_id": 7}, APP) == Identity("7", APP)


@pytest.mark.parametrize("value", [7.5, None, "", "{{event_id}}", ["order-1"], "order-\ud800"])
def test_what_is_no_name_by_the_contract_is_none(value: object) -> None:
    assert of({"event_id": value, "kochava_app_id": [APP]}) == Identity()


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("order-1", "order-1"),
        ("Bestellung Ü 東京", "Bestellung Ü 東京"),
        ('a\n{"outcome":"delivered"}', 'a {"outcome":"delivered"}'),
        ("a\r\u2028\u2029\x85b", "a    b"),
        ("\x1b[2J\x9b2J\u202e", " [2J 2J "),
        ("x" * 1_000_000, "x" * MAX_CHARACTERS),
    ],
)
def test_a_name_is_shown_as_one_short_line(name: str, line: str) -> None:
    assert shown(name, name) == Identity(line, line)


@examples(200)
@given(
    st.text()
    | st.dictionaries(
        st.sampled_from(["event_id", "kochava_app_id", "detail-type"]), st.none() | st.text() | st.integers()
    )
)
def test_no_body_raises(body: object) -> None:
    assert isinstance(of(body, APP), Identity)
