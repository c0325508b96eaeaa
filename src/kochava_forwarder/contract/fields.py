"""The rules for single values of an event; each returns the value as it is sent, or refuses it. Pure.

The tags are those of `event`: SEED, DOC, SDK, OURS. The rules for identifiers, addresses, times, currencies, user
agents, ``event_data`` and what networks say of an install are in modules of their own.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kochava_forwarder.contract import numbers
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.placeholders import is_unfilled, names_nobody
from kochava_forwarder.contract.problems import refuse

LARGEST_NAME = 2**53 - 1  # the largest whole number that each reader of JSON has exactly (RFC 8259)
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
    number = _whole(value)
    if number > LARGEST_NAME:
        refuse(((), "must be a string: many programs round a number of this size"))
    return str(number) if number > 0 else ""


def text(value: Any) -> str | None:
    """Return a text as it came, or None for one that was never filled in."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    return None if is_unfilled(value.strip()) else value


def is_blank(value: Any) -> bool:
    """Tell whether a value is a text of blanks, or of nothing."""
    return isinstance(value, str) and not value.strip()


def version(value: Any) -> str:
    """Return a version as it came; a whole number stands for itself, a fraction (1.10) has lost a digit (OURS)."""
    if isinstance(value, str):
        return value
    return str(_whole(value))


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(((), "must be a string"))
    return value


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
    return None if is_blank(value) else truth(value)


def flag(value: Any) -> int | None:
    """Return a truth value as 0 or 1, as Kochava has it in consent (DOC), or None for an empty text."""
    if is_blank(value):
        return None
    known = _truth(value)
    if known is None:
        refuse(((), "must be 0 or 1"))
    return int(known)


# --- consent ------------------------------------------------------------------------------------------------


def att_detail(value: Any) -> str | None:
    """Return one of Apple's four words in Kochava's spelling (DOC), or None for an empty text."""
    if is_blank(value):
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
    if is_blank(value):
        return None
    seconds = numbers.read(value)
    if seconds is None or not numbers.is_finite(seconds):
        refuse(((), "must be a finite number"))
    if seconds < 0:
        refuse(((), "must not be negative"))
    return seconds
