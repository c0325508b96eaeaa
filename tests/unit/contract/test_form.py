"""The two forms of a message, what is filled in, and what stands in the wrong place."""

import json

import pytest

from tests.unit.strategies import (
    FULL,
    GONE,
    MINIMAL,
    NOON,
    SENT_AT,
    UUID,
    Event,
    at,
    changed,
    flat,
    problems,
    sent,
)

SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"


def test_the_nested_form_arrives_as_it_is_but_for_our_own_key() -> None:
    assert sent(FULL) == changed({"event_id": GONE}, FULL)


def test_the_flat_form_means_the_same() -> None:
    assert sent(flat(FULL)) == sent(FULL)


def test_a_field_may_stand_at_both_levels_with_the_same_value() -> None:
    assert sent(FULL | {"currency": "USD", "device_ids": FULL["data"]["device_ids"]}) == sent(FULL)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("device_ua", "other"),
        ("origination_ip", ""),
        ("device_ids", {}),
        ("device_ids", {"idfa": UUID.lower()}),
        ("usertime", str(NOON)),
        ("currency", "usd"),
        ("device_ver", None),
        ("device_limit_tracking", 0),
        ("app_tracking_transparency", FULL["data"]["app_tracking_transparency"] | {"att": 1}),
        ("gdpr_privacy_consent", {**FULL["data"]["gdpr_privacy_consent"], "gdpr_applies": True}),
        ("device_ids", [UUID]),
    ],
)
def test_a_field_with_two_values_is_refused(field: str, value: object) -> None:
    assert problems(FULL | {field: value}) == f"{field}: differs from data.{field}"


def test_problems_of_the_flat_form_have_the_paths_that_the_publisher_wrote() -> None:
    event = flat(
        changed({"data.currency": "EURO", "data.device_ids": {"imei": SHA_1, "b": 1}, "data.event_name": ""})
    )
    assert problems(event) == (
        "currency: must be a three-letter ISO 4217 code; device_ids.b: must be a string; "
        "device_ids.imei: looks hashed; send it raw; data.event_name: must not be empty"
    )


def test_a_problem_of_both_levels_is_reported_where_kochava_has_the_field() -> None:
    event = changed({"currency": "EURO", "data.currency": "EURO"})
    assert problems(event) == "data.currency: must be a three-letter ISO 4217 code"


def test_the_names_of_the_event_stay_inside_data() -> None:
    assert problems({**MINIMAL, "event_name": "View"}) == "event_name: belongs inside data, not beside it"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("action", "event"),
        ("kochava_device_id", ""),
        ("data.device_ver", ""),
        ("data.usertime", SENT_AT),
        ("data.currency", GONE),
        ("data.app_version", GONE),
        ("data.gdpr_privacy_consent", GONE),
        ("data.app_tracking_transparency", GONE),
        ("data.device_limit_tracking", GONE),
        ("data.event_data", GONE),
    ],
)
@pytest.mark.parametrize("said", [GONE, None], ids=["missing", "null"])
def test_what_is_missing_or_null_has_a_default(path: str, expected: object, said: object) -> None:
    event = changed({path: None})
    assert at(sent(changed({path: said}, event)), path) == expected


@pytest.mark.parametrize("said", [{}, {"kochava_app_id": None}], ids=["missing", "null"])
def test_the_app_has_a_default_when_it_is_configured(said: Event) -> None:
    event = {"data": MINIMAL["data"]} | said
    assert sent(event, app_id="kodefault")["kochava_app_id"] == "kodefault"
    assert problems(event) == f"kochava_app_id: {'must be a string' if said else 'is missing'}"


def test_the_app_that_an_event_names_wins() -> None:
    assert sent(MINIMAL, app_id="kodefault")["kochava_app_id"] == "kotest-app-1"


@pytest.mark.parametrize(
    "path", ["data.locale", "data.app_tracking_transparency.att_time", "data.gdpr_privacy_consent.ad_user_data"]
)
def test_null_is_left_out_wherever_kochava_may_do_without(path: str) -> None:
    assert at(sent(changed({path: None}, FULL)), path) is GONE


@pytest.mark.parametrize("path", ["data.device_ids", "data.event_data"])
def test_an_empty_list_is_an_empty_object(path: str) -> None:
    event = changed({path: [], "kochava_device_id": "KD1"})
    assert at(sent(event), path) == {}
    assert at(sent(flat(event)), path) == {}


def test_the_empty_list_of_the_flat_form_is_an_empty_object() -> None:
    assert problems(flat(FULL) | {"data": []}) == "data.event_name: is missing"
    assert problems({"data": []}) == problems({"data": {}})


@pytest.mark.parametrize("path", ["data.app_tracking_transparency", "data.gdpr_privacy_consent"])
def test_an_empty_list_for_consent_is_what_an_empty_object_is(path: str) -> None:
    assert problems(changed({path: []})) == problems(changed({path: {}}))


@pytest.mark.parametrize("deep", ["[" * 1200 + "]" * 1200, '{"a":' * 1200 + "1" + "}" * 1200])
def test_what_is_deep_in_two_places_is_refused(deep: str) -> None:
    body = json.dumps({**MINIMAL, "currency": 0, "data": {**MINIMAL["data"], "currency": 0}})
    assert "currency: differs from data.currency" in problems(body.replace('"currency": 0', f'"currency": {deep}'))


def test_our_own_fields_inside_data_are_dropped_when_they_say_the_same() -> None:
    inside = {"event_id": "e", "kochava_app_id": "kotest-app-1", "kochava_device_id": "", "action": "event"}
    assert sent(changed({"data": MINIMAL["data"] | inside, "event_id": "e"})) == sent(MINIMAL)


@pytest.mark.parametrize("name", ["app_tracking_transparency", "gdpr_privacy_consent"])
def test_consent_without_a_value_is_as_if_missing(name: str) -> None:
    members = {
        "app_tracking_transparency": ("att", "att_time", "att_duration", "att_detail"),
        "gdpr_privacy_consent": ("gdpr_applies", "tc_string", "ad_user_data", "ad_personalization"),
    }[name]
    event = {**MINIMAL, "data": {**MINIMAL["data"], name: dict.fromkeys(members)}}
    assert sent(event) == sent(MINIMAL)
    assert sent(event | {"data": {**event["data"], "origination_ip": ""}})["data"]["origination_ip"] == ""


@pytest.mark.parametrize(
    ("consent", "wrong"),
    [
        ({}, "is missing"),
        ([], "is missing"),
        ({"att": None, "att_duration": 2}, "must be true or false"),
        ({"att": ""}, "must be true or false"),  # PHP's text of false
        ({"att": "", "att_detail": None}, "must be true or false"),
    ],
)
def test_consent_that_says_something_says_whether(consent: object, wrong: str) -> None:
    event = changed({"data.app_tracking_transparency": consent})
    assert problems(event) == f"data.app_tracking_transparency.att: {wrong}"


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_app_id_is_the_stacks(blank: str) -> None:
    assert sent(MINIMAL | {"kochava_app_id": blank}, app_id="kodefault")["kochava_app_id"] == "kodefault"


def test_a_slip_in_consent_does_not_vanish() -> None:
    event = changed({"data.gdpr_privacy_consent": {"gdpr_aplies": None}})
    assert "data.gdpr_privacy_consent.gdpr_aplies: is not a known key" in problems(event)


def test_flat_fields_beside_a_broken_data_are_not_called_unknown() -> None:
    assert problems(flat(FULL) | {"data": None}) == "data: must be an object"
