"""Which event a body is, whatever else is wrong with it: what its publisher can find it by. Pure."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic_core import PydanticCustomError

from kochava_forwarder.contract import fields
from kochava_forwarder.contract.envelopes import open_body
from kochava_forwarder.contract.problems import InvalidEventError


class Identity(NamedTuple):
    """What an event is called; None where its body does not say it, or not as the contract wants it.

    Args:
        event_id: the publisher's idempotency key.
        app_id: Kochava's app GUID.
    """

    event_id: str | None = None
    app_id: str | None = None


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
    given = tree.get("kochava_app_id")
    return Identity(
        event_id=_read(fields.event_id, tree.get("event_id")),
        app_id=_read(fields.app_id, default_app_id if given is None else given),
    )


def _read(rule: Callable[[Any], str | None], value: Any) -> str | None:
    try:
        if (name := rule(value)) is not None:
            name.encode()  # what is no Unicode text cannot be logged either
    except (PydanticCustomError, UnicodeEncodeError):
        return None
    return name
