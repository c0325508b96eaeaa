"""The events in a file: one a line, or one in the whole file."""

from __future__ import annotations

import itertools
import json
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """What may be an event, and where it stands.

    Args:
        place: the file and the line, as `events.jsonl:12`.
        text: without white space around it; what is not UTF-8 is lone surrogates.
    """

    place: str
    text: str


def lines_of(file: IO[bytes], name: str) -> Iterator[Line]:
    """Yield the lines of a file that are not blank, as they are read; or the whole file if it is one JSON text.

    Args:
        file: the file.
        name: what it is called in the lines' places.
    """
    numbered = ((number, line) for number, line in enumerate(file, 1) if line.strip())
    first_number, first = next(numbered, (0, b""))
    first = first.removeprefix(_BYTE_ORDER_MARK)
    following: Iterable[tuple[int, bytes]] = numbered
    if first and not _is_json(first):  # an event that is written over several lines, or a broken line
        following = list(numbered)
        whole = first + b"".join(line for _, line in following)
        if _is_json(whole) or not any(_is_json(line) for _, line in following):
            first, following = whole, ()
    for number, line in itertools.chain([(first_number, first)], following):
        if line.strip():
            yield _line(name, number, line.strip())


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _line(name: str, number: int, line: bytes) -> Line:
    return Line(f"{name}:{number}", line.decode(errors="surrogateescape"))
