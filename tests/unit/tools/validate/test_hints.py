"""What is said where the publisher's own keys and values tell what was meant."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from forwarder_tools.validate.hints import OF_PARTS, OF_SENDERS, hint_for, written
from forwarder_tools.validate.judgement import judge
from kochava_forwarder.contract.models import SHAPES, AppTrackingTransparency, GdprPrivacyConsent
from tests.unit.strategies import GONE, MINIMAL, SENT_AT, UUID, Event, changed
from tests.unit.tools.validate.support import SETTINGS

ATT, GDPR = "data.app_tracking_transparency", "data.gdpr_privacy_consent"
NOT_ATT = "say true or false, or leave app_tracking_transparency out"


def remedies(event: Event) -> dict[str, str]:
    judgement = judge(json.dumps(event), now=SENT_AT, settings=SETTINGS)
    return {problem.path: problem.remedy for problem in judgement.problems}


def remedy(path: str, changes: dict[str, Any], event: Event = MINIMAL) -> str:
    return remedies(changed(changes, event))[path]


# --- keys that nobody knows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("kochavaAppId", "did you mean kochava_app_id?"),
        ("KOCHAVA_APP_ID", "did you mean kochava_app_id?"),
        ("KochavaAppId", "did you mean kochava_app_id?"),
        ("Kochava-App-ID", "did you mean kochava_app_id?"),
        ("app_id", "did you mean kochava_app_id?"),
        ("appId", "did you mean kochava_app_id?"),
        ("Data", "did you mean data?"),
        ("device_id", "or did you mean kochava_device_id?"),  # the contract says: device_ids
        ("deviceId", "did you mean kochava_device_id?"),
        ("event_time", "or did you mean usertime?"),
        ("timestamp", "did you mean usertime?"),
        ("time", "did you mean usertime?"),
        ("ip", "did you mean origination_ip?"),
        ("ip_address", "did you mean origination_ip?"),
        ("user_agent", "did you mean device_ua?"),
        ("ua", "did you mean device_ua?"),
        ("idfa", "put it into device_ids"),
        ("IDFA", "put it into device_ids, as idfa"),
        ("gaid", "put it into device_ids, as adid"),
        ("adid", "put it into device_ids"),
        ("revenue", "put it into data.event_data, as sum"),
        ("amount", "put it into data.event_data, as sum"),
        ("value", "put it into data.event_data, as sum"),
        ("price", "put it into data.event_data"),
        ("eventName", "put it into data, as event_name"),
        ("event_data", "put it into data"),
        ("att", "put it into app_tracking_transparency"),
        ("kochava_appid", "correct its spelling"),  # the contract names it
        ("shoe_size", "remove it, or put it into data"),
    ],
)
def test_a_key_beside_data_is_told_from_its_letters_its_usual_name_and_its_nearness(
    key: str, expected: str
) -> None:
    assert remedy(key, {key: "x"}) == expected


def test_the_action_is_known_by_its_letters() -> None:
    link = changed({"action": "IDENTITY_LINK", "data.event_name": GONE})
    assert remedies(link | {"data": link["data"] | {"identityLink": {"a": "1"}}})["data.identity_link"] == (
        "write identity_link instead of data.identityLink"
    )


def test_where_a_key_belongs_is_said_by_the_action() -> None:
    install = changed({"action": "install", "data.event_name": GONE})
    assert remedy("revenue", {"revenue": 1}, install) == "remove it, or put it into data"
    assert remedy("appVer", {"appVer": "1"}, install) == "did you mean app_ver?"
    assert "idfa" not in remedies({"action": "update", "kochava_app_id": "k", "idfa": UUID})


def test_inside_an_envelope_it_is_the_same() -> None:
    event = changed({"kochavaAppId": "x", "data.event_name": GONE, "data.eventName": "View", "event_id": []})
    wrapped = {"detail-type": "fake", "source": "fake", "version": "0", "id": "fake", "account": "123456789012"}
    wrapped |= {"time": "2026-01-01T00:00:00Z", "region": "us-east-1", "resources": [], "detail": event}  # type: ignore[dict-item]
    assert remedies(wrapped) == {
        "detail.kochavaAppId": "did you mean kochava_app_id?",
        "detail.data.event_name": "write event_name instead of data.eventName",
        "detail.event_id": "send the text itself",
    }


@pytest.mark.parametrize(
    ("part", "key", "expected"),
    [
        (ATT, "ATT", "did you mean att?"),
        (ATT, "attTime", "did you mean att_time?"),
        (ATT, "duration", "did you mean att_duration?"),
        (ATT, "shoe_size", "remove it"),
        (GDPR, "gdprApplies", "did you mean gdpr_applies?"),
        (GDPR, "tcString", "did you mean tc_string?"),
        (GDPR, "ad_user_dat", "did you mean ad_user_data?"),
        (GDPR, "event_name", "remove it"),
    ],
)
def test_inside_a_consent_only_its_own_keys_are_meant(part: str, key: str, expected: str) -> None:
    assert remedy(f"{part}.{key}", {part: {key: 1}}) == expected
    flat = {**MINIMAL, part.removeprefix("data."): {key: 1}}
    assert remedies(flat)[f"{part.removeprefix('data.')}.{key}"] == expected


# --- keys that are missing ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "written_as", "expected"),
    [
        ("data.event_name", "data.eventName", "write event_name instead of data.eventName"),
        ("data.event_name", "eventName", "put eventName into data, as event_name"),
        ("data.origination_ip", "data.originationIp", "write origination_ip instead of data.originationIp"),
        ("data.origination_ip", "data.ip", "write origination_ip instead of data.ip"),
        ("data.origination_ip", "ip", "write origination_ip instead of ip"),
        ("data.device_ids", "data.deviceIds", "write device_ids instead of data.deviceIds"),
        ("data.device_ids", "data.idfa", "put data.idfa into it"),
        ("data.device_ids", "gaid", "put gaid into it"),
        ("data.device_ua", "data.deviceUa", "write device_ua instead of data.deviceUa"),
        ("kochava_app_id", "kochavaAppId", "write kochava_app_id instead of kochavaAppId"),
        ("kochava_app_id", "data.appId", "put data.appId beside data, as kochava_app_id"),
        ("data.event_name", "event_name", "put event_name into data"),
        ("data.event_name", "data.shoe_size", "add it"),
    ],
)
def test_what_is_missing_is_found_under_another_name(missing: str, written_as: str, expected: str) -> None:
    assert remedy(missing, {missing: GONE, written_as: "x"}) == expected


def test_all_of_data_under_another_name_is_one_thing_to_do() -> None:
    event = {("Data" if key == "data" else key): value for key, value in MINIMAL.items()}
    found = remedies(event)
    assert found.pop("Data") == "did you mean data?"
    assert {*found.values()} == {"write data instead of Data"}


def test_a_missing_att_may_be_left_out_with_what_is_around_it() -> None:
    assert remedy(f"{ATT}.att", {ATT: {}}) == "add it, or leave app_tracking_transparency out"
    assert remedy(f"{ATT}.att", {ATT: {"ATT": True}}) == f"write att instead of {ATT}.ATT"


def test_what_an_empty_address_makes_needed_is_found_under_another_name_too() -> None:
    path, unknown = f"{GDPR}.gdpr_applies", {"data.origination_ip": ""}
    for key, expected in (
        ("gdprApplies", "write gdpr_applies instead of data.gdpr_privacy_consent.gdprApplies"),
        ("tc_string", "say 0 or 1, or add the user's address"),
    ):
        assert remedy(path, unknown | {GDPR: {key: "1"}}) == expected


# --- values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("kochava_app_id", None, "fill it in"),
        ("data.event_name", None, "fill it in"),
        (f"{ATT}.att_time", None, None),
        ("data", None, "fill it in"),
        ("kochava_app_id", {"a": 1}, "send the text itself"),
        ("event_id", ["a"], "send the text itself"),
        ("data.event_name", [], "send the text itself"),
        ("kochava_app_id", 7, "put it in quotes"),
        ("event_id", True, "put it in quotes"),
        ("data.app_version", 1.5, "put it in quotes"),
        (f"{ATT}.att", "perhaps", NOT_ATT),
        ("data.device_limit_tracking", "perhaps", "send one of these, or leave it out"),
    ],
)
def test_what_is_to_be_done_about_a_value_goes_by_its_type(path: str, value: Any, expected: str | None) -> None:
    assert remedies(changed({f"{ATT}.att": True, path: value})).get(path) == expected


@pytest.mark.parametrize("path", ["data.app_version", "app_version", "data.event_data.a"])
def test_a_null_that_need_not_be_there_may_be_left_out(path: str) -> None:
    event = written(json.dumps(changed({path: None})))
    assert event
    assert hint_for(event, tuple(path.split(".")), "must be a string") == "fill it in, or leave it out"


def test_no_value_and_no_key_that_may_be_personal_is_in_a_hint() -> None:
    event = changed({"data.event_name": GONE, "data.event_name1234": "secret", "kochavaAppId": "secret"})
    event["data"]["device_ua"] = ["secret"]
    found = remedies(event)
    assert found["data.event_name"] == "add it"
    said = str(found)
    assert "secret" not in said
    assert "1234" not in said


# --- the tables ---------------------------------------------------------------------------------------------


def _targets() -> Iterator[tuple[str, ...]]:
    known = {key for shape in SHAPES.values() for key in shape.known}
    for target in OF_SENDERS.values():
        assert target[0] in known
        yield tuple(map(str, target))


def test_each_usual_name_stands_for_a_key_of_the_contract() -> None:
    inside = {
        "app_tracking_transparency": AppTrackingTransparency.model_fields,
        "gdpr_privacy_consent": GdprPrivacyConsent.model_fields,
    }
    assert all(target[1] in inside[target[0]] for target in _targets() if len(target) > 1 and target[0] in inside)
    for part, names in OF_PARTS.items():
        assert {target[0] for target in names.values()} <= inside[part].keys()
