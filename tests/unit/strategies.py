"""Events and answers for the tests of the pure rules: good ones, and ones that are nearly good."""

import copy
import json
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.kochava.payload import encode_payload

type Json = Any
type Event = dict[str, Json]

SENT_AT: Final = 1_760_000_000
NOON: Final = 1_521_574_016  # 2018-03-20T19:26:56Z
UUID: Final = "07F5A855-1375-4E51-9F15-0EFD4E5C84F4"
ZERO_UUID: Final = "00000000-0000-0000-0000-000000000000"


class _Gone:
    """Stands where a field is left out; has one name in every process, so that tests can run side by side."""

    def __repr__(self) -> str:
        return "gone"


GONE: Final[Any] = _Gone()
# The headers of a request to Kochava that are right, for the sandbox's own check of the contract.
HEADERS: Final = [("content-type", "application/json"), ("user-agent", "Unknown"), ("content-length", "1")]

# What every event must say, and no more: here each rule about what is left out can be shown.
MINIMAL: Final[Event] = {
    "kochava_app_id": "kotest-app-1",
    "data": {
        "device_ids": {"custom": "fake-0001"},
        "device_ua": "Mozilla/5.0 (Fake)",
        "origination_ip": "203.0.113.7",
        "event_name": "View",
    },
}
# Every field of the contract.
FULL: Final[Event] = {
    "action": "event",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "event_id": "order-1",
    "data": {
        "usertime": 1_521_574_016,
        "app_version": "1.0.0",
        "device_ver": "SM-J727A-Android-7.0.0",
        "device_ids": {"idfa": UUID, "idfv": UUID, "adid": UUID, "android_id": "9774d56d682e549c", "imei": "3569"},
        "device_ua": "Mozilla/5.0 (Fake)",
        "origination_ip": "203.0.113.7",
        "currency": "USD",
        "device_limit_tracking": False,
        "app_tracking_transparency": {
            "att": True,
            "att_time": 1_521_574_000,
            "att_duration": 2.5,
            "att_detail": "authorized",
        },
        "gdpr_privacy_consent": {"gdpr_applies": 1, "tc_string": "t", "ad_user_data": 1, "ad_personalization": 0},
        "event_name": "Purchase",
        "event_data": {"currency": "USD", "name": "Skis / été", "sum": 150, "price": 9.99, "completed": True},
        "locale": "fr_FR",
    },
}

# What every other action must say, and no more.
INSTALL: Final[Event] = {
    "action": "install",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "app_ver": "1.0.0",
    "data": {
        "device_ids": {"custom": "fake-0001"},
        "device_ua": "Mozilla/5.0 (Fake)",
        "origination_ip": "203.0.113.7",
    },
}
UPDATE: Final[Event] = {
    "action": "update",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "data": {"idfa": UUID},
}
LINK: Final[Event] = {
    "action": "identityLink",
    "kochava_app_id": "kotest-app-1",
    "kochava_device_id": "KD0001",
    "data": {"identity_link": {"app_userid": "u-1"}},
}


def examples(number: int) -> settings:
    """Returns the settings of a property: the same examples in every run, no file kept, no clock."""
    return settings(derandomize=True, max_examples=number, deadline=None, database=None)


def changed(changes: Event, event: Event = MINIMAL) -> Event:
    """Returns a copy of the event with new values at dotted paths; `GONE` takes a key away."""
    result = copy.deepcopy(event)
    for path, value in changes.items():
        *above, last = path.split(".")
        place = result
        for key in above:
            place = place.setdefault(key, {})
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return result


def at(event: Event, path: str) -> Any:
    """Return what stands at a dotted path of an event; `GONE` where nothing does."""
    place: Any = event
    for key in path.split("."):
        place = place.get(key, GONE) if isinstance(place, dict) else GONE
    return place


def flat(event: Event) -> Event:
    """Write an event in the form of 2018: all but the event's name and data beside `action`."""
    inside = {key: value for key, value in event["data"].items() if key in ("event_name", "event_data", "locale")}
    beside = {key: value for key, value in event["data"].items() if key not in inside}
    return event | beside | {"data": inside}


def read(body: str | Event, *, default_app_id: str | None = None) -> KochavaEvent:
    """Parses a body, or an event printed as JSON, as the forwarder does."""
    text = body if isinstance(body, str) else json.dumps(body)
    return parse_event(text, sent_at=SENT_AT, default_app_id=default_app_id)


def problems(body: str | Event, *, default_app_id: str | None = None) -> str:
    """Return why a body is refused, as the dead letter says it."""
    with pytest.raises(InvalidEventError) as refused:
        read(body, default_app_id=default_app_id)
    return str(refused.value)


def sent(body: str | Event, encoding: DeviceUaEncoding = DeviceUaEncoding.RAW, app_id: str | None = None) -> Event:
    """Returns what Kochava gets for a body."""
    payload: Event = json.loads(encode_payload(read(body, default_app_id=app_id), encoding))
    return payload


# --- events -------------------------------------------------------------------------------------------------

