"""When something happened: every form that has one reading, as whole seconds since 1970. Pure."""

import math
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from kochava_forwarder.contract import numbers
from kochava_forwarder.contract.placeholders import is_unfilled
from kochava_forwarder.contract.problems import refuse

EARLIEST, LATEST = 978_307_200, 4_102_444_800  # 2001-01-01, and 2100-01-01 which is too late (OURS)
_UNITS = (1, 10**3, 10**6, 10**9)  # of a second; no moment between the two can be taken for another unit's
_FORMS = "must be seconds since 1970 or an ISO 8601 date and time with its zone"
_PRINTED = re.compile(  # as Ruby, Go and Java print a time: "2025-10-09 08:53:20 +0000 UTC", "...Z[UTC]"
    r"(\d{4}-?\d\d-?\d\d[Tt ]\d\d[\d:.,]*)\s*(?:[Zz]|UTC|GMT|([+-]\d\d(?::?\d\d)?))"
    r"(?:\s(?:[A-Z]{3,5}|([+-]\d\d(?:\d\d)?)))?(?:\sm=[+-][\d.]+)?(?:\[[\w/+-]+\])?",
    re.ASCII,
)
_MONTH, _CLOCK, _ZONE = "[A-Z][a-z]{2}", r"\d\d:\d\d:\d\d", r"(?:GMT|UTC|UT|[+-]\d{4})"
_DAY, _YEAR = r"\d{1,2}", r"[12]\d{3}"
_CALENDAR = re.compile(  # with the month by its name; `email.utils` reads them, and much that has no one reading
    rf"(?:[A-Z][a-z]{{2}}, )?{_DAY} {_MONTH} {_YEAR} {_CLOCK} {_ZONE}"  # RFC 5322: Thu, 09 Oct 2025 08:53:20 GMT
    rf"|[A-Z][a-z]{{2,8}}, {_DAY}-{_MONTH}-{_YEAR} {_CLOCK} {_ZONE}"  # cookies: Thursday, 09-Oct-2025 08:53:20 GMT
    rf"|[A-Z][a-z]{{2}} {_MONTH}[ ]{{1,2}}{_DAY} {_CLOCK} {_ZONE} {_YEAR}"  # Java: Thu Oct 09 08:53:20 UTC 2025
    # JavaScript: Thu Oct 09 2025 08:53:20 GMT+0000 (Coordinated Universal Time)
    rf"|[A-Z][a-z]{{2}} {_MONTH} {_DAY} {_YEAR} {_CLOCK} GMT[+-]\d{{4}}(?: \([^()]*\))?",
    re.ASCII,
)
_MARK_OF_JAVASCRIPT = re.compile("GMT(?=[+-])")
# .NET's milliseconds; the offset is for showing only.
_DOTNET = re.compile(r"/Date\(([1-9]\d{11,12})(?:[+-]\d{4})?\)/", re.ASCII)


def epoch_seconds(value: Any) -> int:
    """Return whole seconds since 1970; fractions are dropped.

    Takes seconds, milliseconds, microseconds or nanoseconds since 1970 as a number or as text, ISO 8601 with a
    zone, and what programming languages print when they are asked for a time.
    """
    if type(value) is int and EARLIEST <= value < LATEST:
        return value
    number = numbers.read(value)
    if number is not None:
        return _from_number(number)
    if not isinstance(value, str):
        refuse(((), _FORMS))
    return _from_number(_from_text(value.strip()))


def optional_epoch_seconds(value: Any) -> int | None:
    """Return a time as `epoch_seconds` does, or None for a text that was never filled in, and for 0."""
    if isinstance(value, str):
        text = value.strip()
        return None if is_unfilled(text) or text == "0" else epoch_seconds(value)
    return None if type(value) is int and value == 0 else epoch_seconds(value)


def _from_number(number: float) -> int:
    if not numbers.is_finite(number):
        refuse(((), "must be a finite number"))
    whole = math.floor(number)
    unit = next((unit for unit in _UNITS if EARLIEST * unit <= whole < LATEST * unit), None)
    if unit is None:
        refuse(((), "must lie in the years 2001 to 2099"))
    return whole // unit


def _is_one_zone(offset: str | None, name: str | None) -> bool:
    """Tell whether a zone's name is its offset again, where it has none in letters: ``-0300 -03``."""
    return name is None or f"{(offset or '+0000').replace(':', ''):0<5}" == f"{name:0<5}"


def _from_text(text: str) -> float:
    if dotnet := _DOTNET.fullmatch(text):
        return int(dotnet[1]) / 1000
    try:
        if _CALENDAR.fullmatch(text):
            plain = _MARK_OF_JAVASCRIPT.sub("", text)
            moment = parsedate_to_datetime(plain.replace("-0000", "+0000"))  # UTC, said by who does not know more
        elif (printed := _PRINTED.fullmatch(text)) and _is_one_zone(printed[2], printed[3]):
            moment = datetime.fromisoformat(printed[1] + (printed[2] or "+00:00"))
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(((), _FORMS))
    if moment.tzinfo is None:
        refuse(((), "must name its time zone"))
    return moment.timestamp()
