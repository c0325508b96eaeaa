"""What may be shown of what others wrote: Kochava's answers, AWS's errors, any text. Pure.

Kochava's answer may echo what it was sent, whole, cut, joined or encoded, and that is personal. So only words that
an error message is made of are shown, and of these none that the event's values hold.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_CHARACTERS = 300
_WORD = re.compile(r"[A-Za-z0-9]+")  # ASCII, since an answer's other letters cannot be told from noise
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|[bfnrt])|%[0-9A-Fa-f]{2}")  # would glue itself to the word after it
_FIELDS = """
    action adid agent android app body currency data device event gdpr html id idfa idfv ids imei ip json key
    kochava name origination parameter parameters payload price secret signature sum time token ua user
    usertime value ver version
"""
_ERRORS = """
    access allowed already an and are asked at authentication authorization authorized bad be been big by can
    cannot code content could denied disabled does duplicate empty error errors exceeded exist expected
    expired failed failure false field fields for forbidden format found gateway has header in inactive
    internal invalid is it large later length limit long maintenance malformed many message method missing
    must no none not null of on only or out overloaded parse please quota rate reason rejected request
    requests required response retry server service should size status string success such temporarily the
    this timeout to too true try type unauthorized unavailable unexpected unknown unprocessable unsupported
    was with wrong
"""
_SHOWABLE = frozenset((_FIELDS + _ERRORS).split())


def redact(text: str, payload: bytes) -> str:
    """Return `text` fit for logs and DLQ attributes.

    Every word that is not an error message's, or that stands in a value of the JSON object `payload`, becomes
    ``*``; what is not printable ASCII becomes a space; at most 300 characters are kept.
    """
    sent = json.loads(payload, parse_float=str, parse_int=str)  # as it was printed
    private = {word for value in _values(sent) for word in _WORD.findall(value.lower())}
    showable = _SHOWABLE - private

    def shown(match: re.Match[str]) -> str:
        word = match.group()
        letter = len(word) == 1 and word.lower() not in private
        return word if letter or word.lower() in showable else "*"

    beginning = _ESCAPE.sub(" ", text[: 4 * MAX_CHARACTERS])
    return printable(_WORD.sub(shown, beginning))[:MAX_CHARACTERS]


def aws_error(error: BaseException) -> str:
    """Return the AWS error code behind `error`, else the exception's type.

    Never its text, which may quote what was sent.
    """
    for cause in (error, error.__cause__, error.__context__):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__


def printable(text: str) -> str:
    """Return `text` with every run of white space or characters outside printable ASCII as one space."""
    return re.sub(r"[^!-~]+", " ", text).strip()


def _values(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _values(value)
    elif isinstance(node, str):
        yield node
        yield _ESCAPE.sub(" ", node)
