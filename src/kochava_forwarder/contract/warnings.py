"""What a publisher should know about an event that is taken all the same: counted, never refused. Pure."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from kochava_forwarder.contract.addresses import is_public
from kochava_forwarder.contract.currency import NO_CURRENCY, WITHDRAWN
from kochava_forwarder.contract.event import EventData, KochavaEvent
from kochava_forwarder.contract.event_names import STANDARD_EVENTS, meant_event
from kochava_forwarder.contract.identifiers import FORMS, NotedIdentifiers, is_digest_name, is_other_name
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent

MAX_PARAMETERS = 16  # said by peers, not seen in a page of Kochava's
CLOCK_SKEW = 60  # seconds a device's clock may be ahead before its time counts as the future (OURS)
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # of a signed 64-bit integer, the largest that most readers can hold
_APPLE_WITH_ATT = re.compile(r"(?:CPU OS |i(?:Phone |Pad)?OS[-/ _]|tvOS[-/ ])(1[4-9]|[2-9]\d)(?!\d)")
_DEVICE_VERSION = re.compile(r".+-[^-]+-[^-]+", re.DOTALL)  # the device's name may contain hyphens (DOC)


class EventWarning(StrEnum):
    """The warnings; each value is a dimension of the metric ``Warning``."""

    EVENT_NAME_NEAR_STANDARD = "event_name_near_standard"
    ATT_MISSING = "att_missing"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    INTEGER_TOO_LARGE = "integer_too_large"
    USERTIME_IN_FUTURE = "usertime_in_future"
    CURRENCY_WITHDRAWN = "currency_withdrawn"
    CURRENCY_NONE = "currency_none"
    IDENTIFIER_FORM = "identifier_form"
    IDENTIFIER_NAME = "identifier_name"
    ORIGINATION_IP_EMPTY = "origination_ip_empty"
    ORIGINATION_IP_NOT_PUBLIC = "origination_ip_not_public"
    DEVICE_UA_EMPTY = "device_ua_empty"
    DEVICE_VER_EMPTY = "device_ver_empty"
    DEVICE_VER_FORM = "device_ver_form"


def warnings_for(event: KochavaEvent, *, sent_at: int) -> Iterator[EventWarning]:
    """Yield the warnings for a valid event; `sent_at` is when SQS took it, in seconds since 1970."""
    data = event.data
    if data.event_name not in STANDARD_EVENTS and meant_event(data.event_name):
        yield EventWarning.EVENT_NAME_NEAR_STANDARD
    if isinstance(data.event_data, dict) and len(data.event_data) > MAX_PARAMETERS:
        yield EventWarning.TOO_MANY_PARAMETERS
    if _has_large_integer(data):
        yield EventWarning.INTEGER_TOO_LARGE
    if data.usertime > sent_at + CLOCK_SKEW:
        yield EventWarning.USERTIME_IN_FUTURE
    if data.currency in WITHDRAWN:
        yield EventWarning.CURRENCY_WITHDRAWN
    elif data.currency in NO_CURRENCY:
        yield EventWarning.CURRENCY_NONE
    yield from _about_device(data)
    if not data.device_ids.keys() <= FORMS.keys() or isinstance(data.device_ids, NotedIdentifiers):
        yield from _about_identifiers(data.device_ids)


def _about_device(data: EventData) -> Iterator[EventWarning]:
    if data.app_tracking_transparency is None:
        user_agent = encode_user_agent(data.device_ua, DeviceUaEncoding.RAW)
        if _APPLE_WITH_ATT.search(f"{user_agent} {data.device_ver}"):
            yield EventWarning.ATT_MISSING
    if not data.origination_ip:
        yield EventWarning.ORIGINATION_IP_EMPTY
    elif not is_public(data.origination_ip):
        yield EventWarning.ORIGINATION_IP_NOT_PUBLIC
    if not data.device_ua:
        yield EventWarning.DEVICE_UA_EMPTY
        if not data.device_ver:
            yield EventWarning.DEVICE_VER_EMPTY
    if data.device_ver and not _DEVICE_VERSION.fullmatch(data.device_ver):
        yield EventWarning.DEVICE_VER_FORM


def _has_large_integer(data: EventData) -> bool:
    parameters = data.event_data
    return (isinstance(parameters, dict) and _is_any_large(parameters)) or _is_any_large(data.model_extra or {})


def _is_any_large(values: dict[str, Any]) -> bool:
    return any([type(value) is int and not SMALLEST <= value <= LARGEST for value in values.values()])  # noqa: C419 - a generator costs three times as much


def _about_identifiers(identifiers: dict[str, str]) -> Iterator[EventWarning]:
    noted = identifiers if isinstance(identifiers, NotedIdentifiers) else None
    if (noted and noted.misshapen) or any(map(is_digest_name, identifiers)):
        yield EventWarning.IDENTIFIER_FORM
    if (noted and noted.renamed) or any(map(is_other_name, identifiers)):
        yield EventWarning.IDENTIFIER_NAME
