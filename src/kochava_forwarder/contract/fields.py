"""The rules for single values of an event; each returns the value as it is sent, or refuses it. Pure.

The tags are those of `events`: SEED, DOC, SDK, OURS.
"""

import math
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic_core import PydanticCustomError

from kochava_forwarder.contract.problems import Problem, refuse

MAX_USER_AGENT = 8192  # bytes, an escape being one; more than any server takes in a header line (OURS)
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


def usertime(value: Any) -> int:
    """Return seconds since 1970, from these, milliseconds, or ISO 8601 with its zone."""
    match value:
        case bool() | float():
            refuse(((), "must be whole seconds since 1970"))
        case int():
            seconds = value
        case str() if value.isascii() and value.isdecimal() and len(value) <= MAX_TIME_DIGITS:
            seconds = int(value)
        case str():
            seconds = _from_iso_8601(value)
        case _:
            refuse(((), "must be seconds since 1970 or an ISO 8601 date and time with its zone"))
    if 10**12 <= seconds < 10**13:  # 13 digits: milliseconds
        seconds //= 1000
    if not EARLIEST <= seconds < LATEST:
        refuse(((), "must lie between 2001 and 2100"))
    return seconds


def _from_iso_8601(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(((), "must be seconds since 1970 or an ISO 8601 date and time with its zone"))
    if moment.tzinfo is None:
        refuse(((), "must name its time zone"))
    return math.floor(moment.timestamp())


def ip_address(value: Any) -> str:
    """Return an IPv4 or IPv6 address, or an empty string for one that is not known."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    if value and not _is_ip_address(value):
        refuse(((), 'must be an IPv4 or IPv6 address, or "" when unknown'))
    return value


def _is_ip_address(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):  # `ipaddress` does the same ten times slower
        with suppress(OSError, ValueError):
            socket.inet_pton(family, text)
            return True
    return False


def user_agent(value: Any) -> str:
    """Return the user agent as it came; `wire` encodes it."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    if (
        len(value) > MAX_USER_AGENT // 4
        and len(_ESCAPE.sub(b"x", value.encode(errors="replace"))) > MAX_USER_AGENT
    ):
        refuse(((), f"must have at most {MAX_USER_AGENT} bytes"))
    return value


def device_ver(value: Any) -> str:
    """Return the device, its system and the system's version, or an empty string (DOC)."""
    if not isinstance(value, str) or not _DEVICE_VERSION.fullmatch(value):
        refuse(((), 'must be "", or <device>-<os>-<os version> as in iPhone-iOS-13.6.0'))
    return value


def currency(value: Any) -> str:
    """Return an ISO 4217 code in upper case."""
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        refuse(((), "must be a three-letter ISO 4217 code"))
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


def scalar(value: Any) -> Any:
    """Return a value that stands for itself: nothing nested, no NaN."""
    if problem := _scalar_problem(value):
        refuse(((), problem))
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or _scalar_problem(value):
        refuse(((), "must be a finite number"))
    return value


def parameters(value: Any) -> dict[str, Any] | str:
    """Check ``event_data``: flat (SEED), or the legacy bare string (SEED)."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        refuse(((), "must be an object, or a string"))
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
            cleaned["currency"] = currency(value["currency"])
        except PydanticCustomError:
            problems.append((("currency",), "must be a three-letter ISO 4217 code"))
    if problems:
        refuse(*problems)
    return cleaned


def identifies_nobody(identifier: Any) -> bool:
    """Tell whether an identifier is empty or all zeros: the user limits ad tracking."""
    return isinstance(identifier, str) and bool(_ZERO.fullmatch(identifier))


def device_ids(value: Any) -> dict[str, str]:
    """Check ``device_ids`` and leave out what identifies nobody: empty and all-zero identifiers (OURS)."""
    if not isinstance(value, dict):
        refuse(((), "must be an object"))
    problems: list[Problem] = []
    identifiers: dict[str, str] = {}
    for name, identifier in value.items():
        if not isinstance(identifier, str):
            problems.append(((name,), "must be a string"))
        elif not name.strip():
            problems.append(((name,), "an identifier needs a name"))
        elif not identifies_nobody(identifier):
            form = IDENTIFIER_FORMS.get(name)
            if form and not form[0].fullmatch(identifier):
                problems.append(((name,), f"must be {form[1]}"))
            identifiers[name] = identifier
    if problems:
        refuse(*problems)
    return identifiers


def flag(value: Any) -> int:
    """Return 0 or 1 (DOC)."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in (0, 1):
        refuse(((), "must be 0 or 1"))
    return value


def duration(value: Any) -> int | float:
    """Return seconds, not negative."""
    seconds = _number(value)
    if seconds < 0:
        refuse(((), "must not be negative"))
    return seconds


def epoch_seconds(value: Any) -> int:
    """Return whole seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int) or not EARLIEST <= value < LATEST:
        refuse(((), "must be whole seconds since 1970, between 2001 and 2100"))
    return value


def currency_of(event_data: Any) -> str | None:
    """Return the currency that ``event_data`` names; `parameters` says what is wrong with it."""
    code = event_data.get("currency") if isinstance(event_data, dict) else None
    return code if isinstance(code, str) and _CURRENCY.fullmatch(code) else None
