"""What each field of a message is, for people. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Field(NamedTuple):
    """A field: what it is called, what it says, the tags of its sources, and examples other than its rule's."""

    title: str
    description: str
    source: str
    examples: tuple[Any, ...] = ()


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "action": Field("Action", "What the message says.", "DOC"),
        "kochava_app_id": Field(
            "App GUID", "Your app, as Kochava names it; needed unless the stack's `KochavaAppId` does.", "SEED"
        ),
        "kochava_device_id": Field("Device id", "Kochava's or your own id of the app's installation.", "SEED"),
        "event_id": Field("Idempotency key", "Your own key of the message; not sent to Kochava.", "OURS"),
        "app_ver": Field(
            "App version of an install",
            "Where Kochava reads it; if missing, null or empty, `app_version` is put there.",
            "DOC",
        ),
        "data": Field(
            "Data", "What is said; every field of it but those of the event may stand beside it.", "DOC"
        ),
        "usertime": Field(
            "Time", "When it happened; if missing, null, empty or a placeholder, when SQS took the message.", "DOC"
        ),
        "app_version": Field("App version", "The version of the app.", "DOC"),
        "device_limit_tracking": Field("Limited tracking", "Whether the user limits ad tracking.", "PEER"),
        "app_tracking_transparency": Field("ATT", "Apple's consent; say it on iOS and tvOS from 14 on.", "DOC"),
        "gdpr_privacy_consent": Field("GDPR", "Google's DMA consent, for the EEA.", "DOC"),
        "device_ua": Field("User agent", "The user's, not your server's.", "SEED"),
        "origination_ip": Field("Address", "The user's, not your server's.", "SEED"),
        "device_ver": Field(
            "Device",
            "`<device>-<os>-<version>`; say it when there is no user agent. Any other text is sent as it is.",
            "SEED, DOC",
            ("iPhone-iOS-17.5", "SM-J727A-Android-7.0.0", "14.4", 15),
        ),
        "device_ids": Field("Identifiers", "What names the device.", "SEED"),
        "event_name": Field("Event name", "What happened.", "SEED"),
        "currency": Field("Currency", "Of the event's amounts; sent here and in `event_data`.", "DOC"),
        "event_data": Field("Parameters", "What else is to be said of the event.", "SEED"),
        "ad_services_token": Field("Token of Apple's AdServices", "For Kochava to exchange.", "DOC"),
        "adservices_attribution_details": Field(
            "AdServices", "What Apple's AdServices says of the install.", "DOC"
        ),
        "iad_attribution_details": Field("iAd", "What Apple's iAd says of the install.", "DOC"),
        "install_referrer": Field("Install referrer", "What the store says of the install.", "DOC"),
        "conversion_data": Field("Conversion data", "What a network says of the install.", "DOC"),
        "idfa": Field("IDFA", "Became known after Apple's consent.", "PEER"),
        "identity_link": Field("Identities", "What you call the user of the device.", "SDK"),
        "att": Field("Consent", "Whether the user consented.", "DOC"),
        "att_time": Field("Time of the answer", "When the user answered.", "DOC"),
        "att_duration": Field("Duration", "Seconds that the user took to answer.", "DOC"),
        "att_detail": Field("Status", "Apple's word for the answer.", "DOC"),
        "gdpr_applies": Field("GDPR applies", "Needed when there is no address.", "DOC"),
        "tc_string": Field("TC string", "Needed unless both other flags are there.", "DOC"),
        "ad_user_data": Field("Use of data", "Whether the user allows it for ads.", "DOC"),
        "ad_personalization": Field("Personalization", "Whether the user allows it for ads.", "DOC"),
    }
)
