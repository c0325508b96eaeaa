r"""The bytes of a body: which event they hold, and whether they are written as PHP's json_encode does.

The signature covers the exact bytes and Kochava's page warns that PHP escapes `/` (DOC), so every body
has to be in that one form: compact, `\/`, non-ASCII as `\uXXXX` in lower case (OURS, signed or not).
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)

_PHP_ESCAPE = re.compile(
    rb"""\\(?: ["\\/bfnrt]          # the ones with a letter of their own
      | u00(?:0[0-7bef]|1[0-9a-f])  # control characters without a letter
      | u007f                       # PHP leaves DEL as it is, Python escapes it: both are harmless
      | u00[89a-f][0-9a-f] | u0[1-9a-f][0-9a-f]{2} | u[1-9a-f][0-9a-f]{3}  # non-ASCII, lower case
    )""",
    re.VERBOSE,
)


def read(body: bytes) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Parse a body strictly.

    Args:
        body: the request's bytes, exactly as they arrived.

    Returns:
        The event (None unless the body is one JSON object) and every problem as `path: what is wrong`.
    """
    repeated: list[str] = []

    def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(f"{key}: key given more than once" for key in counts if counts[key] > 1)
        return dict(pairs)

    try:
        event = json.loads(body.decode("utf-8"), object_pairs_hook=unrepeated, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return None, ("body: not UTF-8",)
    except json.JSONDecodeError as error:
        return None, (f"body: not JSON ({error.msg} at character {error.pos})",)
    except (ValueError, RecursionError) as error:
        return None, (f"body: not JSON ({error})",)
    if not isinstance(event, dict):
        return None, ("body: not a JSON object",)
    return event, (*repeated, *_written_otherwise_than_php(body), *_lone_surrogates(event))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _written_otherwise_than_php(body: bytes) -> Iterator[str]:
    strings = b"".join(_STRING.findall(body))
    between = _STRING.sub(b"", body)
    literal = _ESCAPE.sub(b"", strings)
    if re.search(rb"\s", between):
        yield "body: whitespace between tokens"
    if b"/" in literal:
        yield "body: slash not escaped as \\/"
    if not literal.isascii():
        yield "body: non-ASCII character not escaped as \\uXXXX"
    if not all(_PHP_ESCAPE.fullmatch(escape) for escape in _ESCAPE.findall(strings)):
        yield "body: an escape that PHP's json_encode does not write"


def _lone_surrogates(event: dict[str, Any]) -> Iterator[str]:
    try:
        json.dumps(event, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        yield "body: half of a surrogate pair"
