"""What is wrong with an event, in words that name paths and never repeat a value. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Never

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

type Problem = tuple[Path, str]

MAX_SHOWN = 50  # problems in one message; a detail has room for about 20
MANY_PROBLEMS = 100  # beyond which no key is guessed: each guess takes a while
MAX_KEY = 32  # characters of a key that is shown
_SHOWABLE = re.compile(r"(?!(.*\d){5}|.*\d{4})[A-Za-z_][\w-]*", re.ASCII)
_OTHER_NAMES: Mapping[str, str] = MappingProxyType({"app_ver": "app_version"})  # too unlike for a close match
_MAY_BE_EMPTY = frozenset({"origination_ip", "device_ua"})


class InvalidEventError(Exception):
    """The body breaks the contract; the message lists every problem as ``path: what is wrong``, and no value.

    Attributes:
        problems: all of them, the path being that of the body as it was published.
        lines: each of them in words, but for those beyond the first 50, which are one line.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"{in_words(path)}: {problem}" for path, problem in problems[:MAX_SHOWN]]
        if more := len(problems) - len(shown):
            shown.append(f"and {more} more")
        self.lines = tuple(shown)
        super().__init__("; ".join(shown))


def refuse(*problems: Problem) -> Never:
    """End a validator; the problems' paths begin at its value."""
    raise PydanticCustomError("problems", "see the context", {"problems": problems})


def given_twice(value: Any, path: Path) -> list[Problem]:
    """Return the keys that the object `value`, at `path`, names more than once."""
    if not isinstance(value, RepeatedKeys):
        return []
    return [((*path, name), "is given twice") for name in value.repeated]


_WORDS: Mapping[str, str] = MappingProxyType(  # pydantic's error types in the contract's words; no value in any
    {
        "missing": "is missing",
        "string_unicode": "is not valid Unicode",
        "literal_error": "must be {expected}",
        "model_type": "must be an object",
    }
)


def from_pydantic(error: ValidationError, known: Sequence[str]) -> Iterator[Problem]:
    """Yield pydantic's errors in the contract's words; `known` are the keys that a typo may have meant."""
    suggest = error.error_count() < MANY_PROBLEMS
    for item in error.errors(include_url=False, include_input=False):
        path, kind, context = item["loc"], item["type"], item.get("ctx", {})
        if kind == "problems":
            yield from (((*path, *inner), text) for inner, text in context["problems"])
        elif kind == "extra_forbidden":
            yield path, _unknown(path, known) if suggest else "is not a known key"
        elif kind == "missing" and path[-1] in _MAY_BE_EMPTY:
            yield path, 'is missing ("" if unknown)'
        else:
            yield path, _WORDS.get(kind, f"is not valid ({kind})").format_map(context)


def _unknown(path: Path, known: Sequence[str]) -> str:
    name = str(path[-1])
    if len(path) == 1 and name in known:
        return "belongs inside data, not beside it"
    near = _OTHER_NAMES.get(name) or next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), name)
    return f"is not a known key (did you mean {near}?)" if near != name else "is not a known key"


def in_words(path: Path) -> str:
    """Print a path; a key that does not look like a name in a program may be personal and is shown as ``?``."""
    return (
        ".".join(key if len(key) <= MAX_KEY and _SHOWABLE.fullmatch(key) else "?" for key in map(str, path))
        or "body"
    )
