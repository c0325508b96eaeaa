"""The publishers' contract: what is taken, what is made of it, and what is refused in which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.event import KochavaEvent
from kochava_forwarder.contract.problems import InvalidEventError
from tests.unit.strategies import (
    FULL,
    GONE,
    MINIMAL,
    SENT_AT,
    UUID,
    ZERO_UUID,
    Event,
    bodies,
    changed,
    examples,
    nearly_valid,
    read,
    sent,
)

NOON = 1_521_574_016  # 2018-03-20T19:26:56Z


def problems(body: str | Event, *, default_app_id: str | None = None) -> str:
    with pytest.raises(InvalidEventError) as refused:
        read(body, default_app_id=default_app_id)
    return str(refused.value)


def at(event: Event, path: str) -> Any:
    place: Any = event
    for key in path.split("."):
        place = place.get(key, GONE) if isinstance(place, dict) else GONE
    return place


def flat(event: Event) -> Event:
    """Writes an event in the form of 2018: all but the event's name and data beside `action`."""
    inside = {key: value for key, value in event["data"].items() if key in ("event_name", "event_data", "locale")}
    beside = {key: value for key, value in event["data"].items() if key not in inside}
    return event | beside | {"data": inside}


# --- the two forms ------------------------------------------------------------------------------------------


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
    ],
)
def test_a_field_with_two_values_is_refused(field: str, value: object) -> None:
    assert problems(FULL | {field: value}) == f"{field}: differs from data.{field}"


def test_problems_of_the_flat_form_have_the_paths_that_the_publisher_wrote() -> None:
    event = flat(
        changed({"data.currency": "EURO", "data.device_ids": {"imei": "x", "b": 1}, "data.event_name": ""})
    )
    assert problems(event) == (
        "device_ids.imei: must be digits; device_ids.b: must be a string; data.event_name: must not be empty; "
        "currency: must be a three-letter ISO 4217 code"
    )


def test_a_problem_of_both_levels_is_reported_where_kochava_has_the_field() -> None:
    event = changed({"currency": "EURO", "data.currency": "EURO"})
    assert problems(event) == "data.currency: must be a three-letter ISO 4217 code"


def test_the_names_of_the_event_stay_inside_data() -> None:
    assert problems({**MINIMAL, "event_name": "View"}) == "event_name: is not a known key"


# --- what is filled in --------------------------------------------------------------------------------------


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


# --- what is normalised -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usertime", "seconds"),
    [
        (NOON, NOON),
        (str(NOON), NOON),
        (NOON * 1000 + 999, NOON),
        (str(NOON * 1000 + 999), NOON),
        ("2018-03-20T19:26:56Z", NOON),
        ("2018-03-20T19:26:56.999Z", NOON),
        ("2018-03-20T20:26:56+01:00", NOON),
        ("2018-03-20 13:56:56-05:30", NOON),
        ("20180320T192656Z", NOON),
        (978_307_200, 978_307_200),
        ("2001-01-01T00:00:00Z", 978_307_200),
        (4_102_444_799, 4_102_444_799),
        ("2099-12-31T23:59:59Z", 4_102_444_799),
        (4_102_444_799_999, 4_102_444_799),
    ],
)
def test_usertime_becomes_whole_seconds(usertime: object, seconds: int) -> None:
    assert sent(changed({"data.usertime": usertime}))["data"]["usertime"] == seconds


