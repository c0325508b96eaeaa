"""The publishers' contract: what is taken, what is made of it, and what is refused in which words."""

import json
from typing import Any

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder_tools.sandbox.currencies import CURRENCIES
from kochava_forwarder.contract.currency import ISO_4217, WITHDRAWN
from kochava_forwarder.contract.models import KochavaEvent
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
MD5 = "900150983cd24fb0d6963f7d28e17f72"
SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"
SHA_256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


# What names nobody: zeros, and what programs print for a value that they do not have.
NOBODY = [
    *("", " ", "\t\n", "0", "0000000000000000", ZERO_UUID, "00:00:00:00:00:00", "00000000000000000000000000", "-"),
    *(
        "null",
        "NULL",
        " null ",
        "undefined",
        "Undefined",
        "none",
        "None",
        "nil",
        "NaN",
        "(null)",
        "unknown",
        "N/A",
    ),
    *("n/a", "(not set)", '"null"', "[object Object]", "02:00:00:00:00:00", "02-00-00-00-00-00", "020000000000"),
    *(
        "__IDFA__",
        "%%ADVERTISING_IDENTIFIER_PLAIN%%",
        "%idfa%",
        "$USER_ID",
        "[idfa]",
        "[device_id]",
        "\\N",
        "#N/A",
    ),
    *("<null>", "<idfa>", "<>", "{}", "{idfa}", "{{idfa}}", "${IDFA}", "#{device.idfa}", "{" + UUID + "}"),
]


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
        (978_307_200_000, 978_307_200),
        (NOON * 10**6 + 999_999, NOON),
        (str(NOON * 10**6), NOON),
        (NOON * 10**9 + 999_999_999, NOON),
        (float(NOON), NOON),
        (NOON + 0.999, NOON),
        (NOON * 1000 + 999.9, NOON),
        (f"{NOON}.75", NOON),
        (f"{NOON}999.5", NOON),
        (1.521574016e9, NOON),
        ("1.521574016e9", NOON),
        (f" {NOON}\n", NOON),
        ("2018-03-20 19:26:56 UTC", NOON),
        ("2018-03-20 19:26:56.789 UTC", NOON),
        ("2018-03-20 19:26:56 GMT", NOON),
        ("2018-03-20T19:26:56z", NOON),
        (" 2018-03-20T19:26:56Z\n", NOON),
        ("2018-03-20t19:26:56Z", NOON),
        ("2018-03-20 21:26:56 +0200", NOON),
        ("2018-03-20 19:26:56 +0000 UTC", NOON),
        ("2018-03-20 21:26:56.123456789 +0200 CEST m=+0.000012", NOON),
        ("2018-03-20 16:26:56 -0300 -03", NOON),
        ("2018-03-20 19:26:56 +0000 +0000", NOON),
        ("2018-03-20 21:26:56 +0200 +0200 m=+1.5", NOON),
        ("2018-03-20 19:26:56+00", NOON),
        ("2018-03-20T19:26:56.123456789Z", NOON),
        ("2018-03-20T19:26:56Z[UTC]", NOON),
        ("2018-03-20T20:26:56+01:00[Europe/Paris]", NOON),
        ("Tue, 20 Mar 2018 19:26:56 GMT", NOON),
        ("Tue, 20 Mar 2018 20:26:56 +0100", NOON),
        ("20 Mar 2018 19:26:56 -0000", NOON),
        ("Tuesday, 20-Mar-2018 19:26:56 GMT", NOON),
        ("Tue, 20-Mar-2018 19:26:56 GMT", NOON),
        ("2018-03-20 19:26:56Z +00", NOON),
        ("Tue Mar 20 19:26:56 UTC 2018", NOON),
        ("Tue Mar 20 21:26:56 +0200 2018", NOON),
        ("Fri Mar  9 19:26:56 GMT 2018", NOON - 11 * 86400),
        ("Tue Mar 20 2018 19:26:56 GMT+0000 (Coordinated Universal Time)", NOON),
        ("Tue Mar 20 2018 20:26:56 GMT+0100", NOON),
        (f"/Date({NOON}000)/", NOON),
        (f"/Date({NOON}999+0200)/", NOON),
        ("/Date(978307200000)/", 978_307_200),
    ],
)
def test_usertime_becomes_whole_seconds(usertime: object, seconds: int) -> None:
    assert sent(changed({"data.usertime": usertime}))["data"]["usertime"] == seconds


