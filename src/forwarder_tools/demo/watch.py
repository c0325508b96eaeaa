"""Where each event of the demo is at this moment, and whether it ended where it should. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from forwarder_tools.demo.cast import Part
from forwarder_tools.localcloud import Message
from forwarder_tools.observed import DELIVERED, Logged, dead_letters, requests_of
from forwarder_tools.sandbox import Received


class Place(StrEnum):
    """Where an event can be."""

    QUEUED = "queued"
    IN_FLIGHT = "in flight"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead-lettered"
    LOST = "lost"


ENDS = (Place.DELIVERED, Place.DEAD, Place.LOST)


@dataclass(frozen=True)
class Sight:
    """Everything that can be seen from outside at one moment."""

    queue: Sequence[Message]
    dead: Sequence[Message]
    log: Sequence[Logged]
    received: Sequence[Received]


@dataclass(frozen=True)
class State:
    """One event at that moment."""

    part: Part
    place: Place
    outcome: str
    """The last one that is known; empty before the first."""
    why: str
    requests: tuple[Received, ...]
    dead: Message | None = None
    """Its message in the dead-letter queue, if it is there."""

    @property
    def settled(self) -> bool:
        """Whether it is where it will stay."""
        waits = self.place is Place.WAITING and self.outcome == self.part.outcome
        return self.place in ENDS or (waits and self.part.stays)

    @property
    def wrong(self) -> str:
        """What is not as it should be; empty if all is well."""
        part, tries = self.part, len(self.requests)
        wanted = f"stayed in the queue, {part.outcome}" if part.stays else f"ended {part.outcome}"
        changed = self.dead is not None and self.dead.body != part.body
        faults = (
            (not self.settled, f"still {self.place}, should have {wanted}"),
            (self.place is Place.LOST, f"lost, should have {wanted}"),
            (self.outcome != part.outcome, f"ended {self.outcome}, should have {wanted}"),
            (tries != part.tries, f"reached Kochava {tries} times, should have {part.tries} times"),
            (changed, "changed on its way to the dead-letter queue"),
        )
        return next((fault for is_so, fault in faults if is_so), "")


def states(parts: Mapping[str, Part], sight: Sight) -> list[State]:
    """Return where every event is.

    Args:
        parts: the published events by their message ids.
        sight: what was seen; the queues first, then the rest, so that nothing is seen gone too early.
    """
    waiting = {message.id: message for message in sight.queue}
    dead = dead_letters(sight.dead)
    return [
        _state(
            part,
            waiting.get(name),
            dead.get(name),
            [entry for entry in sight.log if entry.message_id == name],
            sight.received,
        )
        for name, part in parts.items()
    ]


def _state(
    part: Part,
    queued: Message | None,
    dead: Message | None,
    log: Sequence[Logged],
    received: Sequence[Received],
) -> State:
    requests = tuple(requests_of(part.device, received))
    if queued is not None:
        last = log[-1] if log else None
        outcome, why = (last.outcome, last.detail) if last else ("", "")
        return State(part, _place_in_queue(queued, len(log)), outcome, why, requests)
    if dead is not None:
        attributes = dead.attributes
        return State(part, Place.DEAD, attributes.get("reason", ""), attributes.get("detail", ""), requests, dead)
    if any(request.accepted for request in requests):
        return State(part, Place.DELIVERED, DELIVERED, _story(requests), requests)
    return State(part, Place.LOST, "", "", requests)


def _place_in_queue(message: Message, tries_logged: int) -> Place:
    if not message.receives:
        return Place.QUEUED
    return Place.IN_FLIGHT if message.receives > tries_logged and not message.visible else Place.WAITING


def _story(requests: Sequence[Received]) -> str:
    return ", then ".join(request.answer for request in requests) if len(requests) > 1 else ""


def tally(seen: Sequence[State]) -> dict[Place, int]:
    """Return how many events are where; every place is there, except for lost ones when there are none."""
    counts = Counter(state.place for state in seen)
    return {place: counts[place] for place in Place if place is not Place.LOST or counts[place]}


def settled(seen: Sequence[State]) -> bool:
    """Tell whether every event is where it will stay."""
    return all(state.settled for state in seen)
