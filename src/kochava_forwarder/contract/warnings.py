"""What a publisher should know about an event that is taken all the same: counted, never refused. Pure."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from kochava_forwarder.contract.event import KochavaEvent
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent

STANDARD_EVENTS = frozenset(  # exact names (SDK)
    {
        "Achievement",
        "Add to Cart",
        "Add to Wish List",
        "Checkout Start",
        "Level Complete",
        "Purchase",
        "Rating",
        "Registration Complete",
        "Search",
        "Tutorial Complete",
        "View",
        "Ad View",
        "Push Received",
        "Push Opened",
        "Consent Granted",
        "_Deeplink",
        "Ad Click",
        "Start Trial",
        "Subscribe",
    }
)
LONGEST_NAME = 40  # characters, beyond which no small edit makes a standard event's name
MAX_PARAMETERS = 16  # said by peers, not seen in a page of Kochava's
CLOCK_SKEW = 60  # seconds a device's clock may be ahead before its time counts as the future (OURS)
_APPLE_WITH_ATT = re.compile(r"(?:CPU OS |i(?:Phone |Pad)?OS[-/ _]|tvOS[-/ ])(1[4-9]|[2-9]\d)(?!\d)")


class EventWarning(StrEnum):
    """The warnings; each value is a dimension of the metric ``Warning``."""

    EVENT_NAME_NEAR_STANDARD = "event_name_near_standard"
    ATT_MISSING = "att_missing"
    TOO_MANY_PARAMETERS = "too_many_parameters"
    USERTIME_IN_FUTURE = "usertime_in_future"
    ORIGINATION_IP_EMPTY = "origination_ip_empty"
    DEVICE_UA_EMPTY = "device_ua_empty"
    DEVICE_VER_EMPTY = "device_ver_empty"


def warnings_for(event: KochavaEvent, *, sent_at: int) -> Iterator[EventWarning]:
    """Yield the warnings for a valid event; `sent_at` is when SQS took it, in seconds since 1970."""
    data = event.data
    name = data.event_name
    if len(name) <= LONGEST_NAME and name not in STANDARD_EVENTS and resembles_standard_event(name):
        yield EventWarning.EVENT_NAME_NEAR_STANDARD
    if data.app_tracking_transparency is None:
        user_agent = encode_user_agent(data.device_ua, DeviceUaEncoding.RAW)
        if _APPLE_WITH_ATT.search(f"{user_agent} {data.device_ver}"):
            yield EventWarning.ATT_MISSING
    if isinstance(data.event_data, dict) and len(data.event_data) > MAX_PARAMETERS:
        yield EventWarning.TOO_MANY_PARAMETERS
    if data.usertime > sent_at + CLOCK_SKEW:
        yield EventWarning.USERTIME_IN_FUTURE
    if not data.origination_ip:
        yield EventWarning.ORIGINATION_IP_EMPTY
    if not data.device_ua:
        yield EventWarning.DEVICE_UA_EMPTY
        if not data.device_ver:
            yield EventWarning.DEVICE_VER_EMPTY


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


_SQUEEZED = MappingProxyType({_squeezed(name): name for name in STANDARD_EVENTS})


@lru_cache(maxsize=1024)
def resembles_standard_event(name: str) -> bool:
    """Tell whether `name` is a standard event's but for case, spaces or a small edit.

    Kochava makes a new event of every unknown name, so that a typo silently splits a report (DOC).
    """
    return bool(get_close_matches(_squeezed(name), _SQUEEZED, n=1, cutoff=0.85))
