"""The rules for single values of an event; each returns the value as it is sent, or refuses it. Pure.

The tags are those of `event`: SEED, DOC, SDK, OURS. The rules for identifiers, addresses, times, currencies and
user agents are in modules of their own.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from kochava_forwarder.contract import numbers, strictjson
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.placeholders import is_unfilled, names_nobody
from kochava_forwarder.contract.problems import Problem, refuse
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

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
MAX_PASSED_ON_DEPTH = 16  # of what networks say of an install; far more than any of them nests (OURS)
LARGEST_NAME = 2**53 - 1  # the largest whole number that each reader of JSON has exactly (RFC 8259)
REVENUE = ("sum", "price")  # a number (SDK)
_TRUTHS: Mapping[str, bool] = MappingProxyType({"true": True, "false": False, "1": True, "0": False})
ATT_DETAILS: Mapping[str, str] = MappingProxyType(  # by their letters alone (DOC)
    {name.lower(): name for name in ("authorized", "denied", "notDetermined", "restricted")}
)
_CONTROLS = "".join(map(chr, range(32)))
_TEMPLATE = re.compile(r"[<>{}\s]")


# --- texts --------------------------------------------------------------------------------------------------


def app_id(value: Any) -> str:
    """Return an app's GUID without outer blanks; nothing else is known of its form (DOC).

    One that was never filled in is refused: Kochava answers success and drops the event (OURS).
    """
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    text = value.strip()
    if not text:
        refuse(((), "must not be empty"))
    if _TEMPLATE.search(text) or names_nobody(text):
        refuse(((), "is a placeholder, not an app's GUID"))
    return text


def event_name(value: Any) -> str:
    """Return an event's name without outer blanks."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    text = value.strip()
    if not text.strip(_CONTROLS):
        refuse(((), "must not be empty"))
    return text


def event_id(value: Any) -> str | None:
    """Return the publisher's idempotency key without outer blanks; None for one that was never filled in.

    Events that share a key are one event, so that a placeholder would drop all but the first (OURS).
    """
    text = name_of(value)
    return None if is_unfilled(text) else text


def name_of(value: Any) -> str:
    """Return what a publisher calls something, without outer blanks: a text, or a whole number from 1 on.

    0 and below is a number that was never set, and becomes empty. One that readers of JSON round names another.
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(((), "must be a string"))
    if value > LARGEST_NAME:
        refuse(((), "must be a string: many programs round a number of this size"))
    return str(value) if value > 0 else ""


def text(value: Any) -> str | None:
    """Return a text as it came, or None for one that was never filled in."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    return None if is_unfilled(value.strip()) else value


def version(value: Any) -> str:
    """Return a version as it came; a whole number stands for itself, a fraction (1.10) has lost a digit (OURS)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(((), "must be a string"))
    return str(value)


# --- truth values -------------------------------------------------------------------------------------------


def _truth(value: Any) -> bool | None:
    if isinstance(value, str):
        return _TRUTHS.get(value.strip().lower())
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def truth(value: Any) -> bool:
    """Return the truth value that true, false, 0, 1 or one of these as text says."""
    known = _truth(value)
    if known is None:
        refuse(((), "must be true or false"))
    return known


def optional_truth(value: Any) -> bool | None:
    """Return a `truth`, or None for an empty text."""
    return None if _is_blank(value) else truth(value)


def flag(value: Any) -> int | None:
    """Return a truth value as 0 or 1, as Kochava has it in consent (DOC), or None for an empty text."""
    if _is_blank(value):
        return None
    known = _truth(value)
    if known is None:
        refuse(((), "must be 0 or 1"))
    return int(known)


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


# --- consent ------------------------------------------------------------------------------------------------


def att_detail(value: Any) -> str | None:
    """Return one of Apple's four words in Kochava's spelling (DOC), or None for an empty text."""
    if _is_blank(value):
        return None
    known = ATT_DETAILS.get(squeezed(value)) if isinstance(value, str) else None
    if known is None:
        refuse(((), "must be 'authorized', 'denied', 'notDetermined' or 'restricted'"))
    return known


def tc_string(value: Any) -> str | None:
    """Return the consent string, or None for an empty one, as consent tools without TCF print it."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    return value if value.strip() else None


