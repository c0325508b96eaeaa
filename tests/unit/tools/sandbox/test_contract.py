"""Each rule of the contract: the good event passes, and with that one rule broken it is refused by its path."""

import copy
import json
from typing import Any

import pytest

from forwarder_tools.sandbox.actions import RESERVED_KEYS
from forwarder_tools.sandbox.contract import HEADERS, Contract
from tests.unit.strategies import GONE

HEADERS_GIVEN = [
    ("host", "127.0.0.1"),
    ("content-type", "application/json"),
    ("user-agent", "Unknown"),
    ("content-length", "1"),
]

GOOD: dict[str, Any] = {
    "action": "event",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "data": {
        "usertime": 1521574016,
        "app_version": "1.0.0",
        "device_ver": "SM-J727A-Android-7.0.0",
        "device_ids": {
            "idfa": "07F5A855-1375-4E51-9F15-0EFD4E5C84F4",
            "idfv": "07f5a855-1375-4e51-9f15-0efd4e5c84f4",
            "adid": "07F5A855-1375-4E51-9F15-0EFD4E5C84F4",
            "android_id": "9774d56d682e549c",
            "imei": "356938035643809",
            "custom": "fake-0001",
        },
        "device_ua": "Mozilla%2F5.0%20(Fake)",
        "origination_ip": "203.0.113.7",
        "currency": "USD",
        "event_name": "Purchase",
        "event_data": {
            "currency": "USD",
            "name": "Skis / Ski \u00e9t\u00e9 \U0001f3bf",
            "sum": 150,
            "price": 9.99,
            "background": False,
            "origin": None,
        },
        "device_limit_tracking": False,
        "app_tracking_transparency": {
            "att": True,
            "att_time": 1521574000,
            "att_duration": 2.5,
            "att_detail": "authorized",
        },
        "gdpr_privacy_consent": {
            "gdpr_applies": 1,
            "tc_string": "fake",
            "ad_user_data": 1,
            "ad_personalization": 0,
        },
        "locale": "fr_FR",
    },
}


PLACEHOLDERS = ["null", "Undefined", "(null)", "n/a", "unknown", "<idfa>", "{idfa}", "0000-00", "0"]


def php(event: object) -> bytes:
    return json.dumps(event, separators=(",", ":")).replace("/", "\\/").encode()


def changed(path: str, value: object, good: dict[str, Any] = GOOD) -> dict[str, Any]:
    event = copy.deepcopy(good)
    *parents, last = path.split(".")
    place = event
    for key in parents:
        place = place[key]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return event


def problems(event: object, contract: Contract = Contract()) -> tuple[str, ...]:  # noqa: B008 - frozen
    return contract.read(HEADERS_GIVEN, php(event))[1]


