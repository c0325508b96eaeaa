"""What became of a record, put together from what can be seen from outside: log, queues, sandbox."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forwarder_tools.localcloud import Message
from forwarder_tools.sandbox import Received

DELIVERED = "delivered"


@dataclass(frozen=True)
class Logged:
    """What the function's log says of one try of one record."""

    message_id: str
    outcome: str
    detail: str


def logged(lines: Iterable[str]) -> list[Logged]:
    """Return every outcome that the function's log names; lines that name none are left out."""
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"message_id", "outcome"} <= entry.keys():
            found.append(Logged(entry["message_id"], entry["outcome"], str(entry.get("detail", ""))))
    return found


def dead_letters(messages: Iterable[Message]) -> dict[str, Message]:
    """Return the dead-lettered messages by the id that they had in the event queue."""
    return {message.attributes.get("sourceMessageId", message.id): message for message in messages}


def requests_of(device: str | None, received: Sequence[Received]) -> list[Received]:
    """Return what the sandbox received of one device, in order; nothing of none."""
    return [request for request in received if device is not None and request.device == device]
