"""The publishers' contract: a message body -> KochavaEvent, or InvalidEventError with every problem. Pure.

The body is read strictly, brought to the nested form, and validated by the models below; the rules that look at
more than one field follow. Facts about Kochava carry the tags of their source: SEED (Kochava, "Post-Install
Event Setup", 2018), DOC (other Kochava pages), SDK (Kochava's own SDKs), OURS (decided here).
"""

import math
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import Annotated, Any, Literal, Never

from pydantic import BaseModel, ConfigDict, PlainValidator, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from kochava_forwarder import strictjson
from kochava_forwarder.strictjson import Path, RepeatedKeys

type Problem = tuple[Path, str]

DEEPEST = 2  # keys above an object that the contract allows, as in data.event_data
MAX_USER_AGENT = 8192  # bytes, an escape being one; more than any server takes in a header line (OURS)
MAX_SHOWN = 50  # problems in one message; a detail has room for about 20
MANY_PROBLEMS = 100  # beyond which no key is guessed: each guess takes a while
MAX_TIME_DIGITS = 13  # milliseconds; whole seconds have 10
EARLIEST, LATEST = 978_307_200, 4_102_444_800  # 2001-01-01 and 2100-01-01 (OURS)
RESERVED_PARAMETERS = frozenset(  # must not be used in event_data (DOC)
    {
        "network",
        "source",
        "fb_campaign",
        "campaign",
        "site",
        "creative",
        "attribution_type",
        "integration_type",
        "integration_version",
        "cracked",
        "jailbroken",
    }
)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
IDENTIFIER_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = MappingProxyType(
    {
        "idfa": (_UUID, "a UUID with dashes"),
        "idfv": (_UUID, "a UUID with dashes"),
        "adid": (_UUID, "a UUID with dashes"),
        "android_id": (re.compile(r"[0-9A-Fa-f]+"), "hexadecimal digits"),
        "imei": (re.compile(r"[0-9]+"), "digits"),
    }
)
_ZERO = re.compile(r"[0\s:-]*")  # what a device says when its user limits ad tracking, or nothing at all
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_DEVICE_VERSION = re.compile(r"|.+-[^-]+-[^-]+")  # the device's name may contain hyphens (DOC)


class InvalidEventError(Exception):
    """The body breaks the contract; the message lists every problem as ``path: what is wrong``, and no value."""

    def __init__(self, problems: list[Problem]) -> None:
        shown = [f"{_in_words(path)}: {problem}" for path, problem in problems[:MAX_SHOWN]]
        more = len(problems) - len(shown)
        super().__init__("; ".join(shown) + (f"; and {more} more" if more else ""))


def _refuse(*problems: Problem) -> Never:
    raise PydanticCustomError("problems", "see the context", {"problems": problems})


def _usertime(value: Any) -> int:
    match value:
        case bool() | float():
            _refuse(((), "must be whole seconds since 1970"))
        case int():
            seconds = value
        case str() if value.isascii() and value.isdecimal() and len(value) <= MAX_TIME_DIGITS:
            seconds = int(value)
        case str():
            seconds = _from_iso_8601(value)
        case _:
            _refuse(((), "must be seconds since 1970 or an ISO 8601 date and time with its zone"))
    if 10**12 <= seconds < 10**13:  # 13 digits: milliseconds
        seconds //= 1000
    if not EARLIEST <= seconds < LATEST:
        _refuse(((), "must lie between 2001 and 2100"))
    return seconds


def _from_iso_8601(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _refuse(((), "must be seconds since 1970 or an ISO 8601 date and time with its zone"))
    if moment.tzinfo is None:
        _refuse(((), "must name its time zone"))
    return math.floor(moment.timestamp())


def _ip_address(value: Any) -> str:
    if not isinstance(value, str):
        _refuse(((), "must be a string"))
    if value and not _is_ip_address(value):
        _refuse(((), 'must be an IPv4 or IPv6 address, or "" when unknown'))
    return value


def _is_ip_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):  # `ipaddress` does the same ten times slower
        with suppress(OSError, ValueError):
            socket.inet_pton(family, text)
            return True
    return False


