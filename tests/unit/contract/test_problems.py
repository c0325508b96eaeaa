"""A refusal in words: keys, guesses, and how many."""

import json

import pytest

from tests.unit.strategies import (
    MINIMAL,
    UUID,
    problems,
)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("acton", "acton: is not a known key (did you mean action?)"),
        ("device_uas", "device_uas: is not a known key (did you mean device_ua?)"),
        ("kochava_appid", "kochava_appid: is not a known key (did you mean kochava_app_id?)"),
        ("locale", "locale: is not a known key"),
        ("KochavaForwarder", "KochavaForwarder: is not a known key"),
        ("someone@b.example", "?: is not a known key"),
        ("user_48213", "?: is not a known key"),
        ("356938035643809", "?: is not a known key"),
        (UUID, "?: is not a known key"),
        ("a" * 33, "?: is not a known key"),
        ("Margarethe Kowalczyk", "?: is not a known key"),
        ("$price", "?: is not a known key"),
        ("prix_\u00e9t\u00e9", "?: is not a known key"),
        ("42", "?: is not a known key"),
        ("born_1984", "?: is not a known key"),
        ("utm-v2", "utm-v2: is not a known key"),
        ("app_ver", "app_ver: is not a known key (did you mean app_version?)"),
        ("", "?: is not a known key"),
        ("\ud800", "body: is not valid Unicode; ?: is not valid Unicode"),
    ],
)
def test_an_unknown_key_is_named_unless_it_may_be_personal(key: str, shown: str) -> None:
    assert problems(MINIMAL | {key: 1}) == shown


@pytest.mark.parametrize(("number", "guessed"), [(90, True), (110, False)])
def test_of_many_unknown_keys_none_is_guessed(number: int, *, guessed: bool) -> None:
    unknown = dict.fromkeys((f"device_i{chr(ord('a') + index % 26)}{index // 26}" for index in range(number)), 1)
    assert ("did you mean device_i" in problems(MINIMAL | unknown)) == guessed


def test_of_very_many_problems_the_first_are_listed_and_the_rest_counted() -> None:
    listed = problems(
        MINIMAL | {f"k{letter}": 1 for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    )
    assert listed.startswith("ka: is not a known key; kb: is not a known key; ")
    assert listed.endswith("kX: is not a known key; and 2 more")


def test_every_problem_is_listed_at_once() -> None:
    body = json.dumps(
        {
            "action": "event",
            "extra": 1,
            "usertime": "yesterday",
            "currency": "EUR",
            "data": {
                "currency": "USD",
                "device_ids": {"idfa": "x", "b": 1},
                "origination_ip": "x",
                "app_version": "\ud800",
                "event_data": {"network": 1, "sum": "x", "nested": []},
                "gdpr_privacy_consent": {"gdpr_applies": 3},
            },
        }
    ).replace('"extra": 1', '"extra": 1, "extra": 1')
    assert sorted(problems(body).split("; ")) == [
        "currency: differs from data.currency",
        "data.app_version: is not valid Unicode",
        "data.device_ids.b: must be a string",
        'data.device_ua: is missing ("" if unknown)',
        "data.event_data.nested: must be a string, a number, true, false or null (nothing nested)",
        "data.event_data.network: is reserved by Kochava",
        "data.event_data.sum: must be a number",
        "data.event_name: is missing",
        "data.gdpr_privacy_consent.gdpr_applies: must be 0 or 1",
        "data.gdpr_privacy_consent: needs tc_string, or both ad_user_data and ad_personalization",
        'data.origination_ip: must be an IPv4 or IPv6 address, or "" when unknown',
        "extra: is given twice",
        "extra: is not a known key",
        "kochava_app_id: is missing",
        "usertime: must be seconds since 1970 or an ISO 8601 date and time with its zone",
    ]
