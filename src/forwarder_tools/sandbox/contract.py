"""What Kochava takes: the rules of its server-to-server API, as tables.

Written from Kochava's public pages alone and sharing nothing with the forwarder, so that the two can
disagree: a sandbox that reused the forwarder's models would call every mistake in them correct.
The tags, and the sections that are named below, are those of docs/kochava-api.md.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from forwarder_tools.sandbox import body as bodies
from forwarder_tools.sandbox import checks
from forwarder_tools.sandbox.checks import Check, Field, optional, required
from forwarder_tools.sandbox.currencies import CURRENCIES

type Headers = list[tuple[str, str]]
type UserAgentForm = Literal["percent", "raw"]

YEAR_2001, YEAR_2101 = 978_307_200, 4_133_980_800
"""Epoch seconds. Milliseconds, a known mistake (PEER), lie far beyond (OURS)."""

RESERVED_KEYS = frozenset(
    {
        "attribution_type",
        "campaign",
        "cracked",
        "creative",
        "fb_campaign",
        "integration_type",
        "integration_version",
        "jailbroken",
        "network",
        "site",
        "source",
    }
)
"""Keys that must not be used in event_data (DOC)."""

UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

# --- section 3: device identifiers --------------------------------------------------------------------------

IDENTIFIERS = frozenset(
    "idfa idfv adid android_id imei mac udid rida fire_adid oaid openudid waid custom".split()  # noqa: SIM905
)
"""Kochava's own names, in lower case; any other key may be used, "or a custom variant" (SEED)."""

DEVICE_IDS: Mapping[str, re.Pattern[str]] = {
    "idfa": re.compile(UUID),
    "idfv": re.compile(UUID),
    "adid": re.compile(UUID),
    "android_id": re.compile(r"[0-9a-fA-F]{1,16}"),
    "imei": re.compile(r"[0-9]{1,20}"),
}
"""Identifiers with a known form. Another form is only as good as none: see `_some_identity`."""

DIGEST_LENGTHS = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}


