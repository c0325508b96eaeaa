"""What is wrong between fields that are each right: who is meant, and whether the user agreed."""

import pytest

from tests.unit.strategies import (
    ZERO_UUID,
    Event,
    changed,
    problems,
    sent,
)


@pytest.mark.parametrize("device_ids", [{}, {"idfa": ""}, {"idfa": ZERO_UUID, "custom": "0"}])
def test_somebody_must_be_identified(device_ids: Event) -> None:
    event = changed({"data.device_ids": device_ids})
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"
    assert problems(event | {"kochava_device_id": None}) == problems(event)
    assert sent(event | {"kochava_device_id": "KD1"})["data"]["device_ids"] == {}


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


def test_consent_is_judged_beside_other_problems() -> None:
    consent = {"tc_string": "", "ad_user_data": "", "gdpr_applies": 2}
    assert problems(changed({"data.gdpr_privacy_consent": consent})) == (
        "data.gdpr_privacy_consent.gdpr_applies: must be 0 or 1; data.gdpr_privacy_consent" + NEEDS
    )
