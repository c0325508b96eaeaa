"""What a publisher is told about an event that is taken all the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.standard_events import PARAMETER_TYPES, STANDARD_EVENTS
from kochava_forwarder.contract.warnings import EventWarning, warnings_for
from tests.unit.strategies import FULL, INSTALL, LINK, SENT_AT, UPDATE, UUID, Event, changed, examples, read

NOBODY = "0.0.0.0"  # noqa: S104 - nothing listens there
IOS_14 = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)"


def advice(changes: Event) -> list[EventWarning]:
    return list(warnings_for(read(changed(changes)), sent_at=SENT_AT))


def test_a_good_event_gives_no_reason_for_advice() -> None:
    assert advice({}) == []
    assert list(warnings_for(read(FULL), sent_at=SENT_AT)) == []


def test_the_standard_names_are_kochavas() -> None:
    assert len(STANDARD_EVENTS) == 19
    assert {"Add to Wish List", "_Deeplink", "Subscribe"} < STANDARD_EVENTS


@pytest.mark.parametrize("name", sorted(STANDARD_EVENTS))
def test_a_standard_name_is_fine_and_its_misspellings_are_not(name: str) -> None:
    assert advice({"data.event_name": name}) == []
    assert advice({"data.event_name": f" {name}\n"}) == []  # trimmed before
    for near in (name.lower(), name.upper(), name.replace(" ", "_") + "_", name + "s"):
        assert advice({"data.event_name": near}) == [EventWarning.EVENT_NAME_NEAR_STANDARD], near


@pytest.mark.parametrize("near", ["purchse", "Add To Cart", "add-to-cart", "AddToCart", "add__to__wish__list"])
def test_a_small_edit_of_a_standard_name_is_noticed(near: str) -> None:
    assert meant_event(near)


@pytest.mark.parametrize(
    "name", ["Boss Defeated", "Review", "Ads", "X", "\U0001f3bf", "Purchase refunded", "Trial"]
)
def test_names_of_ones_own_are_nobodys_business(name: str) -> None:
    assert advice({"data.event_name": name}) == []


@examples(100)
@given(st.text())
def test_any_name_can_be_compared(name: str) -> None:
    assert meant_event(name) in {None, *STANDARD_EVENTS}


@pytest.mark.parametrize(
    ("device_ua", "device_ver", "missing"),
    [
        (IOS_14, "", True),
        (IOS_14.replace("14_0", "26_1"), "", True),
        (IOS_14.replace("14_0", "13_7"), "", False),
        (IOS_14.replace("14_0", "9_3"), "", False),
        ("Mozilla/5.0 (iPad; CPU OS 15_2 like Mac OS X)", "", True),
        ("Mozilla%2F5.0%20%28iPhone%3B%20CPU%20iPhone%20OS%2017_5%20like%20Mac%20OS%20X%29", "", True),
        ("Mozilla%2F5.0+%28iPhone%3B+CPU+iPhone+OS+17_5+like+Mac+OS+X%29", "", True),
        ("Mozilla%252F5.0%2520%2528iPhone%253B%2520CPU%2520iPhone%2520OS%252017_5%2529", "", True),
        ("Fake/1 (iOS 14.1)", "", True),
        ("AppleTV11,1/tvOS 16.1", "", True),
        ("Fake/1 (Wear OS 14)", "", False),
        ("Fake/1 (iOS 140)", "", False),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0)", "", False),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8)", "", False),
        ("Fake", "iPhone15,2-iOS-17.5", True),
        ("Fake", "iPhone15,2-iPhone OS-17.5", True),
        ("Fake", "iPad13,1-iPadOS-17.5", True),
        ("Fake", "AppleTV11,1-tvOS-16.1", True),
        ("Fake", "iPhone-iOS-13.6.0", False),
        ("Fake", "SM-J727A-Android-14", False),
    ],
)
def test_apple_wants_consent_from_version_14(device_ua: str, device_ver: str, *, missing: bool) -> None:
    changes = {"data.device_ua": device_ua, "data.device_ver": device_ver}
    assert advice(changes) == ([EventWarning.ATT_MISSING] if missing else [])
    assert advice(changes | {"data.app_tracking_transparency": {"att": False}}) == []


@pytest.mark.parametrize(("number", "expected"), [(16, []), (17, [EventWarning.TOO_MANY_PARAMETERS])])
def test_sixteen_parameters_are_enough(number: int, expected: list[EventWarning]) -> None:
    assert advice({"data.event_data": {f"p{index}": index for index in range(number)}}) == expected
    assert advice({"data.event_data": "p" * number}) == []


@pytest.mark.parametrize(("ahead", "expected"), [(-1, []), (60, []), (61, [EventWarning.USERTIME_IN_FUTURE])])
def test_the_future_begins_after_a_minute(ahead: int, expected: list[EventWarning]) -> None:
    assert advice({"data.usertime": SENT_AT + ahead}) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data.origination_ip": ""}, [EventWarning.ORIGINATION_IP_EMPTY]),
        ({"data.device_ua": "", "data.device_ver": "iPhone-iOS-13.6.0"}, [EventWarning.DEVICE_UA_EMPTY]),
        ({"data.device_ua": ""}, [EventWarning.DEVICE_UA_EMPTY, EventWarning.DEVICE_VER_EMPTY]),
        ({"data.device_ver": ""}, []),
    ],
)
def test_what_is_not_known_is_said(changes: Event, expected: list[EventWarning]) -> None:
    assert advice(changes) == expected


@pytest.mark.parametrize(
    ("device_ver", "expected"),
    [
        ("iPhone-iOS-13.6.0", []),
        ("SM-J727A-Android-7.0.0", []),
        ("14.4", [EventWarning.DEVICE_VER_FORM]),
        ("1.1", [EventWarning.DEVICE_VER_FORM]),
        ("test", [EventWarning.DEVICE_VER_FORM]),
        (" ", [EventWarning.DEVICE_VER_FORM]),
        ("iPhone-iOS", [EventWarning.DEVICE_VER_FORM]),
        ("iPhone-iOS-", [EventWarning.DEVICE_VER_FORM]),
        ("-iOS-13", [EventWarning.DEVICE_VER_FORM]),
        (415, [EventWarning.DEVICE_VER_FORM]),
    ],
)
def test_a_device_version_of_another_form_is_counted(device_ver: object, expected: list[EventWarning]) -> None:
    assert advice({"data.device_ver": device_ver}) == expected


@pytest.mark.parametrize(
    ("device_ids", "expected"),
    [
        ({"idfa": UUID, "udid": "x", "our own": "y"}, []),
        ({"idfa": "test", "custom": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"idfa": UUID.replace("-", ""), "custom": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"android_id": UUID, "adid": UUID}, [EventWarning.IDENTIFIER_FORM]),
        ({"android_id": "0123456789abcdef0", "adid": UUID}, [EventWarning.IDENTIFIER_FORM]),
        ({"idfa_sha1": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"adid_md5": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"ANDROID_ID_SHA256": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"idfaSha1": "x"}, [EventWarning.IDENTIFIER_FORM]),
        ({"sha1_of_nothing": "x"}, []),
        ({"IDFA": UUID}, [EventWarning.IDENTIFIER_NAME]),
        ({"ADID": "5aaa0000aa000a00", "udid": "x"}, [EventWarning.IDENTIFIER_FORM, EventWarning.IDENTIFIER_NAME]),
        ({"Mac": "x"}, [EventWarning.IDENTIFIER_NAME]),
        *(
            ({name: UUID}, [EventWarning.IDENTIFIER_NAME])
            for name in ("gaid", "aaid", "gps_adid", "google_advertising_id", "ifa", "androidid", "androidId")
        ),
        *(({name: UUID}, [EventWarning.IDENTIFIER_NAME]) for name in ("GAID", "AAID", "gpsAdid", "android-id")),
        ({"gaid": "null", "udid": "x"}, []),
    ],
    ids=lambda value: ",".join(value)[:50],
)
def test_identifiers_that_kochava_may_not_know_are_counted(
    device_ids: Event, expected: list[EventWarning]
) -> None:
    assert advice({"data.device_ids": device_ids}) == expected


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("172.15.255.255", True),
        ("172.32.0.1", True),
        ("192.167.1.1", True),
        ("100.63.0.1", True),
        ("100.128.0.1", True),
        ("198.51.100.1", True),
        ("203.0.113.7", True),
        ("192.0.2.1", True),
        ("2a00:1450:4001::1", True),
        ("2001:db8::1", True),
        ("64:ff9b::808:808", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("192.168.1.1", False),
        ("127.0.0.1", False),
        ("127.255.0.1", False),
        ("169.254.1.1", False),
        ("100.64.0.1", False),
        ("0.1.2.3", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("ff02::1", False),
        ("100::1", False),
        ("::ffff:10.0.0.1", False),
        ("[::1]:80", False),
        ("10.1.2.3:80", False),
    ],
)
def test_an_address_that_is_not_public_is_counted(address: str, *, public: bool) -> None:
    expected = [] if public else [EventWarning.ORIGINATION_IP_NOT_PUBLIC]
    assert advice({"data.origination_ip": address}) == expected


@pytest.mark.parametrize(
    "nobody", [NOBODY, "::", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0", "[::]:80", None, " ", "unknown"]
)
def test_nobodys_address_is_counted_as_empty(nobody: str | None) -> None:
    assert advice({"data.origination_ip": nobody}) == [EventWarning.ORIGINATION_IP_EMPTY]


@pytest.mark.parametrize("path", ["data.event_data.big", "data.event_data.sum", "data.big"])
@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2**63 - 1, []),
        (2**63, [EventWarning.INTEGER_TOO_LARGE]),
        (-(2**63), []),
        (-(2**63) - 1, [EventWarning.INTEGER_TOO_LARGE]),
        (1e300, []),
    ],
)
def test_an_integer_of_more_than_64_bits_is_counted(
    path: str, number: float, expected: list[EventWarning]
) -> None:
    assert advice({path: number}) == expected


@pytest.mark.parametrize(
    ("name", "value", "warned"),
    [
        ("level", "7", False),
        ("level", 7, True),
        ("user_id", True, True),
        ("ad_size", 50, True),
        ("quantity", 2, False),
        ("quantity", 2.5, False),
        ("quantity", "2", True),
        ("quantity", True, True),
        ("sum", "2.50", False),  # becomes a number
        ("completed", True, False),
        ("completed", 1, True),
        ("completed", "true", True),
        ("quantity", None, False),
        ("our_own", 5, False),
    ],
)
def test_a_parameter_of_a_standard_event_has_its_type(name: str, value: object, *, warned: bool) -> None:
    expected = [EventWarning.PARAMETER_TYPE] if warned else []
    assert advice({"data.event_name": "Purchase", f"data.event_data.{name}": value}) == expected
    assert advice({"data.event_name": "Boss Defeated", f"data.event_data.{name}": value}) == []


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("data.Usertime", True),
        ("data.userTime", True),
        ("data.app-version", True),
        ("data.appVersion", True),
        ("data.Currency", True),
        ("data.event data", True),
        ("data.eventId", True),
        ("data.currencyy", False),
        ("data.locale", False),
        ("data.Data", False),
        ("data.identityLink", False),  # of another action
        ("data.event_data.SUM", True),
        ("data.event_data.Currency", True),
        ("data.event_data._price", True),
        ("data.event_data.sums", False),
        ("data.event_data.usertime", False),
        ("data.event_data.orderId", False),  # of a standard event
    ],
)
def test_a_key_that_is_nearly_a_fields_is_counted(path: str, *, near: bool) -> None:
    assert advice({"data.event_name": "Boss Defeated", path: "1"}) == (
        [EventWarning.KEY_NEAR_FIELD] if near else []
    )


@pytest.mark.parametrize("name", sorted({"orderId", "Name", "SUM", *PARAMETER_TYPES}))
def test_a_standard_event_has_more_such_keys(name: str) -> None:
    value = {str: "x", bool: True}.get(PARAMETER_TYPES.get(name, (str,))[0], 1)
    value = "USD" if name == "currency" else value
    expected = [] if name in PARAMETER_TYPES else [EventWarning.KEY_NEAR_FIELD]
    assert advice({"data.event_name": "Purchase", f"data.event_data.{name}": value}) == expected


@pytest.mark.parametrize(
    ("event", "name"), [(INSTALL, "conversionData"), (UPDATE, "IDFA"), (LINK, "IdentityLink")]
)
def test_each_action_has_its_own_fields(event: Event, name: str) -> None:
    found = [
        list(warnings_for(read(changed({f"data.{name}": "x"}, one)), sent_at=SENT_AT)) for one in (event, FULL)
    ]
    assert found == [[EventWarning.KEY_NEAR_FIELD], []]


def test_each_parameter_has_one_type() -> None:
    assert len(PARAMETER_TYPES) == 47
    assert set(PARAMETER_TYPES.values()) == {(str,), (int, float), (bool,)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("EUR", []),
        ("XAU", []),
        ("XXX", [EventWarning.CURRENCY_NONE]),
        ("xts", [EventWarning.CURRENCY_NONE]),
        ("HRK", [EventWarning.CURRENCY_WITHDRAWN]),
    ],
)
def test_a_currency_that_nobody_pays_in_is_counted(code: str, expected: list[EventWarning]) -> None:
    assert advice({"data.currency": code}) == expected
    assert advice({"data.event_data.currency": code}) == expected


@pytest.mark.parametrize("name", ["undefined", "null", " (null) ", "<event_name>", "${EVENT}", "{{name}}", "N/A"])
def test_a_name_that_was_never_filled_in_is_counted(name: str) -> None:
    assert EventWarning.EVENT_NAME_PLACEHOLDER in advice({"data.event_name": name})
    assert EventWarning.EVENT_NAME_PLACEHOLDER not in advice({"data.event_name": f"{name} seen"})


@pytest.mark.parametrize("name", ["$pageview", "__start__", "[Login]", "$purchase"])
def test_a_name_with_marks_is_a_name(name: str) -> None:
    assert EventWarning.EVENT_NAME_PLACEHOLDER not in advice({"data.event_name": name})


def test_each_reason_is_given_once_and_together() -> None:
    changes = {
        "data.origination_ip": "",
        "data.device_ua": "",
        "data.device_ver": "iPhone/iOS 14.0",
        "data.usertime": SENT_AT + 100,
        "data.event_name": "purchase",
        "data.currency": "XXX",
        "data.device_ids": {"IDFA": "x", "our_own": "y"},
        "data.userTime": 1,
        "data.event_data": {str(index): 2**index for index in range(50, 70)},
    }
    apart = {
        EventWarning.EVENT_NAME_PLACEHOLDER,
        EventWarning.PARAMETER_TYPE,
        EventWarning.APP_VER_EMPTY,
        EventWarning.DEVICE_VER_EMPTY,
        EventWarning.ORIGINATION_IP_NOT_PUBLIC,
        EventWarning.CURRENCY_WITHDRAWN,
    }
    assert sorted(advice(changes)) == sorted(set(EventWarning) - apart)