def test_a_good_event_passes_and_is_returned() -> None:
    assert Contract().read(HEADERS_GIVEN, php(GOOD)) == (GOOD, ())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data.usertime", 978307200),
        ("data.usertime", 4102444799),
        ("kochava_device_id", ""),
        ("data.device_ids", {}),  # the kochava_device_id is there
        ("data.device_ids", {"rida": "fake-roku"}),
        ("data.device_ver", ""),
        ("data.device_ver", "iPhone-iOS-13.6.0"),
        ("data.device_ver", "14.4"),  # real senders put such texts there
        ("data.device_ids.idfa", "test"),  # others name the device
        ("data.device_ids.imei", "35-693803"),
        ("data.device_ids.idfa", "07F5A85513754E519F150EFD4E5C84F4"),
        ("data.device_ids.IDFA", "fake"),  # beside an idfa: which is which, nobody can tell
        ("data.device_ids.udid", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("data.origination_ip", "10.1.2.3"),
        ("data.event_data", {}),  # no amount, no currency
        ("data.event_data", "{not an object}"),
        ("data.device_ua", ""),
        ("data.device_ua", "My%2520App%2F1%20CFNetwork%2F1.0"),  # raw, it holds an escape of its own
        ("data.origination_ip", "2001:db8::1"),
        ("data.origination_ip", ""),  # not known, and said so; gdpr_applies is there
        ("data.app_version", GONE),
        ("data.event_data", GONE),
        ("data.event_data", "the legacy form"),
        ("data.device_limit_tracking", GONE),
        ("data.app_tracking_transparency", GONE),
        ("data.app_tracking_transparency", {"att": False}),
        ("data.gdpr_privacy_consent", GONE),
        ("data.gdpr_privacy_consent.tc_string", GONE),  # both flags are there
        ("data.gdpr_privacy_consent", {"tc_string": "fake"}),
        ("data.manufacturer", "Fake"),
    ],
)
def test_what_may_vary_passes(path: str, value: object) -> None:
    assert problems(changed(path, value)) == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("action", GONE),
        ("action", "open"),
        ("action", ["event"]),
        ("kochava_app_id", GONE),
        ("kochava_app_id", ""),
        ("kochava_app_id", 7),
        ("kochava_app_id", "kotest app"),
        ("kochava_app_id", " kotest-app-1"),
        ("kochava_app_id", "ko<app>"),
        ("kochava_app_id", "null"),
        *(("kochava_device_id", word) for word in PLACEHOLDERS),
        ("kochava_device_id", GONE),
        ("kochava_device_id", None),
        ("data", GONE),
        ("data", "text"),
        ("event_id", "e-1"),
        ("data.event_id", "e-1"),
        ("app_version", "1.0"),
        ("data.usertime", GONE),
        ("data.usertime", "1521574016"),
        ("data.usertime", 1521574016.0),
        ("data.usertime", True),
        ("data.usertime", 1521574016000),
        ("data.usertime", 978307199),
        ("data.usertime", 4102444800),
        ("data.device_ver", GONE),
        ("data.device_ver", None),
        ("data.device_ver", 14),
        ("data.device_ua", GONE),
        ("data.device_ua", None),
        ("data.device_ua", "Mozilla/5.0 (Fake)"),
        ("data.device_ua", "Mozilla%252F5.0%2520(Fake)"),
        ("data.device_ua", "Mozilla%2F5.0+(Fake)"),
        ("data.device_ua", "Mozilla%2"),
        ("data.origination_ip", GONE),
        ("data.origination_ip", None),
        ("data.origination_ip", "203.0.113.256"),
        ("data.origination_ip", "0.0.0.0"),  # noqa: S104 - nothing listens there
        ("data.origination_ip", "::"),
        ("data.origination_ip", "::ffff:203.0.113.7"),
        ("data.origination_ip", "203.0.113.7:80"),
        ("data.device_ua", "null"),
        ("data.device_ua", "%28null%29"),
        ("data.origination_ip", "fe80::1%eth0"),
        ("data.origination_ip", 3405803783),
        ("data.device_ids", GONE),
        ("data.device_ids", ["07F5A855-1375-4E51-9F15-0EFD4E5C84F4"]),
        ("data.device_ids.idfa", ""),
        ("data.device_ids.idfa", None),
        ("data.device_ids.idfa", "00000000-0000-0000-0000-000000000000"),
        ("data.device_ids.android_id", "0000000000000000"),
        ("data.device_ids.idfa", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("data.device_ids.idfv", "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"),
        ("data.device_ids.android_id", "900150983cd24fb0d6963f7d28e17f72"),
        ("data.device_ids.imei", "a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("data.device_ids.idfa", " 07F5A855-1375-4E51-9F15-0EFD4E5C84F4"),
        ("data.device_ids.MAC", "fake"),
        *((f"data.device_ids.{name}", word) for name in ("idfa", "custom") for word in PLACEHOLDERS),
        ("data.device_ids.custom", 7),
        ("data.device_ids.custom", " "),
        ("data.device_ids.mac", "00:00:00:00:00:00"),
        ("data.event_name", GONE),
        ("data.event_name", " "),
        ("data.event_name", "Purchase\n"),
        ("data.event_name", None),
        ("data.event_data", ["Skis"]),
        ("data.event_data", None),
        ("data.event_data", '{"sum": 1}'),
        ("data.event_data", "[]"),
        ("data.event_data.sum", "150"),
        ("data.event_data.price", None),
        ("data.event_data.item", {"name": "Skis"}),
        ("data.event_data.items", ["Skis"]),
        *((f"data.event_data.{key}", "fake") for key in sorted(RESERVED_KEYS)),
        ("data.currency", "usd"),
        ("data.currency", "USDX"),
        ("data.currency", "XYZ"),
        ("data.currency", ""),
        ("data.app_version", 1),
        ("data.device_limit_tracking", 1),
        ("data.app_tracking_transparency", True),
        ("data.app_tracking_transparency.att", GONE),
        ("data.app_tracking_transparency.att", 1),
        ("data.app_tracking_transparency.att_time", 1521574000000),
        ("data.app_tracking_transparency.att_duration", -1),
        ("data.app_tracking_transparency.att_detail", "Authorized"),
        ("data.gdpr_privacy_consent", "yes"),
        ("data.gdpr_privacy_consent.gdpr_applies", True),
        ("data.gdpr_privacy_consent.ad_user_data", 2),
        ("data.gdpr_privacy_consent.ad_personalization", "1"),
        ("data.gdpr_privacy_consent.tc_string", ""),
        ("data.locale", {"language": "fr"}),
        ("data.app_tracking_transparency.more", {}),
        ("data.gdpr_privacy_consent.more", []),
    ],
)
def test_a_broken_rule_is_refused_by_its_path(path: str, value: object) -> None:
    found = problems(changed(path, value))
    assert any(problem.startswith(f"{path}: ") for problem in found), found


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("data.currency", GONE, "data.event_data.currency"),
        ("data.event_data.currency", GONE, "data.event_data.currency"),
        ("data.event_data.currency", "EUR", "data.event_data.currency"),
        (
            "data.gdpr_privacy_consent",
            {"tc_string": "fake", "ad_user_data": 1},
            None,
        ),
        ("data.gdpr_privacy_consent", {"ad_user_data": 1}, "data.gdpr_privacy_consent.tc_string"),
    ],
)
def test_rules_across_values(path: str, value: object, named: str | None) -> None:
    found = problems(changed(path, value))
    assert [problem.partition(":")[0] for problem in found] == ([named] if named else [])