def _user_agent(value: Any) -> str:
    if not isinstance(value, str):
        _refuse(((), "must be a string"))
    if (
        len(value) > MAX_USER_AGENT // 4
        and len(_ESCAPE.sub(b"x", value.encode(errors="replace"))) > MAX_USER_AGENT
    ):
        _refuse(((), f"must have at most {MAX_USER_AGENT} bytes"))
    return value


def _device_ver(value: Any) -> str:
    if not isinstance(value, str) or not _DEVICE_VERSION.fullmatch(value):
        _refuse(((), 'must be "", or <device>-<os>-<os version> as in iPhone-iOS-13.6.0'))
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        _refuse(((), "must be a three-letter ISO 4217 code"))
    return value.upper()


def _scalar_problem(value: Any) -> str | None:
    match value:
        case None | str() | bool():
            return None
        case int() | float():
            try:
                finite = math.isfinite(value)
            except OverflowError:
                finite = False
            return None if finite else "must be a finite number"
        case _:
            return "must be a string, a number, true, false or null (nothing nested)"


def _scalar(value: Any) -> Any:
    if problem := _scalar_problem(value):
        _refuse(((), problem))
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or _scalar_problem(value):
        _refuse(((), "must be a finite number"))
    return value


def _parameters(value: Any) -> dict[str, Any] | str:
    """Checks ``event_data``: flat (SEED), or the legacy bare string (SEED)."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        _refuse(((), "must be an object, or a string"))
    problems = [((name,), "is reserved by Kochava") for name in value if name in RESERVED_PARAMETERS]
    problems += [((name,), problem) for name, item in value.items() if (problem := _scalar_problem(item))]
    problems += [
        ((name,), "must be a number")
        for name in ("sum", "price")  # revenue (SDK)
        if name in value and (isinstance(value[name], bool) or not isinstance(value[name], int | float))
    ]
    cleaned = dict(value)
    if value.get("currency") is not None:
        try:
            cleaned["currency"] = _currency(value["currency"])
        except PydanticCustomError:
            problems.append((("currency",), "must be a three-letter ISO 4217 code"))
    if problems:
        _refuse(*problems)
    return cleaned


def _identifies_nobody(identifier: Any) -> bool:
    return isinstance(identifier, str) and bool(_ZERO.fullmatch(identifier))


def _device_ids(value: Any) -> dict[str, str]:
    """Checks ``device_ids`` and leaves out what identifies nobody: empty and all-zero identifiers (OURS)."""
    if not isinstance(value, dict):
        _refuse(((), "must be an object"))
    problems: list[Problem] = []
    identifiers: dict[str, str] = {}
    for name, identifier in value.items():
        if not isinstance(identifier, str):
            problems.append(((name,), "must be a string"))
        elif not name.strip():
            problems.append(((name,), "an identifier needs a name"))
        elif not _identifies_nobody(identifier):
            form = IDENTIFIER_FORMS.get(name)
            if form and not form[0].fullmatch(identifier):
                problems.append(((name,), f"must be {form[1]}"))
            identifiers[name] = identifier
    if problems:
        _refuse(*problems)
    return identifiers


def _flag(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1):
        _refuse(((), "must be 0 or 1"))
    return value


def _duration(value: Any) -> int | float:
    seconds = _number(value)
    if seconds < 0:
        _refuse(((), "must not be negative"))
    return seconds


def _epoch_seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST <= value < LATEST:
        _refuse(((), "must be whole seconds since 1970, between 2001 and 2100"))
    return value


type _NonEmpty = Annotated[str, StringConstraints(pattern=r"[^\s\x00-\x1f]")]
type _Flag = Annotated[int, PlainValidator(_flag)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", hide_input_in_errors=True)


class AppTrackingTransparency(_Part):
    """Apple's consent; without it Kochava assumes none on iOS 14+ and drops the IDFA (DOC)."""

    att: bool
    att_time: Annotated[int, PlainValidator(_epoch_seconds)] | None = None
    att_duration: Annotated[int | float, PlainValidator(_duration)] | None = None
    att_detail: Literal["authorized", "denied", "notDetermined", "restricted"] | None = None


class GdprPrivacyConsent(_Part):
    """Google's DMA consent for the EEA (DOC)."""

    gdpr_applies: _Flag | None = None
    tc_string: _NonEmpty | None = None
    ad_user_data: _Flag | None = None
    ad_personalization: _Flag | None = None


