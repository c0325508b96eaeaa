"""What is published, from a seed: good events, invalid ones, aged ones, and some that are repeated. Pure."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forwarder_tools.samples import expectations, few_sample_paths, read_sample

APP = "kotest-app-1"

EVENTS_PER_GROUP = 20
INVALID, TWICE, AGAIN, AGED = 0.03, 0.03, 0.03, 0.01
"""The shares of events that are invalid; published twice at once; repeated by their producer later; and published
before all others, so long ago that they are never tried."""

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
    aged: bool = False
    """Whether it is past the retry horizon when the function first sees it."""

    @property
    def invalid(self) -> bool:
        """Whether it breaks the publishers' contract."""
        return self.device is None


def publications(number: int, seed: int) -> list[Event]:
    """Return that many events in the order in which they are published, aged ones first; a repeated one twice."""
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
        if kind >= 1 - AGED:
            places.append((-1, replace(event, aged=True)))
            continue
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
    """Return the bodies of the few samples that end so; samples of several records are left out."""
    table = expectations()
    return [
        read_sample(path)["Records"][0]["body"]
        for path in few_sample_paths()
        if [row.outcome for row in table[path.name]] == [outcome]
    ]