def test_without_an_ip_the_consent_must_say_whether_gdpr_applies() -> None:
    event = changed("data.origination_ip", "")
    del event["data"]["gdpr_privacy_consent"]["gdpr_applies"]
    (problem,) = problems(event)
    assert problem.startswith("data.gdpr_privacy_consent.gdpr_applies: missing")


def test_without_any_identifier_there_must_be_a_kochava_device_id() -> None:
    event = changed("data.device_ids", {})
    event["kochava_device_id"] = ""
    (problem,) = problems(event)
    assert problem.startswith("data.device_ids: no identifier")


def test_identifiers_of_an_unknown_form_name_no_device() -> None:
    event = changed("data.device_ids", {"idfa": "test", "android_id": "x"})
    assert problems(event) == ()
    event["kochava_device_id"] = ""
    (problem,) = problems(event)
    assert problem.startswith("data.device_ids: no identifier")


def test_all_problems_come_at_once_and_repeat_no_value() -> None:
    event = changed("data.origination_ip", "198.51.100.300")
    event["data"]["device_ids"]["idfa"] = " fake-idfa"
    event["data"]["currency"] = "fake-currency"
    del event["kochava_app_id"]
    found = problems(event)
    assert [problem.partition(":")[0] for problem in found] == [
        "kochava_app_id",
        "data.origination_ip",
        "data.device_ids.idfa",
        "data.currency",
        "data.event_data.currency",
    ]
    assert "fake" not in "".join(found)
    assert "198.51" not in "".join(found)


@pytest.mark.parametrize(
    ("user_agent", "passes"),
    [
        ("null", False),
        ("Mozilla/5.0+(Fake)", False),
        ("Fake/1.0+2", True),
        ("Mozilla/5.0 (Fake)", True),
        ("My%20App/1 CFNetwork/1.0", True),
        ("", True),
        ("Mozilla%2F5.0%20(Fake)", False),
        (7, False),
    ],
)
def test_raw_user_agents_when_they_are_wanted(user_agent: object, passes: bool) -> None:
    found = problems(changed("data.device_ua", user_agent), Contract(user_agent="raw"))
    assert [problem.partition(":")[0] for problem in found] == ([] if passes else ["data.device_ua"])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", []),
        ("Content-Type", ["text/plain"]),
        ("Content-Type", ["application/json", "application/json"]),
        ("User-Agent", []),
        ("User-Agent", ["python-urllib3/2.8.0"]),
        ("Cookie", ["a=b"]),
        ("Content-Length", []),
    ],
)
def test_each_header_rule(name: str, values: list[str]) -> None:
    headers = [pair for pair in HEADERS_GIVEN if pair[0] != name.lower()]
    headers += [(name.lower(), value) for value in values]
    (problem,) = Contract().read(headers, php(GOOD))[1]
    assert problem.startswith(f"{name}: ")


def test_every_header_rule_was_broken_above() -> None:
    assert len(HEADERS) == 4


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"action":NaN}', "not JSON"),
        (b'{"action":-Infinity}', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"9" * 5_000, "not JSON"),
    ],
)
def test_bodies_that_are_no_event(body: bytes, wrong: str) -> None:
    event, found = Contract().read(HEADERS_GIVEN, body)
    assert event is None
    assert len(found) == 1
    assert found[0].startswith(f"body: {wrong}")


