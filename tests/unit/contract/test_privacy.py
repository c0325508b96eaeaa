"""What is left out of an event, and that nothing else is."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.privacy import (
    SEND_ALL,
    AdvertisingIds,
    IpPrecision,
    Privacy,
    without_private,
)
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.kochava.payload import encode_payload
from tests.unit.strategies import INSTALL, LINK, MINIMAL, SENT_AT, changed, examples

NETWORK = Privacy(origination_ip=IpPrecision.NETWORK)
CONSENTED = Privacy(advertising_ids=AdvertisingIds.CONSENTED)
IDFA = "07F5A855-1375-4E51-9F15-0EFD4E5C84F4"
IDFV = "17F5A855-1375-4E51-9F15-0EFD4E5C84F4"
REFUSED = {"data.app_tracking_transparency": {"att": False}}
BOTH = {"data.device_ids": {"idfa": IDFA, "idfv": IDFV}}


def sent(privacy: Privacy, **changes: Any) -> dict[str, Any]:
    """Return `data` as it is sent of an event with these changes; a key's "__" stands for a dot."""
    return of(changed({name.replace("__", "."): value for name, value in changes.items()}), privacy)


def of(body: Any, privacy: Privacy) -> dict[str, Any]:
    event = parse_event(json.dumps(body), sent_at=1_760_000_000, default_app_id=None)
    return without_private(event, privacy).data.model_dump(exclude_none=True)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("255.255.255.255", "255.255.255.0"),
        ("2001:db8:1234:5678:9abc::1", "2001:db8:1234::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("", ""),
    ],
)
def test_an_address_becomes_its_network(address: str, network: str) -> None:
    assert sent(NETWORK, data__origination_ip=address)["origination_ip"] == network


@pytest.mark.parametrize(
    "refusal",
    [
        {"app_tracking_transparency": {"att": False}},
        {"gdpr_privacy_consent": {"gdpr_applies": 1, "ad_user_data": 0, "ad_personalization": 1}},
        {"gdpr_privacy_consent": {"ad_user_data": 1, "ad_personalization": 0}},
        {"device_limit_tracking": True},
    ],
    ids=["ATT", "GDPR", "GDPR, not said to apply", "limited tracking"],
)
def test_who_did_not_agree_has_no_advertising_id_sent(refusal: dict[str, Any]) -> None:
    body = changed({**BOTH, **{f"data.{name}": value for name, value in refusal.items()}})
    assert of(body, CONSENTED)["device_ids"] == {"idfv": IDFV}
    assert of(body, SEND_ALL)["device_ids"] == {"idfa": IDFA, "idfv": IDFV}


@pytest.mark.parametrize(
    "consent",
    [
        {},
        {"app_tracking_transparency": {"att": True}},
        {"gdpr_privacy_consent": {"gdpr_applies": 1, "ad_user_data": 1, "ad_personalization": 1}},
        {"gdpr_privacy_consent": {"gdpr_applies": 0, "ad_user_data": 0, "ad_personalization": 0}},
        {"gdpr_privacy_consent": {"gdpr_applies": 1, "tc_string": "CPfake"}},
        {"device_limit_tracking": False},
    ],
    ids=["nothing said", "ATT", "GDPR", "GDPR does not apply", "only a tc_string", "no limit"],
)
def test_who_agreed_or_said_nothing_has(consent: dict[str, Any]) -> None:
    body = changed({**BOTH, **{f"data.{name}": value for name, value in consent.items()}})
    assert of(body, CONSENTED)["device_ids"] == {"idfa": IDFA, "idfv": IDFV}


@pytest.mark.parametrize(
    "name",
    ["idfa", "adid", "rida", "oaid", "fire_adid", "waid", "gaid", "IDFA", "gps_adid", "sha1_idfa", "idfa_md5"],
)
def test_advertising_ids_go_by_any_name(name: str) -> None:
    value = "0123456789abcdef" if "_" in name or name in {"rida", "waid"} else IDFA
    body = changed({**REFUSED, "data.device_ids": {name: value, "idfv": IDFV}})
    assert of(body, CONSENTED)["device_ids"] == {"idfv": IDFV}


@pytest.mark.parametrize("name", ["idfv", "android_id", "imei", "mac", "udid", "openudid", "custom", "player"])
def test_other_identifiers_stay(name: str) -> None:
    value = IDFV if name == "idfv" else "0123456789"
    body = changed({**REFUSED, "data.device_ids": {name: value, "idfa": IDFA}})
    assert of(body, CONSENTED)["device_ids"] == {name: value}


def test_an_event_that_then_names_no_device_is_invalid() -> None:
    body = changed({**REFUSED, "kochava_device_id": "", "data.device_ids": {"idfa": IDFA}})
    with pytest.raises(InvalidEventError, match=r"^body: names its device by advertising ids only"):
        of(body, CONSENTED)
    assert of(body | {"kochava_device_id": "KD0001"}, CONSENTED)["device_ids"] == {}


def test_an_identifier_of_an_unknown_form_still_names_no_device() -> None:
    body = changed(
        {**REFUSED, "kochava_device_id": "", "data.device_ids": {"idfa": IDFA, "android_id": "not hex"}}
    )
    with pytest.raises(InvalidEventError):
        of(body, CONSENTED)


def test_an_update_is_an_advertising_id() -> None:
    update = {
        "action": "update",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": "KD0001",
        "data": {"idfa": IDFA, "app_tracking_transparency": {"att": False}},
    }
    with pytest.raises(InvalidEventError, match=r"^body: has nothing to send but the idfa"):
        of(update, CONSENTED)
    assert of(update, NETWORK)["idfa"] == IDFA


