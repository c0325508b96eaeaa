"""What a publisher should know about an event that is taken all the same: counted, never refused. Pure."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from kochava_forwarder.contract.addresses import is_public
from kochava_forwarder.contract.currency import NO_CURRENCY, WITHDRAWN
from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.identifiers import FORMS, NotedIdentifiers, is_digest_name, is_other_name
from kochava_forwarder.contract.models import SHAPES, Data, EventData, Install, KochavaEvent
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.placeholders import is_unfilled
from kochava_forwarder.contract.standard_events import PARAMETER_TYPES, STANDARD_EVENTS
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent

MAX_PARAMETERS = 16  # said by peers, not seen in a page of Kochava's
CLOCK_SKEW = 60  # seconds a device's clock may be ahead before its time counts as the future (OURS)
SMALLEST, LARGEST = -(2**63), 2**63 - 1  # of a signed 64-bit integer, the largest that most readers can hold
_REVENUE = frozenset({"sum", "price", "currency"})  # parameters that count in every event (SDK)
_PARAMETERS = frozenset(PARAMETER_TYPES)
# The fields of a message by its action, and parameters, as `squeezed` writes them.
_FIELDS = {
    action: frozenset(map(squeezed, {*shape.known} - {"action", "data"})) for action, shape in SHAPES.items()
}
_LETTERS = {names: frozenset(map(squeezed, names)) for names in (_REVENUE, _PARAMETERS)}
_APPLE_WITH_ATT = re.compile(r"(?:CPU OS |i(?:Phone |Pad)?OS[-/ _]|tvOS[-/ ])(1[4-9]|[2-9]\d)(?!\d)")
_DEVICE_VERSION = re.compile(r".+-[^-]+-[^-]+", re.DOTALL)  # the device's name may contain hyphens (DOC)


class EventWarning(StrEnum):
    """The warnings; each value is a dimension of the metric ``Warning``."""

    EVENT_NAME_NEAR_STANDARD = "event_name_near_standard"
    EVENT_NAME_PLACEHOLDER = "event_name_placeholder"
    ATT_MISSING = "att_missing"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    PARAMETER_TYPE = "parameter_type"
    INTEGER_TOO_LARGE = "integer_too_large"
    KEY_NEAR_FIELD = "key_near_field"
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
    APP_VER_EMPTY = "app_ver_empty"


def warnings_for(event: KochavaEvent, *, sent_at: int) -> Iterator[EventWarning]:
    """Yield the warnings for a valid event; `sent_at` is when SQS took it, in seconds since 1970."""
    data = event.data
    if isinstance(data, EventData):
        yield from _about_event(data)
    elif isinstance(event, Install) and not event.app_ver:
        yield EventWarning.APP_VER_EMPTY
    if data.app_tracking_transparency is None and _wants_att(data):
        yield EventWarning.ATT_MISSING
    if not (data.origination_ip and data.device_ua):
        yield from _about_what_is_not_known(data)
    if data.usertime > sent_at + CLOCK_SKEW:
        yield EventWarning.USERTIME_IN_FUTURE
    if data.origination_ip and not is_public(data.origination_ip):
        yield EventWarning.ORIGINATION_IP_NOT_PUBLIC
    if data.device_ver and not _DEVICE_VERSION.fullmatch(data.device_ver):
        yield EventWarning.DEVICE_VER_FORM
    identifiers = data.device_ids
    if identifiers and (not identifiers.keys() <= FORMS.keys() or isinstance(identifiers, NotedIdentifiers)):
        yield from _about_identifiers(identifiers)
    if (extra := data.model_extra) and any(map(_is_large, extra.values())):
        yield EventWarning.INTEGER_TOO_LARGE
    yield from _about_keys(event)


def _about_event(data: EventData) -> Iterator[EventWarning]:
    is_standard = data.event_name in STANDARD_EVENTS
    if not is_standard and meant_event(data.event_name):
        yield EventWarning.EVENT_NAME_NEAR_STANDARD
    elif not is_standard and is_unfilled(data.event_name):
        yield EventWarning.EVENT_NAME_PLACEHOLDER
    parameters = data.event_data
    if isinstance(parameters, dict):
        if len(parameters) > MAX_PARAMETERS:
            yield EventWarning.TOO_MANY_PARAMETERS
        yield from _about_parameters(parameters, PARAMETER_TYPES if is_standard else {})
    if data.currency in WITHDRAWN:
        yield EventWarning.CURRENCY_WITHDRAWN
    elif data.currency in NO_CURRENCY:
        yield EventWarning.CURRENCY_NONE


def _about_keys(event: KochavaEvent) -> Iterator[EventWarning]:
    """Yield once if Kochava takes a key for the publisher's own that is a field's but for case, ``_`` or ``-``."""
    data = event.data
    if (extra := data.model_extra) and not _FIELDS[event.action].isdisjoint(map(squeezed, extra)):
        yield EventWarning.KEY_NEAR_FIELD
    elif isinstance(data, EventData) and isinstance(data.event_data, dict):
        known = _PARAMETERS if data.event_name in STANDARD_EVENTS else _REVENUE
        if not _LETTERS[known].isdisjoint(map(squeezed, data.event_data.keys() - known)):
            yield EventWarning.KEY_NEAR_FIELD


def _is_large(value: Any) -> bool:
    return type(value) is int and not SMALLEST <= value <= LARGEST


def _about_parameters(
    parameters: Mapping[str, Any], types: Mapping[str, tuple[type[Any], ...]]
) -> Iterator[EventWarning]:
    large = other = False
    for name, value in parameters.items():
        kind = type(value)
        if kind is int and not SMALLEST <= value <= LARGEST:
            large = True
        if name in types and kind not in types[name] and value is not None:
            other = True
    if large:
        yield EventWarning.INTEGER_TOO_LARGE
    if other:
        yield EventWarning.PARAMETER_TYPE


def _wants_att(data: Data) -> bool:
    user_agent = encode_user_agent(data.device_ua or "", DeviceUaEncoding.RAW)
    return _APPLE_WITH_ATT.search(f"{user_agent} {data.device_ver}") is not None


def _about_what_is_not_known(data: Data) -> Iterator[EventWarning]:
    """Yield what the publisher said not to know; an update and a link need not say it."""
    if data.origination_ip == "":
        yield EventWarning.ORIGINATION_IP_EMPTY
    if data.device_ua == "":
        yield EventWarning.DEVICE_UA_EMPTY
        if not data.device_ver:
            yield EventWarning.DEVICE_VER_EMPTY


def _about_identifiers(identifiers: dict[str, str]) -> Iterator[EventWarning]:
    noted = identifiers if isinstance(identifiers, NotedIdentifiers) else None
    if (noted and noted.misshapen) or any(map(is_digest_name, identifiers)):
        yield EventWarning.IDENTIFIER_FORM
    if (noted and noted.renamed) or any(map(is_other_name, identifiers)):
        yield EventWarning.IDENTIFIER_NAME
