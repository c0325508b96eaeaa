"""What a publisher is told about an event that is taken all the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.warnings import (
    STANDARD_EVENTS,
    EventWarning,
    resembles_standard_event,
    warnings_for,
)
from tests.unit.strategies import FULL, SENT_AT, Event, changed, examples, read

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
    for near in (name.lower(), name.upper(), f" {name} ", name.replace(" ", "_") + "_", name + "s"):
        assert advice({"data.event_name": near}) == [EventWarning.EVENT_NAME_NEAR_STANDARD], near


@pytest.mark.parametrize("near", ["purchse", "Add To Cart", "add-to-cart", "AddToCart", "add__to__wish__list"])
def test_a_small_edit_of_a_standard_name_is_noticed(near: str) -> None:
    assert resembles_standard_event(near)


@pytest.mark.parametrize(
    "name", ["Boss Defeated", "Review", "Ads", "X", "\U0001f3bf", "Purchase refunded", "Trial"]
)
def test_names_of_ones_own_are_nobodys_business(name: str) -> None:
    assert advice({"data.event_name": name}) == []


@examples(100)
@given(st.text())
def test_any_name_can_be_compared(name: str) -> None:
    assert resembles_standard_event(name) in (True, False)


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


def test_each_reason_is_given_once_and_together() -> None:
    changes = {
        "data.origination_ip": "",
        "data.device_ua": "",
        "data.device_ver": "iPhone-iOS-14.0",
        "data.usertime": SENT_AT + 100,
        "data.event_name": "purchase",
        "data.event_data": {str(index): index for index in range(17)},
    }
    assert sorted(advice(changes)) == sorted(set(EventWarning) - {EventWarning.DEVICE_VER_EMPTY})