# --- advertising ids in other places ------------------------------------------------------------------------

RIDA = "27f5a855-1375-4e51-9f15-0efd4e5c84f4"
SAID = {"data.device_limit_tracking": True, "kochava_device_id": "KD0001"}


def message(body: Any, privacy: Privacy) -> dict[str, Any]:
    """Return all that is sent of an event."""
    event = without_private(parse_event(json.dumps(body), sent_at=SENT_AT, default_app_id=None), privacy)
    sent: dict[str, Any] = json.loads(encode_payload(event, DeviceUaEncoding.RAW))
    return sent


@pytest.mark.parametrize("name", ["idfa", "gaid", "GAID", "ad_id", "advertising-id", "idfa_sha1"])
@pytest.mark.parametrize(
    ("event", "place"),
    [
        (MINIMAL, "data"),
        (MINIMAL, "data.event_data"),
        (INSTALL, "data"),
        (INSTALL, "data.conversion_data"),
        (INSTALL, "data.conversion_data.of.a.device"),
        (INSTALL, "data.install_referrer"),
        (INSTALL, "data.adservices_attribution_details"),
        (INSTALL, "data.iad_attribution_details"),
        (LINK, "data"),
        (LINK, "data.identity_link"),
    ],
)
def test_no_object_has_an_advertising_id(event: Any, place: str, name: str) -> None:
    kept = changed({**SAID, f"{place}.player": "x"}, event)
    body = changed({f"{place}.{name}": "fake-id-1"}, kept)
    assert message(body, CONSENTED) == message(kept, SEND_ALL)
    assert message(body, SEND_ALL) != message(kept, SEND_ALL)


def test_neither_has_an_object_in_a_list() -> None:
    referrer = {"touches": [{"gaid": RIDA, "at": 1}, [{"adid": {"raw": RIDA}}], "x"]}
    body = changed({**SAID, "data.install_referrer": referrer}, INSTALL)
    assert of(body, CONSENTED)["install_referrer"] == {"touches": [{"at": 1}, [{}], "x"]}


@pytest.mark.parametrize("same", [RIDA, RIDA.upper(), RIDA.replace("-", "")])
@pytest.mark.parametrize("place", ["data.device_ids.rida", "data.gaid", "data.event_data.gaid"])
def test_what_has_the_value_of_an_advertising_id_names_nobody(place: str, same: str) -> None:
    body = changed({**SAID, "kochava_device_id": same, place: RIDA, "data.device_ids.udid": same})
    sent = message(body, CONSENTED)
    assert sent["kochava_device_id"] == ""
    assert sent["data"]["device_ids"] == {"custom": "fake-0001"}
    assert message(body, SEND_ALL)["kochava_device_id"] == same


def test_a_dropped_parameter_is_an_advertising_id_all_the_same() -> None:
    privacy = Privacy(advertising_ids=AdvertisingIds.CONSENTED, dropped_parameters=frozenset({"gaid"}))
    body = changed({**SAID, "kochava_device_id": RIDA, "data.event_data.gaid": RIDA})
    assert message(body, privacy)["kochava_device_id"] == ""


@pytest.mark.parametrize("event", [MINIMAL, INSTALL, LINK])
def test_a_device_that_only_an_advertising_id_names_is_not_named(event: Any) -> None:
    body = changed({**SAID, "kochava_device_id": RIDA, "data.gaid": RIDA, "data.device_ids": {}}, event)
    with pytest.raises(InvalidEventError, match=r"^body: names its device by advertising ids only"):
        message(body, CONSENTED)


def test_a_link_to_nothing_but_an_advertising_id_is_invalid() -> None:
    body = changed({**SAID, "data.identity_link": {"gaid": RIDA}}, LINK)
    with pytest.raises(InvalidEventError, match=r"^body: links its user by advertising ids only"):
        message(body, CONSENTED)


def test_a_text_is_not_searched() -> None:
    assert of(changed({**SAID, "data.event_data": "gaid=1"}), CONSENTED)["event_data"] == "gaid=1"


# --- parameters ---------------------------------------------------------------------------------------------


def test_named_parameters_are_dropped_and_no_others() -> None:
    privacy = Privacy(dropped_parameters=frozenset({"user_name", "email"}))
    data = sent(privacy, data__event_data={"user_name": "x", "price": 9.99, "Email": "kept"}, data__email="kept")
    assert data["event_data"] == {"price": 9.99, "Email": "kept"}
    assert data["email"] == "kept"
    assert sent(privacy, data__event_data="user_name")["event_data"] == "user_name"


def test_a_dropped_currency_stays_the_events() -> None:
    data = sent(
        Privacy(dropped_parameters=frozenset({"currency"})), data__event_data={"currency": "EUR", "sum": 1}
    )
    assert data["event_data"] == {"sum": 1}
    assert data["currency"] == "EUR"


def test_an_extra_key_named_as_a_method_is_sent() -> None:
    assert sent(NETWORK, data__model_copy="x")["model_copy"] == "x"


@examples(100)
@given(
    st.builds(
        Privacy,
        st.sampled_from(IpPrecision),
        st.sampled_from(AdvertisingIds),
        st.frozensets(st.sampled_from(["user_name", "price"])),
    )
)
def test_what_nothing_is_said_of_is_sent_as_it_is(privacy: Privacy) -> None:
    whole = of(MINIMAL, SEND_ALL)
    assert {**of(MINIMAL, privacy), "origination_ip": ""} == {**whole, "origination_ip": ""}