class EventData(_Part):
    """``data``: all but the four top-level keys. Other keys pass through when they are scalars (OURS)."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Annotated[Any, PlainValidator(_scalar)]]

    usertime: Annotated[int, PlainValidator(_usertime)]
    app_version: str | None = None
    device_ua: Annotated[str, PlainValidator(_user_agent)]
    origination_ip: Annotated[str, PlainValidator(_ip_address)]
    device_ver: Annotated[str, PlainValidator(_device_ver)]
    device_ids: Annotated[dict[str, str], PlainValidator(_device_ids)]
    event_name: _NonEmpty
    currency: Annotated[str, PlainValidator(_currency)] | None = None
    event_data: Annotated[dict[str, Any] | str, PlainValidator(_parameters)] | None = None
    device_limit_tracking: bool | None = None
    app_tracking_transparency: AppTrackingTransparency | None = None
    gdpr_privacy_consent: GdprPrivacyConsent | None = None


class KochavaEvent(_Part):
    """One event as Kochava takes it, in the nested form (DOC)."""

    action: Literal["event"]
    kochava_app_id: _NonEmpty
    kochava_device_id: str
    event_id: _NonEmpty | None = None
    data: EventData


# The 2018 table lists device and transport fields beside `action` (SEED); only these two belong inside.
FLAT_FIELDS = frozenset(EventData.model_fields) - {"event_name", "event_data"}
TOP_FIELDS = frozenset(KochavaEvent.model_fields) - {"data"}


def parse(body: str, *, sent_at: int, default_app_id: str | None) -> KochavaEvent:
    """Returns the event that a message body describes.

    Args:
        body: the message body, in Kochava's nested form or in the flat form of 2018.
        sent_at: when SQS took the message, in seconds since 1970; the event's time when it names none, because
            the queue adds delay (OURS).
        default_app_id: Kochava's app GUID for events that name none.

    Raises:
        InvalidEventError: the body breaks the contract.
    """
    try:
        tree = strictjson.decode(body)
    except strictjson.NotJsonError as error:
        raise InvalidEventError([((), str(error))]) from None
    if not isinstance(tree, dict):
        raise InvalidEventError([((), "must be a JSON object")])
    problems = list(_repeated_keys(tree))
    nested, lifted = _nest(tree, problems)
    _fill(nested, {"action": "event", "kochava_app_id": default_app_id, "kochava_device_id": ""})
    data = nested.get("data")
    if isinstance(data, dict):
        _fill(data, {"usertime": sent_at, "device_ver": "", "currency": _currency_of(data.get("event_data"))})
        problems += _across_fields(nested["kochava_device_id"], data)
        problems += _misplaced(nested, data)
    try:
        event = KochavaEvent.model_validate(nested)
    except ValidationError as error:
        problems += _from_pydantic(error)
    problems = [(_as_written(path, lifted), text) for path, text in problems]
    problems += ((path, "is not valid Unicode") for path in strictjson.lone_surrogates(body, tree, DEEPEST))
    if problems:
        raise InvalidEventError(list(dict.fromkeys(problems)))
    return event


def _nest(tree: dict[str, Any], problems: list[Problem]) -> tuple[dict[str, Any], frozenset[str]]:
    """Moves the flat form's fields into ``data``; returns the nested form and the names that were moved."""
    nested = dict(tree)
    flat = {name: nested.pop(name) for name in tree if name in FLAT_FIELDS}
    inner = tree.get("data", {})
    if not isinstance(inner, dict):
        return nested, frozenset()
    problems += (
        ((name,), "differs from data." + name)
        for name, value in flat.items()
        if name in inner and inner[name] != value
    )
    nested["data"] = flat | inner
    return nested, frozenset(flat.keys() - inner.keys())