@pytest.mark.parametrize(
    ("usertime", "wrong"),
    [
        (978_307_199, "must lie between 2001 and 2100"),
        (4_102_444_800, "must lie between 2001 and 2100"),
        (0, "must lie between 2001 and 2100"),
        (-NOON, "must lie between 2001 and 2100"),
        (978_307_199_999, "must lie between 2001 and 2100"),  # milliseconds of 2000 have 12 digits
        (4_102_444_800_000, "must lie between 2001 and 2100"),
        (NOON * 10**6, "must lie between 2001 and 2100"),  # microseconds
        ("0", "must lie between 2001 and 2100"),
        ("1999-12-31T23:59:59Z", "must lie between 2001 and 2100"),
        ("0001-01-01T00:00:00+23:59", "must lie between 2001 and 2100"),
        ("9999-12-31T23:59:59-23:59", "must lie between 2001 and 2100"),
        ("2018-03-20T19:26:56", "must name its time zone"),
        ("2018-03-20", "must name its time zone"),
        ("", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("yesterday", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f" {NOON}", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"+{NOON}", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"{NOON}.0", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (
            "\u0661\u0665\u0662\u0661\u0665\u0667\u0664\u0660\u0661\u0666",
            "must be seconds since 1970 or an ISO 8601 da",
        ),
        ("9" * 5000, "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ([NOON], "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (float(NOON), "must be whole seconds since 1970"),
        (True, "must be whole seconds since 1970"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_usertime_that_is_no_time_of_ours_is_refused(usertime: object, wrong: str) -> None:
    assert problems(changed({"data.usertime": usertime})).startswith(f"data.usertime: {wrong}")


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ({"data.currency": "usd", "data.event_data": {}}, "USD"),
        ({"data.currency": "Usd", "data.event_data.currency": "uSD"}, "USD"),
        ({"data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": None, "data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": "EUR", "data.event_data.currency": None}, "EUR"),
    ],
)
def test_currency_is_sent_in_both_places_in_capitals(said: Event, currency: str) -> None:
    data = sent(changed(said))["data"]
    assert (data["currency"], data["event_data"]["currency"]) == (currency, currency)


@pytest.mark.parametrize("said", [GONE, "legacy"], ids=["no event_data", "bare string"])
def test_currency_stands_alone_where_there_are_no_parameters(said: object) -> None:
    event = changed({"data.currency": "eur", "data.event_data": "x"})
    data = sent(changed({"data.event_data": said}, event))["data"]
    assert data["currency"] == "EUR"
    assert data.get("event_data", GONE) == said


@pytest.mark.parametrize("nobody", ["", " ", "0", ZERO_UUID, "00:00:00:00:00:00", "0000000000000000"])
def test_identifiers_that_identify_nobody_are_dropped(nobody: str) -> None:
    device_ids = {"idfa": nobody, "mac": nobody, "rida": "fake-roku"}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"rida": "fake-roku"}


@pytest.mark.parametrize("device_ids", [{}, {"idfa": ""}, {"idfa": ZERO_UUID, "custom": "0"}])
def test_somebody_must_be_identified(device_ids: Event) -> None:
    event = changed({"data.device_ids": device_ids})
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"
    assert problems(event | {"kochava_device_id": None}) == problems(event)
    assert sent(event | {"kochava_device_id": "KD1"})["data"]["device_ids"] == {}


# --- what may vary ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kochava_app_id", "any-other-guid"),
        ("data.device_ids", {"udid": "x", "waid": "y", "our own": "z", "adid": UUID.lower()}),
        ("data.origination_ip", "2001:db8::1"),
        ("data.origination_ip", ""),
        ("data.device_ua", ""),
        ("data.device_ua", "x" * 8192),
        ("data.device_ver", "iPhone-iOS-13.6.0"),
        ("data.device_ver", "SM-J727A-Android-7.0.0"),
        ("data.device_limit_tracking", True),
        ("data.event_name", " My own  event \U0001f3bf"),
        ("data.event_data", "the legacy form"),
        ("data.event_data", {}),
        ("data.event_data", {"a": None, "b": True, "c": "", "sum": 1, "price": 0.5, "d": 10**300}),
        ("data.event_data", {str(number): number for number in range(17)}),
        ("data.app_tracking_transparency", {"att": False}),
        ("data.gdpr_privacy_consent", {"tc_string": "t"}),
        ("data.gdpr_privacy_consent", {"ad_user_data": 0, "ad_personalization": 1}),
        ("data.manufacturer", "Fake"),
        ("data.os_version", 14),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_may_vary_is_sent_as_it_is(path: str, value: object) -> None:
    assert at(sent(changed({path: value})), path) == value


@pytest.mark.parametrize("event_id", ["order-1", "0"])
def test_the_event_id_is_kept_and_not_sent(event_id: str) -> None:
    assert read(MINIMAL | {"event_id": event_id}).event_id == event_id
    assert sent(MINIMAL | {"event_id": event_id}) == sent(MINIMAL)


def test_our_own_fields_inside_data_are_dropped_when_they_say_the_same() -> None:
    inside = {"event_id": "e", "kochava_app_id": "kotest-app-1", "kochava_device_id": "", "action": "event"}
    assert sent(changed({"data": MINIMAL["data"] | inside, "event_id": "e"})) == sent(MINIMAL)


# --- what is refused ----------------------------------------------------------------------------------------


REQUIRED = ["data.device_ua", "data.origination_ip", "data.device_ids", "data.event_name"]


@pytest.mark.parametrize("path", ["kochava_app_id", *REQUIRED])
def test_what_kochava_requires_is_required(path: str) -> None:
    assert problems(changed({path: GONE})) == f"{path}: is missing"


def test_of_an_empty_event_all_is_missing() -> None:
    missing = [f"{path}: is missing" for path in ("kochava_app_id", *REQUIRED)]
    assert problems({}) == problems({"data": {}}) == "; ".join(missing)


TEXT = "must be a string"
ADDRESS = 'must be an IPv4 or IPv6 address, or "" when unknown'
FINITE = "must be a finite number"
SINGLE = "must be a string, a number, true, false or null (nothing nested)"
CURRENCY = "must be a three-letter ISO 4217 code"
VERSION = 'must be "", or <device>-<os>-<os version> as in iPhone-iOS-13.6.0'
TIME = "must be whole seconds since 1970, between 2001 and 2100"
UUID_FORM = "must be a UUID with dashes"
INFINITY = float("inf")


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("action", "install", "must be 'event'"),
        ("action", "update", "must be 'event'"),
        ("action", "identityLink", "must be 'event'"),
        ("action", "Event", "must be 'event'"),
        ("action", ["event"], "must be 'event'"),
        ("kochava_app_id", "", "must not be empty"),
        ("kochava_app_id", " \t\n", "must not be empty"),
        ("kochava_app_id", 5, TEXT),
        ("kochava_device_id", 5, TEXT),
        ("event_id", "", "must not be empty"),
        ("event_id", 5, TEXT),
        ("data", None, "must be an object"),
        ("data", "text", "must be an object"),
        ("data", [MINIMAL["data"]], "must be an object"),
        ("data.device_ids", None, "must be an object"),
        ("data.device_ids", [UUID], "must be an object"),
        ("data.device_ids", UUID, "must be an object"),
        ("data.device_ids.custom", None, TEXT),
        ("data.device_ids.custom", 5, TEXT),
        ("data.device_ids.custom", {"a": "b"}, TEXT),
        ("data.device_ids.idfa", UUID.replace("-", ""), UUID_FORM),
        ("data.device_ids.idfa", UUID + "0", UUID_FORM),
        ("data.device_ids.idfv", "{" + UUID + "}", UUID_FORM),
        ("data.device_ids.adid", "38400000-8cf0-11bd-b23e-10b96e40000g", UUID_FORM),
        ("data.device_ids.android_id", "x774d56d682e549c", "must be hexadecimal digits"),
        ("data.device_ids.imei", "35-693803", "must be digits"),
        ("data.device_ua", None, TEXT),  # what is not known is said, as ""
        ("data.device_ua", 5, TEXT),
        ("data.device_ua", "x" * 8193, "must have at most 8192 bytes"),
        ("data.device_ua", "\u00e9" * 4097, "must have at most 8192 bytes"),
        ("data.device_ua", "%41" * 8193, "must have at most 8192 bytes"),
        ("data.origination_ip", 3405803783, TEXT),
        ("data.origination_ip", "203.0.113.256", ADDRESS),
        ("data.origination_ip", "203.0.113.7/24", ADDRESS),
        ("data.origination_ip", " 203.0.113.7", ADDRESS),
        ("data.origination_ip", "fe80::1%eth0", ADDRESS),
        ("data.origination_ip", "203.0.113.7\x00", ADDRESS),
        ("data.origination_ip", "203.0.113.007", ADDRESS),
        ("data.origination_ip", "unknown", ADDRESS),
        ("data.device_ver", "13.6.0", VERSION),
        ("data.device_ver", "iPhone-iOS", VERSION),
        ("data.device_ver", "iPhone-iOS-", VERSION),
        ("data.device_ver", 13, VERSION),
        ("data.app_version", 1.0, TEXT),
        ("data.currency", "EURO", CURRENCY),
        ("data.currency", "", CURRENCY),
        ("data.currency", "\u20acUR", CURRENCY),
        ("data.currency", 978, CURRENCY),
        ("data.device_limit_tracking", 1, "must be true or false"),
        ("data.device_limit_tracking", "true", "must be true or false"),
        ("data.event_name", "", "must not be empty"),
        ("data.event_name", " \u00a0\x1c", "must not be empty"),
        ("data.event_name", None, TEXT),
        ("data.event_data", [1], "must be an object, or a string"),
        ("data.event_data", 5, "must be an object, or a string"),
        ("data.event_data.items", [1], SINGLE),
        ("data.event_data.item", {"a": 1}, SINGLE),
        ("data.event_data.item", {}, SINGLE),
        ("data.event_data.x", float("nan"), FINITE),
        ("data.event_data.x", -INFINITY, FINITE),
        ("data.event_data.x", 10**400, FINITE),
        ("data.event_data.sum", "150", "must be a number"),
        ("data.event_data.price", True, "must be a number"),
        ("data.event_data.price", None, "must be a number"),
        ("data.event_data.price", INFINITY, FINITE),
        ("data.event_data.currency", "EURO", CURRENCY),
        ("data.event_data.currency", 978, CURRENCY),
        ("data.locale", ["fr"], SINGLE),
        ("data.locale", {"a": "fr"}, SINGLE),
        ("data.locale", INFINITY, FINITE),
        ("data.event_id", "order-1", "belongs beside data, not inside it"),
        ("data.kochava_app_id", "other", "belongs beside data, not inside it"),
        ("data.kochava_device_id", "KD1", "belongs beside data, not inside it"),
        ("data.action", "install", "belongs beside data, not inside it"),
        ("data.app_tracking_transparency", True, "must be an object"),
        ("data.app_tracking_transparency.att", GONE, "is missing"),
        ("data.app_tracking_transparency.att", None, "must be true or false"),
        ("data.app_tracking_transparency.att", 1, "must be true or false"),
        ("data.app_tracking_transparency.att_time", NOON * 1000, TIME),
        ("data.app_tracking_transparency.att_time", str(NOON), TIME),
        ("data.app_tracking_transparency.att_time", True, TIME),
        ("data.app_tracking_transparency.att_duration", -1, "must not be negative"),
        ("data.app_tracking_transparency.att_duration", "2", FINITE),
        ("data.app_tracking_transparency.att_duration", INFINITY, FINITE),
        (
            "data.app_tracking_transparency.att_detail",
            "Authorized",
            "must be 'authorized', 'denied', 'notDetermined' or 'restricted'",
        ),
        ("data.app_tracking_transparency.atts", 1, "is not a known key"),
        ("data.gdpr_privacy_consent", "tc", "must be an object"),
        ("data.gdpr_privacy_consent.gdpr_applies", True, "must be 0 or 1"),
        ("data.gdpr_privacy_consent.gdpr_applies", "1", "must be 0 or 1"),
        ("data.gdpr_privacy_consent.ad_user_data", 2, "must be 0 or 1"),
        ("data.gdpr_privacy_consent.ad_personalization", 1.0, "must be 0 or 1"),
        ("data.gdpr_privacy_consent.tc_string", "", "must not be empty"),
        ("data.gdpr_privacy_consent.tcString", "t", "is not a known key"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_breaks_a_rule_is_refused_by_its_path(path: str, value: object, wrong: str) -> None:
    event = changed({"data.app_tracking_transparency.att": True, "data.gdpr_privacy_consent.tc_string": "t"})
    assert problems(changed({path: value}, event)) == f"{path}: {wrong}"


@pytest.mark.parametrize(
    "name",
    [
        *("network", "source", "fb_campaign", "campaign", "site", "creative", "attribution_type"),
        *("integration_type", "integration_version", "cracked", "jailbroken"),
    ],
)
def test_kochavas_reserved_parameters_are_refused(name: str) -> None:
    assert problems(changed({f"data.event_data.{name}": "x"})) == f"data.event_data.{name}: is reserved by Kochava"


@pytest.mark.parametrize(
    ("consent", "ip", "wrong"),
    [
        ({}, "203.0.113.7", ": needs tc_string, or both ad_user_data and ad_personalization"),
        ({"gdpr_applies": 1}, "", ": needs tc_string, or both ad_user_data and ad_personalization"),
        ({"ad_user_data": 1}, "203.0.113.7", ": needs tc_string, or both ad_user_data and ad_personalization"),
        (
            {"ad_personalization": 0},
            "203.0.113.7",
            ": needs tc_string, or both ad_user_data and ad_personalization",
        ),
        ({"tc_string": None}, "203.0.113.7", ": needs tc_string, or both ad_user_data and ad_personalization"),
        ({"tc_string": "t"}, "", ".gdpr_applies: is needed when origination_ip is empty"),
        ({"tc_string": "t", "gdpr_applies": None}, "", ".gdpr_applies: is needed when origination_ip is empty"),
        ({"tc_string": "t", "gdpr_applies": 0}, "", None),
        ({"ad_user_data": 0, "ad_personalization": 0}, "203.0.113.7", None),
    ],
)
def test_consent_says_enough(consent: Event, ip: str, wrong: str | None) -> None:
    event = changed({"data.gdpr_privacy_consent": consent, "data.origination_ip": ip})
    if wrong:
        assert problems(event) == "data.gdpr_privacy_consent" + wrong
    else:
        assert sent(event)["data"]["gdpr_privacy_consent"] == consent


def test_two_currencies_are_refused() -> None:
    event = changed({"data.currency": "EUR", "data.event_data.currency": "USD"})
    assert problems(event) == "data.currency: differs from data.event_data.currency"


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


def test_an_escape_counts_as_one_byte_of_a_user_agent() -> None:
    assert sent(changed({"data.device_ua": "%41" * 8192}))["data"]["device_ua"] == "A" * 8192


def test_of_very_many_problems_the_first_are_listed_and_the_rest_counted() -> None:
    listed = problems(
        MINIMAL | {f"k{letter}": 1 for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    )
    assert listed.startswith("ka: is not a known key; kb: is not a known key; ")
    assert listed.endswith("kX: is not a known key; and 2 more")


def test_every_problem_is_listed_at_once() -> None:
    body = json.dumps(
        {
            "action": "install",
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
        "action: must be 'event'",
        "currency: differs from data.currency",
        "data.app_version: is not valid Unicode",
        "data.device_ids.b: must be a string",
        "data.device_ids.idfa: must be a UUID with dashes",
        "data.device_ua: is missing",
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


def test_flat_fields_beside_a_broken_data_are_not_called_unknown() -> None:
    assert problems(flat(FULL) | {"data": None}) == "data: must be an object"


# --- bodies that are no JSON object, or not the one that was meant ------------------------------------------

PRINTED = json.dumps(MINIMAL)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("", "body: not JSON: Expecting value at character 0"),
        (" ", "body: not JSON: Expecting value at character 1"),
        ("hello", "body: not JSON: Expecting value at character 0"),
        (PRINTED[:-1], f"body: not JSON: Expecting ',' delimiter at character {len(PRINTED) - 1}"),
        (PRINTED + PRINTED, f"body: not JSON: Extra data at character {len(PRINTED)}"),
        (f"[{PRINTED}]", "body: must be a JSON object"),
        (json.dumps(PRINTED), "body: must be a JSON object"),
        ("null", "body: must be a JSON object"),
        ("NaN", "body: must be a JSON object"),
        ("5", "body: must be a JSON object"),
        ("9" * 10_000, "body: a number has too many digits"),
        (PRINTED.replace('"View"', "9" * 10_000), "body: a number has too many digits"),
        ("[" * 2**20, "body: nested too deeply"),
        ('{"data":' * 2**17, "body: nested too deeply"),
        (PRINTED.replace('"View"', '"View", "event_name": "View"'), "data.event_name: is given twice"),
        (PRINTED.replace('"kochava', '"data": {}, "kochava'), "data: is given twice"),
        (PRINTED.replace('"custom"', '"custom": "a", "custom"'), "data.device_ids.custom: is given twice"),
        (PRINTED.replace('"View"', '"View", "usertime": NaN'), "data.usertime: must be whole seconds since 1970"),
        (PRINTED.replace('"View"', '"View", "x": -Infinity'), "data.x: must be a finite number"),
        (PRINTED.replace('"View"', '"View", "x": 1e999'), "data.x: must be a finite number"),
        (PRINTED.replace("View", r"\ud800"), "data.event_name: is not valid Unicode"),
        (PRINTED.replace("View", "\udfff"), "data.event_name: is not valid Unicode"),
        (PRINTED.replace("fake-0001", r"\ud83c"), "data.device_ids.custom: is not valid Unicode"),
        (PRINTED.replace('"View"', r'"View", "event_data": "\ud800"'), "data.event_data: is not valid Unicode"),
        (
            PRINTED.replace('"View"', r'"View", "event_data": {"x": "\ud800"}'),
            "data.event_data.x: is not valid Unicode",
        ),
        (
            PRINTED.replace('"View"', r'"View", "event_data": {"\ud800": 1}'),
            "data.event_data.?: is not valid Unicode",
        ),
    ],
    ids=lambda value: value[:60],
)
def test_a_body_that_cannot_be_meant_is_refused(body: str, wrong: str) -> None:
    assert problems(body) == wrong


@pytest.mark.timeout(20)  # seconds are enough; what compares each key with each takes minutes
@pytest.mark.parametrize(
    "body",
    [
        "{" + ",".join(f'"device_i{number:x}":1' for number in range(60_000)) + "}",
        "{" + '"a":1,' * 150_000 + '"b":1}',
        '{"data":{"event_data":{' + ",".join(f'"k{number:x}":[]' for number in range(80_000)) + "}}}",
        '{"data":{"device_ids":' * 4000 + "1" + "}}" * 4000,
        '{"data":{"device_ua":"%' + "25" * 4000 + '"}}',
    ],
    ids=["unknown keys", "one key again and again", "nested parameters", "objects in objects", "escaped escapes"],
)
def test_a_megabyte_of_mistakes_is_answered_in_time(body: str) -> None:
    assert problems(body)


# --- laws ---------------------------------------------------------------------------------------------------


def outcome(body: str) -> KochavaEvent | str:
    try:
        return read(body)
    except InvalidEventError as refused:
        return str(refused)


@examples(600)
@given(bodies())
def test_any_body_is_an_event_or_refused_and_nothing_else(body: str) -> None:
    result = outcome(body)
    assert isinstance(result, KochavaEvent) or (result.isascii() and result.isprintable() and ": " in result)


PERSONAL = st.text("QXZJ", min_size=5, max_size=20) | st.integers(770_000, 779_999)


@st.composite
def with_personal_values(draw: st.DrawFn) -> tuple[str, set[str]]:
    """A body, most likely broken, in which some values are personal, and those values."""
    values: set[str] = set()

    def personal(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: personal(value) for key, value in node.items()}
        if draw(st.booleans()):
            return node
        value = draw(PERSONAL)
        values.add(str(value))
        return draw(st.sampled_from([value, [value], {"a": value}, {"a": [value]}]))

    text = json.dumps(personal(draw(nearly_valid())))
    return text[: draw(st.just(len(text)) | st.integers(0, len(text)))], values


@examples(300)
@given(with_personal_values())
def test_a_refusal_repeats_no_value(example: tuple[str, set[str]]) -> None:
    body, values = example
    result = outcome(body)
    assert isinstance(result, KochavaEvent) or not [value for value in values if value in result]