@pytest.mark.parametrize(
    ("usertime", "wrong"),
    [
        (978_307_199, "must lie in the years 2001 to 2099"),
        (4_102_444_800, "must lie in the years 2001 to 2099"),
        (0, "must lie in the years 2001 to 2099"),
        (-NOON, "must lie in the years 2001 to 2099"),
        (978_307_199_999, "must lie in the years 2001 to 2099"),  # milliseconds of 2000 have 12 digits
        (4_102_444_800_000, "must lie in the years 2001 to 2099"),
        (NOON * 10**4, "must lie in the years 2001 to 2099"),  # of no unit
        (978_307_199_999_999, "must lie in the years 2001 to 2099"),
        (4_102_444_800 * 10**9, "must lie in the years 2001 to 2099"),
        (10**400, "must be a finite number"),
        (978_307_199.999, "must lie in the years 2001 to 2099"),
        ("1e400", "must be a finite number"),
        (float("inf"), "must be a finite number"),
        ("0", "must lie in the years 2001 to 2099"),
        ("1999-12-31T23:59:59Z", "must lie in the years 2001 to 2099"),
        ("0001-01-01T00:00:00+23:59", "must lie in the years 2001 to 2099"),
        ("9999-12-31T23:59:59-23:59", "must lie in the years 2001 to 2099"),
        ("2018-03-20T19:26:56", "must name its time zone"),
        ("2018-03-20", "must name its time zone"),
        ("2018-03-20 UTC", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 19:26:56 CEST", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 25:26:56 UTC", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue, 20 Mar 2018 19:26:56", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue, 40 Mar 2018 19:26:56 GMT", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 CEST 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 UTC 0018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 16:26:56 -0300 -02", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("2018-03-20 16:26:56Z -0300", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Mar 20 19:26:56 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("Tue Feb 30 19:26:56 UTC 2018", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"/Date({NOON})/", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("/Date(978307199999)/", "must lie in the years 2001 to 2099"),
        ("yesterday", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ("0x5AB15A00", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"+{NOON}", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (f"{NOON},5", "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (
            "\u0661\u0665\u0662\u0661\u0665\u0667\u0664\u0660\u0661\u0666",
            "must be seconds since 1970 or an ISO 8601 da",
        ),
        ("9" * 5000, "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        ([NOON], "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
        (True, "must be seconds since 1970 or an ISO 8601 date and time with its zone"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_usertime_that_is_no_time_of_ours_is_refused(usertime: object, wrong: str) -> None:
    assert problems(changed({"data.usertime": usertime})).startswith(f"data.usertime: {wrong}")


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ({"data.currency": "usd", "data.event_data": {"sum": 1}}, "USD"),
        ({"data.currency": "Usd", "data.event_data.currency": "uSD"}, "USD"),
        ({"data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": None, "data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": "EUR", "data.event_data": {"sum": 1, "currency": None}}, "EUR"),
        ({"data.currency": "EUR", "data.event_data": {"sum": 1, "currency": " "}}, "EUR"),
        ({"data.currency": "", "data.event_data.currency": " eur "}, "EUR"),
        ({"data.currency": "XXX", "data.event_data.sum": 1}, "XXX"),
        ({"data.currency": "HRK", "data.event_data.sum": 1}, "HRK"),
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


@pytest.mark.parametrize("parameters", [{}, [], {"currency": ""}], ids=repr)
def test_currency_is_not_put_where_there_is_no_amount(parameters: object) -> None:
    data = sent(changed({"data.currency": "eur", "data.event_data": parameters}))["data"]
    assert (data["currency"], data["event_data"]) == ("EUR", {})


@pytest.mark.parametrize("outer", ["", None, " ", GONE])
@pytest.mark.parametrize("inner", ["", None, " ", GONE])
def test_a_currency_that_is_not_known_is_left_out(outer: object, inner: object) -> None:
    event = changed({"data.currency": "x", "data.event_data": {"sum": 1, "currency": "x"}})
    data = sent(changed({"data.currency": outer, "data.event_data.currency": inner}, event))["data"]
    assert "currency" not in data
    assert data["event_data"] == {"sum": 1}


def test_a_currency_is_one_of_iso_4217() -> None:
    published = {currency.code for currency in iso4217.Currency}
    assert not published ^ ISO_4217
    assert not CURRENCIES ^ (published | WITHDRAWN)  # the sandbox's own list
    assert not WITHDRAWN & published


@pytest.mark.parametrize("nobody", NOBODY)
def test_an_identifier_that_names_nobody_is_left_out(nobody: str) -> None:
    device_ids = {"idfa": nobody, "mac": nobody, "rida": "fake-roku"}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"rida": "fake-roku"}
    assert sent(changed({"kochava_device_id": nobody}))["kochava_device_id"] == ""
    event = changed({"data.device_ids": {"our_own": nobody}, "kochava_device_id": nobody})
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"


@pytest.mark.parametrize(
    "somebody", ["null-7", "nobody", "Unknown Soldier", "x0", "{a} b", "<a", "00a0", "n.a.", "undefined1"]
)
def test_what_only_resembles_a_placeholder_is_a_name(somebody: str) -> None:
    event = changed({"data.device_ids": {"our_own": somebody}, "kochava_device_id": somebody})
    assert sent(event)["data"]["device_ids"] == {"our_own": somebody}
    assert sent(event)["kochava_device_id"] == somebody


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


@pytest.mark.parametrize("path", ["data.device_ids", "data.origination_ip", "data.device_ua"])
def test_null_says_that_it_is_not_known(path: str) -> None:
    unknown = {} if path == "data.device_ids" else ""
    event = changed({path: None, "kochava_device_id": "KD1"})
    assert at(sent(event), path) == unknown
    assert at(sent(flat(event)), path) == unknown


def test_an_identifier_that_is_null_is_left_out() -> None:
    device_ids = {"idfa": UUID, "idfv": None, "imei": None, "our_own": None}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"idfa": UUID}


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


TRUE = [True, 1, "true", "True", "TRUE", " true ", "1"]
FALSE = [False, 0, "false", "False", "0"]


@pytest.mark.parametrize(("said", "meant"), [*((said, True) for said in TRUE), *((said, False) for said in FALSE)])
def test_a_truth_value_is_taken_for_what_it_says(said: object, *, meant: bool) -> None:
    data = sent(
        changed(
            {
                "data.device_limit_tracking": said,
                "data.app_tracking_transparency.att": said,
                "data.gdpr_privacy_consent": dict.fromkeys(
                    ("gdpr_applies", "ad_user_data", "ad_personalization"), said
                ),
            }
        )
    )["data"]
    assert data["device_limit_tracking"] is meant
    assert data["app_tracking_transparency"]["att"] is meant
    assert [type(flag) for flag in data["gdpr_privacy_consent"].values()] == [int] * 3
    assert set(data["gdpr_privacy_consent"].values()) == {int(meant)}


@pytest.mark.parametrize(
    "path",
    [
        "data.device_limit_tracking",
        "data.app_tracking_transparency.att_time",
        "data.app_tracking_transparency.att_duration",
        "data.app_tracking_transparency.att_detail",
        "data.gdpr_privacy_consent.gdpr_applies",
        "data.gdpr_privacy_consent.tc_string",
    ],
)
@pytest.mark.parametrize("empty", ["", " "])
def test_an_empty_text_is_as_if_missing_where_the_field_may_be(path: str, empty: str) -> None:
    assert at(sent(changed({path: empty}, FULL)), path) is GONE


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Authorized", "authorized"),
        ("DENIED", "denied"),
        ("not_determined", "notDetermined"),
        ("NOT_DETERMINED", "notDetermined"),
        ("not-determined", "notDetermined"),
        ("Not Determined", "notDetermined"),
        (" restricted ", "restricted"),
    ],
)
def test_the_words_of_apples_consent_may_be_spelt_otherwise(said: str, meant: str) -> None:
    event = changed({"data.app_tracking_transparency": {"att": False, "att_detail": said}})
    assert sent(event)["data"]["app_tracking_transparency"]["att_detail"] == meant


@pytest.mark.parametrize("said", [NOON, NOON * 1000, str(NOON), NOON + 0.5, "2018-03-20T19:26:56Z"])
def test_the_time_of_apples_consent_is_read_as_any_time(said: object) -> None:
    event = changed({"data.app_tracking_transparency": {"att": True, "att_time": said, "att_duration": "2.5"}})
    assert sent(event)["data"]["app_tracking_transparency"] == {"att": True, "att_time": NOON, "att_duration": 2.5}


@pytest.mark.parametrize("usertime", ["", " ", "\n"])
def test_an_empty_time_is_that_of_the_message(usertime: str) -> None:
    assert sent(changed({"data.usertime": usertime}))["data"]["usertime"] == SENT_AT


@pytest.mark.parametrize(("version", "text"), [(415, "415"), (0, "0"), (10**30, "1" + "0" * 30)])
@pytest.mark.parametrize("path", ["data.app_version", "data.device_ver"])
def test_a_version_that_is_a_whole_number_becomes_text(path: str, version: int, text: str) -> None:
    assert at(sent(changed({path: version})), path) == text


@pytest.mark.parametrize(
    "path",
    ["kochava_app_id", "kochava_device_id", "data.device_ids.custom", "data.device_ids.idfa", "data.event_name"],
)
@pytest.mark.parametrize("padding", [" ", "\n", "\u00a0", "\t \x1f"])
def test_names_and_identifiers_are_trimmed(path: str, padding: str) -> None:
    value = UUID if path.endswith("idfa") else "Purchase"
    assert at(sent(changed({path: padding + value + padding})), path) == value


def test_the_event_id_and_the_names_of_identifiers_are_trimmed() -> None:
    assert read(MINIMAL | {"event_id": " order-1\n"}).event_id == "order-1"
    assert sent(changed({"data.device_ids": {" idfa ": UUID}}))["data"]["device_ids"] == {"idfa": UUID}


def test_a_byte_order_mark_is_skipped() -> None:
    assert sent("\ufeff" + json.dumps(FULL)) == sent(FULL)


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
        ("data.device_ver", "14.4"),
        ("data.device_ver", " test\n"),
        ("data.device_ver", "null"),
        ("data.app_version", ""),
        ("data.origination_ip", "10.1.2.3"),
        ("data.origination_ip", "2001:DB8:0:0:0:0:0:1"),
        ("data.origination_ip", "fe80::1"),
        ("data.event_data", "{not an object}"),
        ("data.event_data", '"{}"'),
        ("data.event_data", "[1]"),
        ("data.event_data", {"value": "9,99", "revenue": ""}),
        ("data.event_data", {"big": 2**63, "small": -(2**63) - 1}),
        ("data.device_limit_tracking", True),
        ("data.event_name", "My own  event \U0001f3bf"),
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


def test_whole_numbers_are_names_too() -> None:
    event = read(MINIMAL | {"event_id": 4711, "kochava_device_id": 815})
    assert (event.event_id, event.kochava_device_id) == ("4711", "815")


@pytest.mark.parametrize("unset", [0, -1])
def test_a_number_that_was_never_set_names_nothing(unset: int) -> None:
    event = read(MINIMAL | {"event_id": unset, "kochava_device_id": unset})
    assert (event.event_id, event.kochava_device_id) == (None, "")


@pytest.mark.parametrize("number", [2**53, 10**4000])
def test_a_number_that_programs_round_names_nothing(number: int) -> None:
    wrong = "must be a string: many programs round a number of this size"
    event = MINIMAL | {"event_id": number, "kochava_device_id": number}
    assert problems(event) == f"kochava_device_id: {wrong}; event_id: {wrong}"
    assert read(MINIMAL | {"event_id": 2**53 - 1}).event_id == str(2**53 - 1)


@pytest.mark.parametrize("deep", ["[" * 1200 + "]" * 1200, '{"a":' * 1200 + "1" + "}" * 1200])
def test_what_is_deep_in_two_places_is_refused(deep: str) -> None:
    body = json.dumps({**MINIMAL, "currency": 0, "data": {**MINIMAL["data"], "currency": 0}})
    assert "currency: differs from data.currency" in problems(body.replace('"currency": 0', f'"currency": {deep}'))


@pytest.mark.parametrize("event_id", ["order-1", "0"])
def test_the_event_id_is_kept_and_not_sent(event_id: str) -> None:
    assert read(MINIMAL | {"event_id": event_id}).event_id == event_id
    assert sent(MINIMAL | {"event_id": event_id}) == sent(MINIMAL)


@pytest.mark.parametrize("nothing", ["", " ", "null", "undefined", "None", "(null)", "${EVENT_ID}", None])
def test_an_event_id_that_was_never_filled_in_is_none(nothing: str | None) -> None:
    assert read(MINIMAL | {"event_id": nothing}).event_id is None


def test_our_own_fields_inside_data_are_dropped_when_they_say_the_same() -> None:
    inside = {"event_id": "e", "kochava_app_id": "kotest-app-1", "kochava_device_id": "", "action": "event"}
    assert sent(changed({"data": MINIMAL["data"] | inside, "event_id": "e"})) == sent(MINIMAL)


# --- what is refused ----------------------------------------------------------------------------------------


REQUIRED = ["data.device_ua", "data.origination_ip", "data.device_ids", "data.event_name"]
MISSING = dict.fromkeys(["data.device_ua", "data.origination_ip"], 'is missing ("" if unknown)')


@pytest.mark.parametrize("path", ["kochava_app_id", *REQUIRED])
def test_what_kochava_requires_is_required(path: str) -> None:
    assert problems(changed({path: GONE})) == f"{path}: {MISSING.get(path, 'is missing')}"


def test_of_an_empty_event_all_is_missing() -> None:
    missing = [f"{path}: {MISSING.get(path, 'is missing')}" for path in ("kochava_app_id", *REQUIRED)]
    assert problems({}) == problems({"data": {}}) == "; ".join(missing)


TEXT = "must be a string"
ADDRESS = 'must be an IPv4 or IPv6 address, or "" when unknown'
FINITE = "must be a finite number"
SINGLE = "must be a string, a number, true, false or null (nothing nested)"
CURRENCY = "must be a three-letter ISO 4217 code"
TIME = "must be seconds since 1970 or an ISO 8601 date and time with its zone"
HASHED = "looks hashed; send it raw"
PLACEHOLDER = "is a placeholder, not an app's GUID"
INFINITY = float("inf")


@pytest.mark.parametrize(
    ("path", "value", "wrong"),
    [
        ("action", "Events", "must be 'event', 'install', 'update' or 'identityLink'"),
        ("action", ["event"], "must be 'event', 'install', 'update' or 'identityLink'"),
        ("kochava_app_id", "", "must not be empty"),
        ("kochava_app_id", " \t\n", "must not be empty"),
        ("kochava_app_id", 5, TEXT),
        ("kochava_device_id", 5.5, TEXT),
        ("kochava_device_id", True, TEXT),
        ("kochava_app_id", "<your app GUID>", PLACEHOLDER),
        ("kochava_app_id", "kotest app", PLACEHOLDER),
        ("kochava_app_id", "ko{env}", PLACEHOLDER),
        ("kochava_app_id", "ko<app>", PLACEHOLDER),
        ("kochava_app_id", "null", PLACEHOLDER),
        ("kochava_app_id", "undefined", PLACEHOLDER),
        ("kochava_app_id", ["kotest-app-1"], TEXT),
        ("kochava_device_id", ["KD1"], TEXT),
        ("event_id", 5.5, TEXT),
        ("event_id", False, TEXT),
        ("data", None, "must be an object"),
        ("data", "text", "must be an object"),
        ("data", [MINIMAL["data"]], "must be an object"),
        ("data.device_ids", [UUID], "must be an object"),
        ("data.device_ids", UUID, "must be an object"),
        ("data.device_ids.custom", 5, TEXT),
        ("data.device_ids.custom", {"a": "b"}, TEXT),
        ("data.device_ids.idfa", SHA_1, HASHED),
        ("data.device_ids.idfv", SHA_256, HASHED),
        ("data.device_ids.adid", f" {SHA_256.lower()} ", HASHED),
        ("data.device_ids.android_id", MD5, HASHED),
        ("data.device_ids.android_id", SHA_1.upper(), HASHED),
        ("data.device_ids.imei", MD5, HASHED),
        ("data.device_ids.ADID", SHA_1, HASHED),
        ("data.device_ua", 5, TEXT),
        ("data.device_ua", [], TEXT),
        ("data.device_ua", "x" * 8193, "must have at most 8192 bytes"),
        ("data.device_ua", "\u00e9" * 4097, "must have at most 8192 bytes"),
        ("data.device_ua", "%41" * 8193, "must have at most 8192 bytes"),
        ("data.origination_ip", 3405803783, TEXT),
        ("data.origination_ip", "203.0.113.256", ADDRESS),
        ("data.origination_ip", "203.0.113.7/24", ADDRESS),
        ("data.origination_ip", "203.0.113.7, 10.0.0.1", ADDRESS + ": the client's address alone"),
        ("data.origination_ip", "203.0.113.7,10.0.0.1", ADDRESS + ": the client's address alone"),
        ("data.origination_ip", "fe80::1%eth0", ADDRESS + ": the client's address alone"),
        ("data.origination_ip", "[fe80::1%eth0]:80", ADDRESS + ": the client's address alone"),
        ("data.origination_ip", ["203.0.113.7"], TEXT + ": the client's address alone"),
        ("data.origination_ip", "203.0.113.7:http", ADDRESS),
        ("data.origination_ip", "203.0.113.256:80", ADDRESS),
        ("data.origination_ip", "[203.0.113.7", ADDRESS),
        ("data.origination_ip", "[2001:db8::1]x", ADDRESS),
        ("data.origination_ip", "client.example", ADDRESS),
        ("data.origination_ip", "0", ADDRESS),
        ("data.origination_ip", ":", ADDRESS),
        ("data.origination_ip", "00:00:00:00:00:00", ADDRESS),
        ("data.origination_ip", "203.0.113.7\x00", ADDRESS),
        ("data.origination_ip", "203.0.113.007", ADDRESS),
        ("data.device_ver", 14.4, TEXT),
        ("data.device_ver", True, TEXT),
        ("data.device_ver", ["iPhone"], TEXT),
        ("data.app_version", 1.1, TEXT),
        ("data.app_version", False, TEXT),
        ("data.app_version", 1.0, TEXT),
        ("data.currency", "EURO", CURRENCY),
        ("data.currency", "XYZ", CURRENCY),
        ("data.currency", "BTC", CURRENCY),
        ("data.currency", "USDT", CURRENCY),
        ("data.currency", "$", CURRENCY),
        ("data.currency", "\u20acUR", CURRENCY),
        ("data.currency", 978, CURRENCY),
        ("data.device_limit_tracking", 2, "must be true or false"),
        ("data.device_limit_tracking", "yes", "must be true or false"),
        ("data.device_limit_tracking", [], "must be true or false"),
        ("data.device_limit_tracking", 1.0, "must be true or false"),
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
        ("data.event_data.sum", "9,99", "must be a number"),
        ("data.event_data.sum", "$9.99", "must be a number"),
        ("data.event_data.sum", "9.99 USD", "must be a number"),
        ("data.event_data.sum", "", "must be a number"),
        ("data.event_data.sum", " ", "must be a number"),
        ("data.event_data.sum", "free", "must be a number"),
        ("data.event_data.sum", ".5", "must be a number"),
        ("data.event_data.sum", "5.", "must be a number"),
        ("data.event_data.sum", "+5", "must be a number"),
        ("data.event_data.sum", "05", "must be a number"),
        ("data.event_data.sum", "1_000", "must be a number"),
        ("data.event_data.sum", "0x10", "must be a number"),
        ("data.event_data.sum", "NaN", "must be a number"),
        ("data.event_data.sum", "Infinity", "must be a number"),
        ("data.event_data.sum", "\u0661", "must be a number"),
        ("data.event_data.sum", "9" * 5000, "must be a number"),
        ("data.event_data.sum", "1e999", FINITE),
        ("data.event_data.price", True, "must be a number"),
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
        ("data.app_tracking_transparency.att", 2, "must be true or false"),
        ("data.app_tracking_transparency.att", "authorized", "must be true or false"),
        ("data.app_tracking_transparency.att_time", NOON * 100, "must lie in the years 2001 to 2099"),
        ("data.app_tracking_transparency.att_time", True, TIME),
        ("data.app_tracking_transparency.att_duration", -1, "must not be negative"),
        ("data.app_tracking_transparency.att_duration", "2 s", FINITE),
        ("data.app_tracking_transparency.att_duration", INFINITY, FINITE),
        (
            "data.app_tracking_transparency.att_detail",
            "maybe",
            "must be 'authorized', 'denied', 'notDetermined' or 'restricted'",
        ),
        ("data.app_tracking_transparency.atts", 1, "is not a known key"),
        ("data.gdpr_privacy_consent", "tc", "must be an object"),
        ("data.gdpr_privacy_consent.gdpr_applies", "yes", "must be 0 or 1"),
        ("data.gdpr_privacy_consent.gdpr_applies", [1], "must be 0 or 1"),
        ("data.gdpr_privacy_consent.ad_user_data", 2, "must be 0 or 1"),
        ("data.gdpr_privacy_consent.ad_personalization", 1.0, "must be 0 or 1"),
        ("data.gdpr_privacy_consent.tc_string", 5, TEXT),
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


NEEDS = ": needs tc_string, or both ad_user_data and ad_personalization"


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
        ({"tc_string": None, "ad_user_data": 1}, "203.0.113.7", NEEDS),
        ({"tc_string": "t"}, "", ".gdpr_applies: is needed when origination_ip is empty"),
        ({"tc_string": "t", "gdpr_applies": None}, "", ".gdpr_applies: is needed when origination_ip is empty"),
        (
            {"gdpr_applies": 0},
            "203.0.113.7",
            NEEDS + " (leave the object out when GDPR does not apply)",
        ),
        (
            {"gdpr_applies": False, "tc_string": ""},
            "203.0.113.7",
            NEEDS + " (leave the object out when GDPR does not apply)",
        ),
        ({"tc_string": "", "ad_user_data": 1}, "203.0.113.7", NEEDS),
        ({"tc_string": " ", "ad_user_data": "0", "ad_personalization": ""}, "203.0.113.7", NEEDS),
        ({"tc_string": "t", "gdpr_applies": ""}, "", ".gdpr_applies: is needed when origination_ip is empty"),
        ({"tc_string": "t"}, "0.0.0.0", ".gdpr_applies: is needed when origination_ip is empty"),  # noqa: S104
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


@pytest.mark.parametrize("unset", [0, "0", " 0 ", "", "null", None])
def test_a_time_of_consent_that_was_never_set_is_left_out(unset: object) -> None:
    event = changed({"data.app_tracking_transparency": {"att": False, "att_time": unset}})
    assert sent(event)["data"]["app_tracking_transparency"] == {"att": False}


@pytest.mark.parametrize("unfilled", ["null", "(null)", "undefined", "N/A", "${CURRENCY}"])
def test_a_currency_and_a_time_that_were_never_filled_in_are_as_if_missing(unfilled: str) -> None:
    assert sent(changed({"data.currency": unfilled, "data.usertime": unfilled}, MINIMAL)) == sent(MINIMAL)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_app_id_is_the_stacks(blank: str) -> None:
    assert sent(MINIMAL | {"kochava_app_id": blank}, app_id="kodefault")["kochava_app_id"] == "kodefault"


def test_a_slip_in_consent_does_not_vanish() -> None:
    event = changed({"data.gdpr_privacy_consent": {"gdpr_aplies": None}})
    assert "data.gdpr_privacy_consent.gdpr_aplies: is not a known key" in problems(event)


def test_consent_is_judged_beside_other_problems() -> None:
    consent = {"tc_string": "", "ad_user_data": "", "gdpr_applies": 2}
    assert problems(changed({"data.gdpr_privacy_consent": consent})) == (
        "data.gdpr_privacy_consent.gdpr_applies: must be 0 or 1; data.gdpr_privacy_consent" + NEEDS
    )


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
        (json.dumps(PRINTED), "body: must be a JSON object (this is one inside a JSON string: encode it once)"),
        ("null", "body: must be a JSON object"),
        ("NaN", "body: must be a JSON object"),
        ("\ufeff", "body: not JSON: Expecting value at character 0"),
        ('{"Records": []}', "Records: this is a whole Lambda event: publish a record's body"),
        ("5", "body: must be a JSON object"),
        ("9" * 10_000, "body: a number has too many digits"),
        (PRINTED.replace('"View"', "9" * 10_000), "body: a number has too many digits"),
        ("[" * 2**20, "body: nested too deeply"),
        ('{"data":' * 2**17, "body: nested too deeply"),
        (PRINTED.replace('"View"', '"View", "event_name": "View"'), "data.event_name: is given twice"),
        (PRINTED.replace('"kochava', '"data": {}, "kochava'), "data: is given twice"),
        (PRINTED.replace('"custom"', '"custom": "a", "custom"'), "data.device_ids.custom: is given twice"),
        (PRINTED.replace('"View"', '"View", "usertime": NaN'), "data.usertime: must be a finite number"),
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
