"""Which event a body is, whatever else is wrong with it: what its publisher can find it by. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from kochava_forwarder.contract import fields
from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.form import fill
from kochava_forwarder.contract.problems import InvalidEventError

MAX_CHARACTERS = 1024
"""Of a name that is shown: how long it is decides the publisher, a megabyte in each of many log lines, say."""


class Identity(NamedTuple):
    """What an event is called, to be shown; None where its body does not say it, or not as the contract wants it.

    Args:
        event_id: the publisher's idempotency key.
        app_id: Kochava's app GUID.
    """

    event_id: str | None = None
    app_id: str | None = None


def shown(event_id: str | None, app_id: str | None) -> Identity:
    """Return an event's names as they may be shown: one line each, of 1024 characters at most.

    What is not printable, such as an end of line or a terminal's command, becomes a space.
    """
    return Identity(_line(event_id), _line(app_id))


def _line(name: str | None) -> str | None:
    if name is None or (len(name) <= MAX_CHARACTERS and name.isprintable()):  # as nearly all are
        return name
    return "".join(letter if letter.isprintable() else " " for letter in name[:MAX_CHARACTERS])


def identity_of(body: str, *, default_app_id: str | None) -> Identity:
    """Return what the event in a message body is called; never raises.

    Args:
        body: the message body, valid or not.
        default_app_id: Kochava's app GUID for events that name none.
    """
    try:
        tree = open_body(body).tree
    except InvalidEventError:
        return Identity()
    if default_app_id is not None:
        fill(tree, "kochava_app_id", default_app_id)
    return shown(
        event_id=_read(fields.event_id, tree.get("event_id")),
        app_id=_read(fields.app_id, tree.get("kochava_app_id")),
    )


def _read(rule: Callable[[Any], str | None], value: Any) -> str | None:
    try:
        if (name := rule(value)) is not None:
            name.encode()  # what is no Unicode text cannot be logged either
    except (PydanticCustomError, UnicodeEncodeError):
        return None
    return name