def _identifier(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: must be a string"
    elif checks.is_placeholder(value):
        yield f"{path}: a placeholder names nobody and must be left out"
    elif value != value.strip():
        yield f"{path}: blanks around it"


def _identifiers(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be an object"
        return
    for name, identifier in value.items():
        place = checks.join(path, name)
        wrong = list(_identifier(place, identifier))
        yield from wrong
        if name.lower() in IDENTIFIERS and name.lower() not in value:
            yield f"{place}: must be named in lower case"
        if not wrong and name in DEVICE_IDS and _is_digest(name, identifier):
            yield f"{place}: hashed, raw is wanted"


def _is_digest(name: str, identifier: str) -> bool:
    if len(identifier) not in DIGEST_LENGTHS or set(identifier.lower()) - set("0123456789abcdef"):
        return False
    return len(identifier) > 32 or name in {"android_id", "imei"}  # noqa: PLR2004 - 32 may be a UUID without dashes


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
    "must be integer epoch seconds from 2001 to 2100", checks.is_integer_between(YEAR_2001, YEAR_2101)
)
_currency = checks.holds("must be an ISO 4217 code in capital letters", lambda value: value in CURRENCIES)

TRACKING: Mapping[str, Field] = {
    "att": required(checks.is_boolean),
    "att_time": optional(_epoch_seconds),
    "att_duration": optional(checks.is_duration),
    "att_detail": optional(
        checks.matches(
            "must be authorized, denied, notDetermined or restricted",
            "authorized|denied|notDetermined|restricted",
        )
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


_kochava_device_id = checks.either("", _identifier)  # "" when unknown, never null, never a placeholder (OURS)


def _device(form: UserAgentForm, need: Callable[[Check], Field]) -> dict[str, Field]:
    """Return what says which device it is; `need` is whether each of them must be there."""
    return {
        "origination_ip": need(checks.holds("must be an IP address", checks.is_ip)),
        "device_ua": need(USER_AGENT[form]),
        "device_ver": need(checks.is_string),  # of any form: real senders put "14.4" or "test" there (PEER)
        "device_ids": need(_identifiers),
    }


def _message(data: dict[str, Field], **top: Field) -> Check:
    """Make the check of a whole message: what every action has, and what this one adds."""
    every = {
        "usertime": required(_epoch_seconds),  # always sent, because a queue adds delay (OURS)
        "app_version": optional(checks.is_string),
        "device_limit_tracking": optional(checks.is_boolean),
        "app_tracking_transparency": optional(checks.shape(TRACKING, others=checks.is_scalar)),
        "gdpr_privacy_consent": optional(checks.shape(CONSENT, others=checks.is_scalar)),
        "event_id": optional(checks.holds("the publisher's own key, not for Kochava", lambda _value: False)),
    }
    return checks.shape(
        {
            "action": optional(checks.is_string),  # which one it is was checked before this table was chosen
            "kochava_app_id": required(checks.is_app_id),
            "kochava_device_id": required(_kochava_device_id),
            "data": required(checks.shape(every | data, others=checks.is_scalar)),  # other keys pass (PEER)
            **top,
        },
        others=checks.is_unknown_key,
    )


@cache
def _event(form: UserAgentForm) -> Check:
    return _message(
        _device(form, required)
        | {
            "event_name": required(checks.is_trimmed),
            "event_data": optional(_event_data),
            "currency": optional(_currency),
        }
    )


# --- section 6: other actions -------------------------------------------------------------------------------


@cache
def _install(form: UserAgentForm) -> Check:
    return _message(
        _device(form, required)
        | {"ad_services_token": optional(checks.is_filled)}
        | {f"{name}_attribution_details": optional(checks.is_object) for name in ("adservices", "iad")}
        | {name: optional(checks.is_object) for name in ("install_referrer", "conversion_data")},
        app_ver=optional(checks.is_string),
    )


@cache
def _update(form: UserAgentForm) -> Check:
    return _message(
        _device(form, optional) | {"idfa": required(_idfa)},
        kochava_device_id=required(_identifier),
    )


def _idfa(path: str, value: object) -> Iterator[str]:
    wrong = list(_identifier(path, value))
    yield from wrong
    if not wrong and not re.fullmatch(UUID, str(value)):
        yield f"{path}: must be a UUID with dashes"


@cache
def _identity_link(form: UserAgentForm) -> Check:
    return _message(_device(form, optional) | {"identity_link": required(_identities)})


def _identities(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, dict) or not value:
        yield f"{path}: must be an object with at least one identity"
        return
    for name, identity in value.items():
        place = checks.join(path, name)
        yield from _identifier(place, identity)
        if isinstance(identity, str) and re.search(r"\S(@|%40)\S+\.\w", identity):
            yield f"{place}: an e-mail address"


# --- rules that look at more than one value -----------------------------------------------------------------

type Event = Mapping[str, Any]
type CrossRule = Callable[[Event], Iterator[str]]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _some_identity(event: Event) -> Iterator[str]:
    given = _object(_object(event.get("data")).get("device_ids"))
    if event.get("kochava_device_id") or any(map(_has_good_form, given, given.values())):
        return
    yield "data.device_ids: no identifier of a known form, and no kochava_device_id either"


def _has_good_form(name: str, identifier: object) -> bool:
    return isinstance(identifier, str) and (name not in DEVICE_IDS or bool(DEVICE_IDS[name].fullmatch(identifier)))


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


# --- the actions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Action:
    """What one value of `action` asks for: the form of the object, and the rules across it."""

    form: Callable[[UserAgentForm], Check]
    across: tuple[CrossRule, ...]


ACTIONS: Mapping[str, Action] = {
    "event": Action(_event, (_some_identity, _currency_in_both_places, _consent_complete)),
    "install": Action(_install, (_some_identity, _consent_complete)),
    "update": Action(_update, (_consent_complete,)),
    "identityLink": Action(_identity_link, (_some_identity, _consent_complete)),
}

# --- section 1: headers -------------------------------------------------------------------------------------


def _header(name: str, wrong: str, test: Callable[[list[str]], bool]) -> Callable[[Headers], Iterator[str]]:
    def check(headers: Headers) -> Iterator[str]:
        if not test([value for key, value in headers if key == name.lower()]):
            yield f"{name}: {wrong}"

    return check


HEADERS = (
    _header("Content-Type", "must be application/json", lambda given: given == ["application/json"]),
    # Kochava would take our HTTP library for the user's device (DOC)
    _header("User-Agent", "must be Unknown", lambda given: given == ["Unknown"]),
    _header("Cookie", "must not be sent", lambda given: not given),
    _header("Content-Length", "must be sent once", lambda given: len(given) == 1),
)

# --- the whole ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Contract:
    """The rules with their one setting.

    Attributes:
        user_agent: how `device_ua` must be written: `percent` (encoded once) or `raw`.
    """

    user_agent: UserAgentForm = "percent"

    def read(self, headers: Headers, body: bytes) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """Read a request and find all its problems at once.

        Args:
            headers: names in lower case with their values, in order of arrival.
            body: the exact bytes.

        Returns:
            The event (None when the body holds none) and the problems, each `path: what is wrong`.
        """
        event, problems = bodies.read(body)
        found = [problem for check in HEADERS for problem in check(headers)]
        found += problems
        if event is not None:
            found += self._event_problems(event)
        return event, tuple(found)

    def _event_problems(self, event: dict[str, Any]) -> Iterator[str]:
        name = event.get("action")
        action = ACTIONS.get(name) if isinstance(name, str) else None
        if action is None:
            yield f"action: must be one of {', '.join(ACTIONS)}"
            return
        yield from action.form(self.user_agent)("", event)
        for rule in action.across:
            yield from rule(event)
