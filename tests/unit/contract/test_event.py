"""The publishers' contract: what is taken, what is made of it, and what is refused in which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.contract.problems import InvalidEventError
from tests.unit.strategies import (
    FULL,
    GONE,
    MINIMAL,
    NOON,
    UUID,
    at,
    bodies,
    changed,
    examples,
    flat,
    nearly_valid,
    problems,
    read,
    sent,
)

MD5 = "900150983cd24fb0d6963f7d28e17f72"
SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"
SHA_256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


# --- what is not known --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["data.device_ids", "data.origination_ip", "data.device_ua"])
def test_null_says_that_it_is_not_known(path: str) -> None:
    unknown = {} if path == "data.device_ids" else ""
    event = changed({path: None, "kochava_device_id": "KD1"})
    assert at(sent(event), path) == unknown
    assert at(sent(flat(event)), path) == unknown


def test_an_identifier_that_is_null_is_left_out() -> None:
    device_ids = {"idfa": UUID, "idfv": None, "imei": None, "our_own": None}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"idfa": UUID}


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


def test_an_escape_counts_as_one_byte_of_a_user_agent() -> None:
    assert sent(changed({"data.device_ua": "%41" * 8192}))["data"]["device_ua"] == "A" * 8192


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
