"""What may be shown of a text that Kochava sent: nothing that the event itself said. Pure.

Kochava's answer may echo what it was sent, and what it was sent is personal (kochava-api.md section 9).
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

MAX_CHARACTERS = 300
MAX_DIGITS = 2  # in one word; more may be an identifier, an address, a price
_WORD = re.compile(r"[A-Za-z0-9]+")  # ASCII, since an answer's other letters cannot be told from noise
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|[bfnrt])|%[0-9A-Fa-f]{2}")  # would glue itself to the word after it


def redact(text: str, payload: bytes) -> str:
    """Returns `text` fit for logs and DLQ attributes.

    Every word that stands in a value of the JSON object `payload`, and every word with three digits or more,
    becomes ``*``; what is not printable ASCII becomes a space; at most 300 characters are kept.
    """
    private = {word.lower() for value in _values(json.loads(payload)) for word in _WORD.findall(value)}

    def shown(match: re.Match[str]) -> str:
        word = match.group().lower()
        hidden = word in private
        if match.start() == 0:  # the first and the last word may be half a word, cut off by whom ever
            hidden = hidden or any(other.endswith(word) for other in private)
        if match.end() == len(match.string):
            hidden = hidden or any(other.startswith(word) for other in private)
        return "*" if hidden or sum(map(str.isdigit, word)) > MAX_DIGITS else match.group()

    beginning = _ESCAPE.sub(" ", text[: 4 * MAX_CHARACTERS])
    return printable(_WORD.sub(shown, beginning))[:MAX_CHARACTERS]


def printable(text: str) -> str:
    """Returns `text` with every run of white space or characters outside printable ASCII as one space."""
    return re.sub(r"[^!-~]+", " ", text).strip()


def _values(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _values(value)
    elif isinstance(node, str):
        yield node
        yield unquote(node)
        yield _ESCAPE.sub(" ", node)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield str(node)
