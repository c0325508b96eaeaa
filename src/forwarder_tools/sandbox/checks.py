"""The vocabulary of the contract: small checks of one value each.

A check takes the path of a value and the value, and yields `path: what is wrong`, or nothing. Values
are never repeated in what it yields: they may be personal.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import unquote

type Check = Callable[[str, Any], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One key of an object: whether it must be there, and what its value must be."""

    check: Check
    required: bool = False


optional: Callable[[Check], Field] = Field
required: Callable[[Check], Field] = partial(Field, required=True)


def holds(wrong: str, test: Callable[[Any], bool]) -> Check:
    """Make a check from a test; `wrong` is what to say of a value that fails it."""

    def check(path: str, value: object) -> Iterator[str]:
        if not test(value):
            yield f"{path}: {wrong}"

    return check


def shape(fields: Mapping[str, Field], others: Check) -> Check:
    """Make a check for an object: its known keys by the table, every other key by `others`."""

    def check(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: must be an object"
            return
        for key, rule in fields.items():
            if key in value:
                yield from rule.check(join(path, key), value[key])
            elif rule.required:
                yield f"{join(path, key)}: missing"
        for key, inner in value.items():
            if key not in fields:
                yield from others(join(path, key), inner)

    return check


def join(path: str, key: str) -> str:
    """Return the path of a key inside the object at `path` (empty at the top)."""
    return f"{path}.{key}" if path else key


def is_number(value: object) -> bool:
    """Tell whether a parsed value is a JSON number. A JSON true is an int to Python, but no number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer_between(low: int, high: int) -> Callable[[object], bool]:
    """Make a test for a JSON integer in `low` (included) to `high` (excluded)."""
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value < high


def is_ip(value: object) -> bool:
    """Tell whether a value is an IP address, v4 or v6 without a zone, or "" for "not known" (OURS).

    Neither 0.0.0.0 nor :: is anybody's, and an IPv4 address is written as one (OURS).
    """
    if not isinstance(value, str) or "%" in value:
        return False
    if value == "":
        return True
    try:
        address = ip_address(value)
    except ValueError:
        return False
    return not address.is_unspecified and not (isinstance(address, IPv6Address) and address.ipv4_mapped)


_EMPTY_WORDS = {"null", "undefined", "none", "nil", "nan", "unknown", "n/a"}


def is_placeholder(text: str) -> bool:
    """Tell whether a text is what programs print for a value they do not have, and so no identifier (OURS)."""
    text = text.strip().lower()
    if not set(text) - set("0-: "):
        return True
    edges = (text[0], text[-1])
    return edges in {("<", ">"), ("{", "}")} or (text[1:-1] if edges == ("(", ")") else text) in _EMPTY_WORDS


def _is_app_id(value: object) -> bool:
    return isinstance(value, str) and not is_placeholder(value) and not re.search(r"[<>{\s]", value)


_PERCENT_ENCODED = re.compile(r"(?:[A-Za-z0-9\-_.~!*'()]|%[0-9A-Fa-f]{2})*")
_ESCAPED_OCTET = re.compile(r"%[0-9A-Fa-f]{2}")


def _is_encoded(text: str) -> bool:
    """Tell whether a text both holds escapes and holds nothing that encoding would have escaped."""
    return _PERCENT_ENCODED.fullmatch(text) is not None and _ESCAPED_OCTET.search(text) is not None


def percent_encoded(path: str, value: object) -> Iterator[str]:
    """Check for a text that was percent-encoded exactly once (SEED); "" is none."""
    if not isinstance(value, str):
        yield f"{path}: must be a string"
    elif value and is_placeholder(unquote(value)):
        yield f"{path}: a placeholder, must be empty"
    elif not _PERCENT_ENCODED.fullmatch(value):
        yield f"{path}: not percent-encoded"
    # A raw user agent may itself hold an escape ("My%20App/1 CFNetwork"): only what decodes to a text that is
    # encoded throughout was encoded twice.
    elif _is_encoded(unquote(value)):
        yield f"{path}: percent-encoded twice"


def raw(path: str, value: object) -> Iterator[str]:
    """Check for a text that was not percent-encoded (DOC samples); "" is none."""
    if not isinstance(value, str):
        yield f"{path}: must be a string"
    elif value and is_placeholder(value):
        yield f"{path}: a placeholder, must be empty"
    elif _is_encoded(value):
        yield f"{path}: percent-encoded, raw is wanted"
    elif " " not in value and (";+" in value or "+(" in value or ")+" in value):
        yield f"{path}: a plus for each blank"


is_string = holds("must be a string", lambda value: isinstance(value, str))
is_filled = holds("must be a non-empty string", lambda value: isinstance(value, str) and bool(value.strip()))
is_trimmed = holds(
    "must be a non-empty string without outer blanks",
    lambda value: isinstance(value, str) and value != "" and value == value.strip(),
)
is_app_id = holds("must be an app's GUID, without blanks or placeholders", _is_app_id)
is_boolean = holds("must be true or false", lambda value: isinstance(value, bool))
is_object = holds("must be an object", lambda value: isinstance(value, dict))
is_bit = holds("must be the integer 0 or 1", is_integer_between(0, 2))
is_scalar = holds("must be a single value, not nested", lambda value: not isinstance(value, dict | list))
is_duration = holds("must be a number of seconds, not negative", lambda value: is_number(value) and value >= 0)
is_unknown_key = holds("unknown key", lambda _value: False)
