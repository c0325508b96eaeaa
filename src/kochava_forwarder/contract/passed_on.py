"""What networks say of an install: objects of any form, which Kochava gets as they are. Pure."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kochava_forwarder.contract import strictjson
from kochava_forwarder.contract.fields import is_blank
from kochava_forwarder.contract.parameters import scalar_problem
from kochava_forwarder.contract.problems import Problem, refuse
from kochava_forwarder.contract.strictjson import Path, RepeatedKeys

MAX_DEPTH = 16  # far more than any network nests (OURS)


def passed_on(value: Any) -> dict[str, Any] | None:
    """Return an object that Kochava gets as it is (DOC), or the object that a JSON text is; None for a blank.

    Only what no JSON reader should guess about is refused in it: keys given twice, NaN, lone surrogates.
    """
    if is_blank(value):
        return None
    if isinstance(value, str):
        with suppress(strictjson.NotJsonError):
            value = strictjson.decode(value)
    if value == []:  # PHP prints an empty array so
        return {}
    if not isinstance(value, dict):
        refuse(((), "must be an object"))
    if problems := list(_unreadable(value, ())):
        refuse(*problems)
    return value


def _unreadable(value: Any, path: Path) -> Iterator[Problem]:
    if len(path) > MAX_DEPTH:
        yield path, "is nested too deeply"
    elif isinstance(value, dict):
        if isinstance(value, RepeatedKeys):
            yield from (((*path, name), "is given twice") for name in value.repeated)
        for name, member in value.items():
            yield from _surrogates(name, (*path, name))
            yield from _unreadable(member, (*path, name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _unreadable(member, (*path, index))
    elif isinstance(value, str):
        yield from _surrogates(value, path)
    elif problem := scalar_problem(value):
        yield path, problem


def _surrogates(text: str, path: Path) -> Iterator[Problem]:
    if not strictjson.is_unicode(text):
        yield path, "is not valid Unicode"
