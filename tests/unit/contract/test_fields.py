"""Single values: truth values, consent's words, names, versions."""

import pytest

from tests.unit.strategies import (
    FULL,
    GONE,
    MINIMAL,
    UUID,
    at,
    changed,
    problems,
    read,
    sent,
)

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


@pytest.mark.parametrize("event_id", ["order-1", "0"])
def test_the_event_id_is_kept_and_not_sent(event_id: str) -> None:
    assert read(MINIMAL | {"event_id": event_id}).event_id == event_id
    assert sent(MINIMAL | {"event_id": event_id}) == sent(MINIMAL)


@pytest.mark.parametrize("nothing", ["", " ", "null", "undefined", "None", "(null)", "${EVENT_ID}", None])
def test_an_event_id_that_was_never_filled_in_is_none(nothing: str | None) -> None:
    assert read(MINIMAL | {"event_id": nothing}).event_id is None