@pytest.mark.parametrize(
    ("php_writes", "other", "wrong"),
    [
        (b'"action":"event"', b'"action": "event"', "whitespace"),
        (b"Skis \\/", b"Skis /", "slash"),
        (b"\\u00e9", "\u00e9".encode(), "non-ASCII"),
        (b"\\u00e9", b"\\u00E9", "an escape"),
        (b"Skis", b"\\u0053kis", "an escape"),
        (b"Skis", b"\\u000a", "an escape"),
        (b"\\ud83c\\udfbf", b"\\ud83c", "half of a surrogate pair"),
    ],
)
def test_bytes_that_php_would_write_otherwise(php_writes: bytes, other: bytes, wrong: str) -> None:
    body = php(GOOD)
    assert php_writes in body
    (problem,) = Contract().read(HEADERS_GIVEN, body.replace(php_writes, other, 1))[1]
    assert problem.startswith(f"body: {wrong}")


def test_whitespace_and_escapes_inside_strings_are_php_s_own() -> None:
    event = changed("data.event_data.description", ' \\ "a"\t\n\x01\x7f ')
    assert problems(event) == ()


def test_duplicate_keys_at_any_depth() -> None:
    body = php(GOOD).replace(b'"sum":150', b'"sum":150,"sum":151').replace(b"{", b'{"action":"event",', 1)
    found = Contract().read(HEADERS_GIVEN, body)[1]
    assert set(found) == {"sum: key given more than once", "action: key given more than once"}


# --- the other actions --------------------------------------------------------------------------------------


def device(*names: str) -> dict[str, Any]:
    return {name: GOOD["data"][name] for name in names}


INSTALL: dict[str, Any] = {
    "action": "install",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "app_ver": "1.0.0",
    "data": device("usertime", "device_ua", "origination_ip", "device_ver", "device_ids", "gdpr_privacy_consent")
    | {"ad_services_token": "fake", "install_referrer": {"referrer": "x", "more": {"deep": [1]}}},
}
UPDATE: dict[str, Any] = {
    "action": "update",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "data": {"usertime": 1521574016, "idfa": "07F5A855-1375-4E51-9F15-0EFD4E5C84F4"},
}
LINK: dict[str, Any] = {
    "action": "identityLink",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "data": {"usertime": 1521574016, "identity_link": {"app_userid": "u-1"}},
}


@pytest.mark.parametrize("message", [INSTALL, UPDATE, LINK], ids=lambda message: message["action"])
def test_a_message_of_each_action_passes(message: dict[str, Any]) -> None:
    assert problems(message) == ()


@pytest.mark.parametrize(
    ("message", "path", "value"),
    [
        (INSTALL, "kochava_app_id", GONE),
        (INSTALL, "kochava_device_id", GONE),
        (INSTALL, "app_ver", 1),
        (INSTALL, "data.usertime", GONE),
        (INSTALL, "data.device_ua", GONE),
        (INSTALL, "data.origination_ip", GONE),
        (INSTALL, "data.device_ver", GONE),
        (INSTALL, "data.device_ids", GONE),
        (INSTALL, "data.ad_services_token", ""),
        *(
            (INSTALL, f"data.{name}", "text")
            for name in (
                "install_referrer",
                "conversion_data",
                "adservices_attribution_details",
                "iad_attribution_details",
            )
        ),
        (INSTALL, "data.other", {}),
        (INSTALL, "data.gdpr_privacy_consent", {}),
        (UPDATE, "app_ver", "1.0"),
        (UPDATE, "kochava_device_id", ""),
        (UPDATE, "kochava_device_id", "null"),
        (UPDATE, "data.idfa", GONE),
        (UPDATE, "data.idfa", "00000000-0000-0000-0000-000000000000"),
        (UPDATE, "data.idfa", "fake"),
        (UPDATE, "data.usertime", GONE),
        (UPDATE, "data.origination_ip", None),
        (LINK, "data.identity_link", GONE),
        (LINK, "data.identity_link", {}),
        (LINK, "data.identity_link", ["u-1"]),
        (LINK, "data.identity_link.app_userid", 7),
        (LINK, "data.identity_link.app_userid", "null"),
        (LINK, "data.identity_link.app_userid", "someone@b.example"),
        (LINK, "data.identity_link.app_userid", "someone%40b.example"),
        (LINK, "data.device_ids", {"idfa": ""}),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) and "action" in value else repr(value)[:40],
)
def test_a_broken_rule_of_another_action_is_refused(message: dict[str, Any], path: str, value: object) -> None:
    found = problems(changed(path, value, message))
    assert any(problem.startswith(path) for problem in found), found


def test_an_identity_link_is_of_a_device() -> None:
    nobody = changed("kochava_device_id", "", LINK)
    (problem,) = problems(nobody)
    assert problem.startswith("data.device_ids: no identifier")
    assert problems(changed("data.device_ids", {"udid": "x"}, nobody)) == ()
