"""Breaks a valid body in a random way: as JSON, by changing its tree, or as text, by changing its characters."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from forwarder_tools.samples import read_sample, sample_paths

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1,
    13,
    1e308,
    float("nan"),
    float("-inf"),
    10**400,
    1_700_000_000,
    1_700_000_000_000,
    "",
    " ",
    "0",
    "usd",
    "1700000000",
    "2024-05-17T12:00:00+02:00",
    "2024-05-17T12:00:00",
    "00000000-0000-0000-0000-000000000000",
    "AAAAAAAA-0000-4000-8000-000000000001",
    "203.0.113.7",
    "2001:db8::7",
    "Mozilla%2F5.0%20%28Fake%29",
    "Mozilla%252F5.0",
    "100%",
    "\u0000",
    "\ud800",
    '\U0001f3bf/\\"',
    "x" * 9000,
    [],
    [1],
    {},
    {"nested": {"deeper": []}},
)
ODD_TEXTS = (
    "{",
    "}",
    "[",
    '"',
    ",",
    ":",
    "\\",
    "\\ud83d",
    "\\u0000",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 5000,
    "[" * 2000,
    "\ufeff",
    "\x00",
    "null",
    "//",
)


def valid_bodies() -> list[str]:
    """Returns the bodies of the sample events, good and bad ones."""
    return [record["body"] for path in sample_paths() for record in read_sample(path)["Records"]]


def mutate(body: str, random: Random) -> str:
    """Returns `body` with up to four random changes."""
    changed = body
    for _ in range(random.randint(1, 4)):
        changed = random.choice((_change_tree, _change_tree, _change_text))(changed, random)
    return changed


def _change_tree(body: str, random: Random) -> str:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return _change_text(body, random)
    places = list(_objects(tree))
    if not places:
        return body
    place = random.choice(places)
    random.choice(TREE_CHANGES)(place, random)
    return json.dumps(tree, ensure_ascii=random.random() < 0.5)  # noqa: PLR2004 - half and half


def _objects(node: Any) -> Any:
    if isinstance(node, dict) and node:
        yield node
        for member in node.values():
            yield from _objects(member)


def _replace(place: dict[str, Any], random: Random) -> None:
    place[random.choice(list(place))] = random.choice(ODD_VALUES)


def _remove(place: dict[str, Any], random: Random) -> None:
    del place[random.choice(list(place))]


def _rename(place: dict[str, Any], random: Random) -> None:
    name = random.choice(list(place))
    place[random.choice((name.upper(), name + " ", name[:-1], "network", "currency", "\ud800"))] = place.pop(name)


def _lift(place: dict[str, Any], random: Random) -> None:
    name = random.choice(list(place))
    if isinstance(place[name], dict):
        place.update(place.pop(name))
    else:
        place["data"] = {name: place.pop(name)}


def _add(place: dict[str, Any], random: Random) -> None:
    place[random.choice(("sum", "price", "currency", "usertime", "event_id", "att", "x"))] = random.choice(
        ODD_VALUES
    )


TREE_CHANGES: tuple[Callable[[dict[str, Any], Random], None], ...] = (
    _replace,
    _replace,
    _remove,
    _rename,
    _lift,
    _add,
)


def _change_text(body: str, random: Random) -> str:
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.choice((0, 0, 1, 2, 20)))
    inserted = random.choice(("", random.choice(ODD_TEXTS), body[start : start + 40]))
    return body[:start] + inserted + body[end:]
