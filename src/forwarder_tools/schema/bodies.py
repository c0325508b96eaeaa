"""An example of each action's message, with every field. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_UUID = "AAAAAAAA-0000-4000-8000-000000000001"
_IDS = {"kochava_app_id": "kogame-ios-ab12", "kochava_device_id": "KD5b085ab00b386", "event_id": "order-4711"}
_COMMON = {
    "usertime": 1760000000,
    "app_version": "1.10.0",
    "device_limit_tracking": False,
    "app_tracking_transparency": {
        "att": True,
        "att_time": 1760000000,
        "att_duration": 2.5,
        "att_detail": "authorized",
    },
    "gdpr_privacy_consent": {
        "gdpr_applies": 1,
        "tc_string": "CPokAsAPokAsA",
        "ad_user_data": 1,
        "ad_personalization": 0,
    },
    "device_ua": "Mozilla/5.0 (X)",
    "origination_ip": "203.0.113.7",
    "device_ver": "iPhone-iOS-17.5",
    "device_ids": {"idfa": _UUID},
}

BODIES: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "event": {
            "action": "event",
            **_IDS,
            "data": {
                **_COMMON,
                "event_name": "Purchase",
                "currency": "EUR",
                "event_data": {"name": "Skis", "price": 149.95},
            },
        },
        "install": {
            "action": "install",
            **_IDS,
            "app_ver": "1.10.0",
            "data": {
                **_COMMON,
                "ad_services_token": "a-token",  # nosec B105 - as good as any
                "adservices_attribution_details": {"attribution": True},
                "iad_attribution_details": {"Version3.1": {"iad-attribution": "true"}},
                "install_referrer": {"referrer": "utm_source=a"},
                "conversion_data": {"campaign": {"id": 7}},
            },
        },
        "update": {"action": "update", **_IDS, "data": {**_COMMON, "idfa": _UUID}},
        "identityLink": {
            "action": "identityLink",
            **_IDS,
            "data": {**_COMMON, "identity_link": {"app_userid": "u-1"}},
        },
    }
)