def _fill(fields: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Fills in what is missing or null; some keys must be sent even when their value is unknown (SEED)."""
    for name, default in defaults.items():
        if fields.get(name) is None and default is not None:
            fields[name] = default


def _repeated_keys(tree: dict[str, Any], path: Path = ()) -> Iterator[Problem]:
    """Finds keys given twice as deep as the contract allows objects at all."""
    if isinstance(tree, RepeatedKeys):
        yield from (((*path, name), "is given twice") for name in tree.repeated)
    if len(path) < DEEPEST:
        for name, member in tree.items():
            if isinstance(member, dict):
                yield from _repeated_keys(member, (*path, name))


def _across_fields(device_id: Any, data: Mapping[str, Any]) -> Iterator[Problem]:
    """Yields what is wrong between fields, whatever else is wrong inside them."""
    identifiers = data.get("device_ids")
    if isinstance(identifiers, dict) and not device_id and all(map(_identifies_nobody, identifiers.values())):
        yield ("data", "device_ids"), "names no device, and kochava_device_id neither"
    parameters = data.get("event_data")
    currency = data.get("currency")
    inner = parameters.get("currency") if isinstance(parameters, dict) else None
    if isinstance(currency, str) and isinstance(inner, str) and currency.upper() != inner.upper():
        yield ("data", "currency"), "differs from data.event_data.currency"
    consent = data.get("gdpr_privacy_consent")
    if isinstance(consent, dict):
        yield from _gdpr_problems(consent, has_ip=bool(data.get("origination_ip")))


def _misplaced(nested: Mapping[str, Any], data: dict[str, Any]) -> Iterator[Problem]:
    """Takes out of ``data`` what belongs beside it: Kochava would get it where nobody reads it."""
    for name in [name for name in data if name in TOP_FIELDS]:
        if data.pop(name) != nested.get(name):
            yield ("data", name), "belongs beside data, not inside it"


def _currency_of(parameters: Any) -> str | None:
    """Returns the currency that ``event_data`` names; `_parameters` says what is wrong with it."""
    currency = parameters.get("currency") if isinstance(parameters, dict) else None
    return currency if isinstance(currency, str) and _CURRENCY.fullmatch(currency) else None


def _gdpr_problems(consent: Mapping[str, Any], *, has_ip: bool) -> Iterator[Problem]:
    path = ("data", "gdpr_privacy_consent")
    if not has_ip and consent.get("gdpr_applies") is None:
        yield (*path, "gdpr_applies"), "is needed when origination_ip is empty"
    given = [consent.get(name) is not None for name in ("ad_user_data", "ad_personalization")]
    if consent.get("tc_string") is None and not all(given):
        yield path, "needs tc_string, or both ad_user_data and ad_personalization"


_WORDS: Mapping[str, str] = MappingProxyType(  # pydantic's error types in the contract's words; no value in any
    {
        "missing": "is missing",
        "string_type": "must be a string",
        "string_unicode": "is not valid Unicode",
        "string_pattern_mismatch": "must not be empty",
        "bool_type": "must be true or false",
        "int_type": "must be a whole number",
        "literal_error": "must be {expected}",
        "model_type": "must be an object",
    }
)


def _from_pydantic(error: ValidationError) -> Iterator[Problem]:
    suggest = error.error_count() < MANY_PROBLEMS
    for item in error.errors(include_url=False, include_input=False):
        path, kind, context = item["loc"], item["type"], item.get("ctx", {})
        if kind == "problems":
            yield from (((*path, *inner), text) for inner, text in context["problems"])
        elif kind == "extra_forbidden":
            yield path, _unknown(str(path[-1])) if suggest else "is not a known key"
        else:
            yield path, _WORDS.get(kind, f"is not valid ({kind})").format_map(context)


def _unknown(name: str) -> str:
    near = get_close_matches(name, [*KochavaEvent.model_fields, *EventData.model_fields], n=1, cutoff=0.8)
    return f"is not a known key (did you mean {near[0]}?)" if near and near[0] != name else "is not a known key"


def _as_written(path: Path, lifted: frozenset[str]) -> Path:
    """Returns where the publisher wrote it: the flat form's fields were moved into ``data``."""
    return path[1:] if len(path) > 1 and path[0] == "data" and path[1] in lifted else path


_SHOWABLE = re.compile(r"(?!(.*\d){5})[A-Za-z_$][\w $-]{0,31}", re.ASCII)


def _in_words(path: Path) -> str:
    """Prints a path; a key that may itself be personal (an identifier, an address) is shown as ``?``."""
    return ".".join(str(key) if _SHOWABLE.fullmatch(str(key)) else "?" for key in path) or "body"
