"""Numbers, also those that were sent as text. Pure."""

import math
import re
from typing import Any

LONGEST_NUMBER = 400  # characters; the largest double has 309 digits
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def is_finite(number: float) -> bool:
    """Tell whether a number is neither NaN nor beyond double precision."""
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond every float
        return False


def from_text(text: str) -> int | float | None:
    """Return the number that a text is in JSON's own grammar; outer blanks count for nothing."""
    text = text.strip()
    if len(text) > LONGEST_NUMBER or not (match := _NUMBER.fullmatch(text)):
        return None
    return float(text) if match[1] or match[2] else int(text)


def read(value: Any) -> int | float | None:
    """Return a JSON number, or the number that a text is; None for anything else, true and false included."""
    if isinstance(value, str):
        return from_text(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
