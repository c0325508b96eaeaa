"""What each action of Kochava's asks for, as tables.

The tags, and the sections that are named below, are those of docs/kochava-api.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from forwarder_tools.sandbox import checks, identifiers
from forwarder_tools.sandbox.checks import Check, Field, optional, required
from forwarder_tools.sandbox.currencies import CURRENCIES

type UserAgentForm = Literal["percent", "raw"]

YEAR_2001, YEAR_2100 = 978_307_200, 4_102_444_800
"""Epoch seconds. Milliseconds, a known mistake (PEER), lie far beyond (OURS)."""

_RESERVED = """attribution_type campaign cracked creative fb_campaign integration_type integration_version
jailbroken network site source"""
RESERVED_KEYS = frozenset(_RESERVED.split())
"""Keys that must not be used in event_data (DOC)."""

# --- section 5: event_data ----------------------------------------------------------------------------------


def _event_data(path: str, value: object) -> Iterator[str]:
    if isinstance(value, str):  # the legacy form (SEED)
        if _is_json_object(value):
            yield f"{path}: an object printed as text"
        return
    if not isinstance(value, dict):
        yield f"{path}: must be a flat object or a string"
        return
    for key, inner in value.items():
        if key in RESERVED_KEYS:
            yield f"{checks.join(path, key)}: reserved by Kochava"
        if key in {"sum", "price"} and not checks.is_number(inner):  # revenue (SDK)
            yield f"{checks.join(path, key)}: must be a number"
        else:
            yield from checks.is_scalar(checks.join(path, key), inner)


def _is_json_object(text: str) -> bool:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) or value == []


# --- section 2: the event on the wire -----------------------------------------------------------------------

_epoch_seconds = checks.holds(
    "must be integer epoch seconds from 2001 to 2099", checks.is_integer_between(YEAR_2001, YEAR_2100)
)
_currency = checks.holds("must be an ISO 4217 code in capital letters", lambda value: value in CURRENCIES)

_ATT_DETAILS = ("authorized", "denied", "notDetermined", "restricted")

TRACKING: Mapping[str, Field] = {
    "att": required(checks.is_boolean),
    "att_time": optional(_epoch_seconds),
    "att_duration": optional(checks.is_duration),
    "att_detail": optional(
        checks.holds(f"must be one of {', '.join(_ATT_DETAILS)}", lambda value: value in _ATT_DETAILS)
    ),
}
"""app_tracking_transparency (DOC)."""

CONSENT: Mapping[str, Field] = {
    "gdpr_applies": optional(checks.is_bit),
    "tc_string": optional(checks.is_filled),
    "ad_user_data": optional(checks.is_bit),
    "ad_personalization": optional(checks.is_bit),
}
"""gdpr_privacy_consent (DOC)."""

USER_AGENT: Mapping[UserAgentForm, Check] = {"percent": checks.percent_encoded, "raw": checks.raw}
"""SEED says URL-encoded, DOC samples are raw: OURS is a setting."""

EVERY_MESSAGE: Mapping[str, Field] = {
    "usertime": required(_epoch_seconds),  # always sent, because a queue adds delay (OURS)
    "app_version": optional(checks.is_string),
    "device_limit_tracking": optional(checks.is_boolean),
    "app_tracking_transparency": optional(checks.shape(TRACKING, others=checks.is_scalar)),
    "gdpr_privacy_consent": optional(checks.shape(CONSENT, others=checks.is_scalar)),
    "event_id": optional(checks.holds("the publisher's own key, not for Kochava", lambda _value: False)),
}
"""What `data` has, whatever the action."""

# --- rules that look at more than one value -----------------------------------------------------------------

type Event = Mapping[str, Any]
type CrossRule = Callable[[Event], Iterator[str]]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _some_identity(event: Event) -> Iterator[str]:
    given = _object(_object(event.get("data")).get("device_ids"))
    if event.get("kochava_device_id") or any(map(identifiers.has_good_form, given, given.values())):
        return
    yield "data.device_ids: no identifier of a known form, and no kochava_device_id either"


def _currency_in_both_places(event: Event) -> Iterator[str]:
    data = _object(event.get("data"))
    parameters = data.get("event_data")
    if isinstance(parameters, dict) and parameters and data.get("currency") != parameters.get("currency"):
        yield "data.event_data.currency: must be the same as data.currency"


def _consent_complete(event: Event) -> Iterator[str]:
    data = _object(event.get("data"))
    if "gdpr_privacy_consent" not in data:
        return
    path, consent = "data.gdpr_privacy_consent", _object(data["gdpr_privacy_consent"])
    if not data.get("origination_ip") and "gdpr_applies" not in consent:
        yield f"{path}.gdpr_applies: missing, and there is no origination_ip to tell"
    if "tc_string" not in consent and not {"ad_user_data", "ad_personalization"} <= consent.keys():
        yield f"{path}.tc_string: missing, and so is ad_user_data or ad_personalization"


# --- the actions, section 6 for all but the first -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """What one value of `action` asks for besides what every message has.

    Attributes:
        device: whether `data` must say which device it is.
        data: more keys of `data`.
        across: the rules that look at more than one value.
        top: more keys beside `data`.
    """

    device: Callable[[Check], Field]
    data: Mapping[str, Field]
    across: tuple[CrossRule, ...]
    top: Mapping[str, Field] = field(default_factory=dict)


ACTIONS: Mapping[str, Action] = {
    "event": Action(
        required,
        {
            "event_name": required(checks.is_trimmed),
            "event_data": optional(_event_data),
            "currency": optional(_currency),
        },
        (_some_identity, _currency_in_both_places, _consent_complete),
    ),
    "install": Action(
        required,
        {
            "ad_services_token": optional(checks.is_filled),
            "adservices_attribution_details": optional(checks.is_object),
            "iad_attribution_details": optional(checks.is_object),
            "install_referrer": optional(checks.is_object),
            "conversion_data": optional(checks.is_object),
        },
        (_some_identity, _consent_complete),
        {"app_ver": optional(checks.is_string)},
    ),
    "update": Action(
        optional,
        {"idfa": required(identifiers.idfa)},
        (_consent_complete,),
        {"kochava_device_id": required(identifiers.identifier)},
    ),
    "identityLink": Action(
        optional,
        {"identity_link": required(identifiers.identities)},
        (_some_identity, _consent_complete),
    ),
}


@cache
def form(name: str, user_agent: UserAgentForm) -> Check:
    """Return the check of a whole message of the action of this name."""
    action = ACTIONS[name]
    device = {
        "origination_ip": action.device(checks.holds("must be an IP address", checks.is_ip)),
        "device_ua": action.device(USER_AGENT[user_agent]),
        "device_ver": action.device(checks.is_string),  # of any form: real senders put "14.4" there (PEER)
        "device_ids": action.device(identifiers.device_ids),
    }
    data = {**EVERY_MESSAGE, **device, **action.data}
    message = {
        "action": optional(checks.is_string),  # which one it is was checked before this table was chosen
        "kochava_app_id": required(checks.is_app_id),
        "kochava_device_id": required(identifiers.identifier_or_none),
        "data": required(checks.shape(data, others=checks.is_scalar)),  # other keys pass (PEER)
    }
    return checks.shape({**message, **action.top}, others=checks.is_unknown_key)
