"""What is published, from a seed: good events, invalid ones, and events that their producer repeats. Pure."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from forwarder_tools.samples import expectations, read_sample, sample_paths

APP = "kotest-app-1"

EVENTS_PER_GROUP = 20
INVALID, TWICE, AGAIN = 0.03, 0.03, 0.03
"""The shares of events that are invalid; published twice at once; and repeated by their producer later."""

LATER = (10, 200)
"""How many messages later."""


@dataclass(frozen=True)
class Event:
    """One event; the same object stands for each of its messages."""

    number: int
    device: str | None
    """Its own `kochava_device_id`, by which the sandbox's requests are told apart; None if it is invalid."""
    body: str
    group: str
    """Its message group, on a FIFO queue."""
    event_id: str | None = None
    """The publisher's idempotency key; only events with one are repeated."""

    @property
    def invalid(self) -> bool:
        """Whether it breaks the publishers' contract."""
        return self.device is None


def publications(number: int, seed: int) -> list[Event]:
    """Return that many events in the order in which they are published; a repeated one is there twice."""
    # Chaos has to be repeatable; nothing here is a secret.
    rng = random.Random(seed)  # noqa: S311 - no cryptography
    good, bad = _bodies("delivered"), _bodies("invalid")
    groups = max(1, number // EVENTS_PER_GROUP)
    places: list[tuple[float, Event]] = []
    for place in range(number):
        group = f"group-{rng.randrange(groups)}"
        kind = rng.random()
        if kind < INVALID:
            places.append((place, Event(place, None, rng.choice(bad), group)))
            continue
        repeated = kind < INVALID + TWICE + AGAIN
        event = _good(place, rng.choice(good), group, repeated=repeated)
        places.append((place, event))
        if kind < INVALID + TWICE:
            places.append((place, event))
        elif repeated:
            places.append((place + 0.5 + rng.randint(*LATER), event))
    places.sort(key=lambda pair: pair[0])
    return [event for _, event in places]


def _good(number: int, body: str, group: str, *, repeated: bool) -> Event:
    device = f"KDchaos-{number}"
    event_id = f"chaos-{number}" if repeated else None
    own = {"kochava_app_id": APP, "kochava_device_id": device} | ({"event_id": event_id} if event_id else {})
    return Event(number, device, json.dumps(json.loads(body) | own), group, event_id)


def _bodies(outcome: str) -> Sequence[str]:
    """Return the bodies of the samples that end so; samples of several records are left out."""
    table = expectations()
    return [
        read_sample(path)["Records"][0]["body"]
        for path in sample_paths()
        if [row.outcome for row in table[path.name]] == [outcome]
    ]
