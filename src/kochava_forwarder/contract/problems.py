"""What is wrong with an event, in words that name paths and never repeat a value. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Never

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from kochava_forwarder.contract.strictjson import Path

type Problem = tuple[Path, str]

MAX_SHOWN = 50  # problems in one message; a detail has room for about 20
MANY_PROBLEMS = 100  # beyond which no key is guessed: each guess takes a while
MAX_KEY = 32  # characters of a key that is shown
_SHOWABLE = re.compile(r"(?!(.*\d){5})[A-Za-z_$][\w $-]*", re.ASCII)


class InvalidEventError(Exception):
    """The body breaks the contract; the message lists every problem as ``path: what is wrong``, and no value."""

    def __init__(self, problems: list[Problem]) -> None:
        shown = [f"{_in_words(path)}: {problem}" for path, problem in problems[:MAX_SHOWN]]
        more = len(problems) - len(shown)
        super().__init__("; ".join(shown) + (f"; and {more} more" if more else ""))


def refuse(*problems: Problem) -> Never:
    """End a validator; the problems' paths begin at its value."""
    raise PydanticCustomError("problems", "see the context", {"problems": problems})


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


def from_pydantic(error: ValidationError, known: Sequence[str]) -> Iterator[Problem]:
    """Yield pydantic's errors in the contract's words; `known` are the keys that a typo may have meant."""
    suggest = error.error_count() < MANY_PROBLEMS
    for item in error.errors(include_url=False, include_input=False):
        path, kind, context = item["loc"], item["type"], item.get("ctx", {})
        if kind == "problems":
            yield from (((*path, *inner), text) for inner, text in context["problems"])
        elif kind == "extra_forbidden":
            yield path, _unknown(str(path[-1]), known) if suggest else "is not a known key"
        else:
            yield path, _WORDS.get(kind, f"is not valid ({kind})").format_map(context)


def _unknown(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.8)
    return f"is not a known key (did you mean {near[0]}?)" if near and near[0] != name else "is not a known key"


def _in_words(path: Path) -> str:
    """Print a path; a key that may itself be personal (an identifier, an address) is shown as ``?``."""
    return (
        ".".join(key if len(key) <= MAX_KEY and _SHOWABLE.fullmatch(key) else "?" for key in map(str, path))
        or "body"
    )
