"""The demo's events: what each is, what the sandbox does to it, and how it has to end. Pure."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forwarder_tools.observed import DELIVERED
from forwarder_tools.samples import expectations, few_sample_paths

INVALID = "invalid"
REJECTED = "rejected"
MISCONFIGURED = "misconfigured"
"""Not the event's fault: it waits in the queue, minutes at a time, for a person to mend the settings."""


@dataclass(frozen=True)
class Part:
    """One event of the demo."""

    title: str
    body: str
    device: str | None
    """Its own `kochava_device_id`, by which the sandbox's requests are told apart; None if it names none."""
    faults: tuple[str, ...]
    """What the sandbox answers to the first tries, in turn; afterwards all is well."""
    outcome: str
    tries: int
    """How many requests reach the sandbox."""
    stays: bool = False
    """Whether it waits in the queue until somebody mends what is wrong, instead of ending."""


@dataclass(frozen=True)
class Trouble:
    """What Kochava does to an event before it takes it, if it ever does."""

    title: str
    fault: str
    outcome: str = DELIVERED


TROUBLES = (
    Trouble("Kochava is down at first", "503"),
    Trouble("Kochava asks to wait 2 s", "429:retry-after=2"),
    Trouble("200, but not success at first", "success-false"),
    Trouble("sent, then the connection resets", "reset-after-read"),
    Trouble("Kochava does not know our key", "401*", MISCONFIGURED),
    Trouble("Kochava refuses it for good", "400*", REJECTED),
)


def cast() -> list[Part]:
    """Return the demo's events: the few samples, but for batches, and one event for each trouble."""
    samples = [part for path in few_sample_paths() for part in _from_sample(path)]
    model = next(part for part in samples if part.title == "purchase")
    good = [part for part in samples if part.outcome == DELIVERED]
    bad = [part for part in samples if part.outcome != DELIVERED]
    return [*good, *(_troubled(trouble, model) for trouble in TROUBLES), *bad]


def _from_sample(path: Path) -> list[Part]:
    records = json.loads(path.read_text())["Records"]
    if len(records) > 1:
        return []
    outcome = expectations()[path.name][0].outcome
    title = path.stem.replace("-", " ")
    body = records[0]["body"]
    return [Part(title, body, _device(body), (), outcome, tries=1 if outcome == DELIVERED else 0)]


def _troubled(trouble: Trouble, model: Part) -> Part:
    device = f"KDtest-{trouble.fault.partition(':')[0].rstrip('*')}"
    body = json.dumps(json.loads(model.body) | {"kochava_device_id": device})
    tries = 2 if trouble.outcome == DELIVERED else 1
    stays = trouble.outcome == MISCONFIGURED
    return Part(trouble.title, body, device, (trouble.fault,), trouble.outcome, tries, stays)


def _device(body: str) -> str | None:
    try:
        event: Any = json.loads(body)
    except ValueError:
        return None
    return event.get("kochava_device_id") or None if isinstance(event, dict) else None