def duration(value: Any) -> int | float | None:
    """Return seconds, not negative, or None for an empty text."""
    if _is_blank(value):
        return None
    seconds = numbers.read(value)
    if seconds is None or not numbers.is_finite(seconds):
        refuse(((), "must be a finite number"))
    if seconds < 0:
        refuse(((), "must not be negative"))
    return seconds


# --- event_data and other keys ------------------------------------------------------------------------------


def scalar(value: Any) -> Any:
    """Return a value that stands for itself: nothing nested, no NaN."""
    if problem := _scalar_problem(value):
        refuse(((), problem))
    return value


def _scalar_problem(value: Any) -> str | None:
    if isinstance(value, str) or value is None:
        return None
    if isinstance(value, int | float):  # true and false are ints
        return None if numbers.is_finite(value) else "must be a finite number"
    return "must be a string, a number, true, false or null (nothing nested)"


def parameters(value: Any) -> dict[str, Any] | str:
    """Return ``event_data``: flat (SEED), or the legacy bare string (SEED); revenue as a number.

    Revenue that is null is left out, revenue as text becomes the number that JSON would read (OURS).
    """
    if isinstance(value, str):
        return value
    if value == []:  # PHP prints an empty array so
        return {}
    if not isinstance(value, dict):
        refuse(((), "must be an object, or a string"))
    problems: list[Problem] = [
        ((name,), "is reserved by Kochava") for name in value if name in RESERVED_PARAMETERS
    ]
    problems += [
        ((name,), problem)
        for name, item in value.items()
        if not isinstance(item, str) and (problem := _scalar_problem(item))
    ]
    for name in REVENUE:
        if name in value and not isinstance(value[name], float):
            problems += _read_revenue(value, name)
    if problems:
        refuse(*problems)
    return value


def _read_revenue(parameters: dict[str, Any], name: str) -> list[Problem]:
    amount = parameters[name]
    if amount is None:
        del parameters[name]
        return []
    number = numbers.read(amount)
    if number is None:
        return [((name,), "must be a number")]
    parameters[name] = number
    return [((name,), problem)] if isinstance(amount, str) and (problem := _scalar_problem(number)) else []


# --- what is passed on as it is -----------------------------------------------------------------------------


def passed_on(value: Any) -> dict[str, Any] | None:
    """Return an object that Kochava gets as it is (DOC), or the object that a JSON text is; None for a blank.

    Only what no JSON reader should guess about is refused in it: keys given twice, NaN, lone surrogates.
    """
    if _is_blank(value):
        return None
    if isinstance(value, str):
        with suppress(strictjson.NotJsonError):
            value = strictjson.decode(value)
    if value == []:  # PHP prints an empty array so
        return {}
    if not isinstance(value, dict):
        refuse(((), "must be an object"))
    if problems := list(_unreadable(value, ())):
        refuse(*problems)
    return value


def _unreadable(value: Any, path: Path) -> Iterator[Problem]:
    if len(path) > MAX_PASSED_ON_DEPTH:
        yield path, "is nested too deeply"
    elif isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            yield from (((*path, name), "is given twice") for name in value.repeated)
        for name, member in value.items():
            yield from _surrogates(name, (*path, name))
            yield from _unreadable(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _unreadable(member, (*path, index))
    elif isinstance(value, str):
        yield from _surrogates(value, path)
    elif problem := _scalar_problem(value):
        yield path, problem


def _surrogates(text: str, path: Path) -> Iterator[Problem]:
    if not strictjson.is_unicode(text):
        yield path, "is not valid Unicode"
