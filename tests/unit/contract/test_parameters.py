"""``event_data``: as an object, as the text of one, and its amounts."""

import json

import pytest

from tests.unit.strategies import (
    MINIMAL,
    Event,
    changed,
    flat,
    problems,
    sent,
)

PRINTED = json.dumps(MINIMAL)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ('{"sum": "9.50", "name": "Skis"}', {"sum": 9.5, "name": "Skis"}),
        (' {"currency": "eur"}\n', {"currency": "EUR"}),
        ("{}", {}),
        ("[]", {}),
        (" [ ] ", {}),
    ],
)
def test_event_data_that_is_the_text_of_an_object_is_read_as_that_object(text: str, parameters: Event) -> None:
    data = sent(changed({"data.event_data": text}))["data"]
    assert data["event_data"] == parameters
    assert data.get("currency") == parameters.get("currency")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            '{"items": [1]}',
            "data.event_data.items: must be a string, a number, true, false or null (nothing nested)",
        ),
        ('{"campaign": "x"}', "data.event_data.campaign: is reserved by Kochava"),
        ('{"sum": "$5"}', "data.event_data.sum: must be a number"),
        ('{"sum": NaN}', "data.event_data.sum: must be a finite number"),
        ('{"currency": "euro"}', "data.event_data.currency: must be a three-letter ISO 4217 code"),
        ('{"a": 1, "a": 2}', "data.event_data.a: is given twice"),
        (r'{"a": "\ud800"}', "data.event_data.a: is not valid Unicode"),
    ],
)
def test_the_rules_hold_inside_the_text_of_an_object(text: str, wrong: str) -> None:
    assert problems(changed({"data.event_data": text})) == wrong
    assert problems(flat(changed({"data.event_data": text}))) == wrong


def test_a_lone_surrogate_is_found_even_where_it_is_escaped_twice() -> None:
    body = PRINTED.replace('"View"', r'"View", "event_data": "{\"a\": \"\u005cud800\"}"')
    assert problems(body) == "data.event_data.a: is not valid Unicode"


@pytest.mark.parametrize("name", ["sum", "price"])
@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("100", 100),
        ("10.00", 10.0),
        ("0", 0),
        ("-0.5", -0.5),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        (" 9.99\n", 9.99),
        (str(2**70), 2**70),
    ],
)
def test_revenue_in_a_text_becomes_the_number_that_json_reads(name: str, text: str, number: float) -> None:
    value = sent(changed({f"data.event_data.{name}": text}))["data"]["event_data"][name]
    assert (value, type(value)) == (number, type(number))


def test_revenue_that_is_null_is_left_out() -> None:
    assert sent(changed({"data.event_data": {"sum": None, "a": None}}))["data"]["event_data"] == {"a": None}


@pytest.mark.parametrize(
    "name",
    [
        *("network", "source", "fb_campaign", "campaign", "site", "creative", "attribution_type"),
        *("integration_type", "integration_version", "cracked", "jailbroken"),
    ],
)
def test_kochavas_reserved_parameters_are_refused(name: str) -> None:
    assert problems(changed({f"data.event_data.{name}": "x"})) == f"data.event_data.{name}: is reserved by Kochava"
