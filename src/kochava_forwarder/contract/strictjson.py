"""Strict JSON decoding: reports repeated keys and lone surrogates, which `json` accepts silently. Pure.

Both would change an event without a word. NaN and infinities are left to the contract, which knows their path.
"""

import re
from collections import Counter
from collections.abc import Iterator
from json import JSONDecodeError, JSONDecoder
from typing import Any

type Path = tuple[str | int, ...]

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class NotJsonError(Exception):
    """The text is not JSON; the message says where and why, and quotes nothing of it."""


class RepeatedKeys(dict[str, Any]):
    """A JSON object that named a key more than once; `repeated` has those keys."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = sorted(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else RepeatedKeys(pairs)


_DECODER = JSONDecoder(object_pairs_hook=_object)


def decode(text: str) -> Any:
    """Return the JSON value; an object with a key given twice is a `RepeatedKeys`. A byte order mark is skipped.

    Raises:
        NotJsonError: the text is not JSON, or beyond what a JSON reader can hold.
    """
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except JSONDecodeError as error:
        raise NotJsonError(f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos}") from None
    except RecursionError:
        raise NotJsonError("nested too deeply") from None
    except ValueError:  # int() refuses numbers of more than 4,300 digits
        raise NotJsonError("a number has too many digits") from None


def lone_surrogates(text: str, value: Any, deepest: int) -> list[Path]:
    """Return the path of each string in `value`, the JSON value of `text`, that is not Unicode text.

    Looks only where `text` gives a reason to, and at most `deepest` keys above an object.
    """
    if ("\\" in text and _SURROGATE_ESCAPE.search(text)) or not (text.isascii() or is_unicode(text)):
        return list(_walk(value, (), deepest))
    return []


def _walk(value: Any, path: Path, deepest: int) -> Iterator[Path]:
    if isinstance(value, dict) and len(path) <= deepest:
        for name, member in value.items():
            if not is_unicode(name):
                yield (*path, name)
            yield from _walk(member, (*path, name), deepest)
    elif isinstance(value, str) and not is_unicode(value):
        yield path


def is_unicode(text: str) -> bool:
    """Tell whether a text has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