_KEYS = st.text(max_size=4) | st.sampled_from(
    [
        *(*MINIMAL, *FULL, *FULL["data"], *FULL["data"]["device_ids"], *FULL["data"]["event_data"]),
        *("att", "att_time", "gdpr_applies", "tc_string", "network", "rida", "usertimes", "event-name"),
        *("app_ver", "identity_link", "install_referrer", "conversion_data", "ad_services_token"),
        *("IDFA", " imei", "Adid", "gaid", "idfa_sha1", "app_ver"),
        *("", "_", "été", "self", "model_dump", "__class__", "a@b.example", UUID),
    ]
)
_ODD: list[Json] = [
    *(None, True, False, 0, 1, 2, -1, 0.0, 1.0, 1.5, 1e300, float("inf"), float("nan"), 10**20, 10**400),
    *("", " ", "\x1c", "0", "0000", ZERO_UUID, UUID, UUID.replace("-", ""), "9.99", "\ud800", "é/🎿", "\x7f\\"),
    *(1_521_574_016, 1_521_574_016_000, "1521574016", "1521574016000", 978_307_199, 4_102_444_800),
    *("2018-03-20T19:26:56+01:00", "2018-03-20T19:26:56", "0001-01-01T00:00:00+23:59", "20180320T192656Z"),
    *("203.0.113.7", "2001:db8::1", "fe80::1%eth0", "203.0.113.007", "USD", "usd", "eur", "USDT", "U S"),
    *("iPhone-iOS-13.6.0", "iPhone-iOS", "authorized", "event", "install", "Purchase", "purchases", "a@b.example"),
    *("Mozilla%2F5.0%20(X)", "Mozilla%252F5.0%2520(X)", "Mozilla%2F5.0+%28X%29", "My%20App/1 X", "%FF", "%", "+"),
    *("null", "(null)", "Undefined", "<idfa>", "{idfa}", "[object Object]", "unknown", "N/A", "-"),
    *("a9993e364706816aba3e25717850c26c9cd0d89d", "900150983cd24fb0d6963f7d28e17f72", f" {UUID}\n"),
    *("0.0.0.0", "::", "::ffff:203.0.113.7", "[::1]:80", "203.0.113.7:80", "10.0.0.1, 10.0.0.2"),  # noqa: S104
    *("true", "FALSE", "1", "not_determined", "XXX", "hrk", "1.50", " 2e3", "2018-03-20 19:26:56 UTC", 2**63),
    *("Mozilla/5.0+(X;+Y)", "X%3B%2BY", "[]", '{"a": 1}', '{"sum": "9.50", "currency": ""}', '{"a": {}}', "{"),
    *([], {}, [[]], [UUID], {"a": 1}, {"currency": "EUR"}, {"network": "x"}, {"a": {"b": 1}}),
]
_VALUES = (
    st.sampled_from(_ODD)
    | st.text(max_size=12)
    | st.text("%+2F5a/ é", max_size=12)
    | st.integers()
    | st.floats()
    | st.dictionaries(_KEYS, st.sampled_from(_ODD), max_size=3)
)


@st.composite
def nearly_valid(draw: st.DrawFn, *, mistakes: int = 3) -> Event:
    """A good event, with up to so many keys dropped, replaced, renamed, copied or moved elsewhere."""
    event = copy.deepcopy(draw(st.sampled_from([MINIMAL, FULL, FULL, INSTALL, UPDATE, LINK])))
    for _ in range(draw(st.integers(0, mistakes))):
        places = [place for place in _objects(event) if place] or [event | {"": None}]
        place = draw(st.sampled_from(places))
        key = draw(st.sampled_from(sorted(place)))
        match draw(st.sampled_from(["drop", "replace", "rename", "copy", "move", "add"])):
            case "drop":
                del place[key]
            case "replace":
                place[key] = copy.deepcopy(draw(_VALUES))
            case "rename":
                place[draw(_KEYS)] = place.pop(key)
            case "copy":
                draw(st.sampled_from(places))[key] = copy.deepcopy(place[key])
            case "move":
                value = place.pop(key)
                draw(st.sampled_from(places))[key] = value
            case _:
                place[draw(_KEYS)] = copy.deepcopy(draw(_VALUES))
    return event


def _objects(node: Json) -> list[Event]:
    if not isinstance(node, dict):
        return []
    return [node, *(inner for value in node.values() for inner in _objects(value))]


def bodies() -> st.SearchStrategy[str]:
    """Message bodies: nearly good ones, also cut or with a piece of them doubled, JSON values, any text."""
    printed = nearly_valid().map(json.dumps) | nearly_valid().map(lambda event: json.dumps(event, indent=1))
    values = st.recursive(_VALUES, lambda inner: st.lists(inner) | st.dictionaries(_KEYS, inner), max_leaves=8)
    return printed | _damaged(printed) | values.map(json.dumps) | st.text(st.characters(exclude_categories=()))


@st.composite
def _damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    text = draw(texts)
    start, end = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    return text[:start] + draw(st.sampled_from(["", text[start:end] * 2, '"', "\ud800", "\x00"])) + text[end:]


USER_AGENTS = (
    st.sampled_from(
        ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "okhttp/4.9", "My%20App/1 CFNetwork/1"]
    )
    | st.text("%+2F50a/ é;()~", max_size=30)
    | st.text(max_size=30)
)
