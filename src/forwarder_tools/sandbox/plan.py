"""Which event gets which fault: scripts played in turn, and seeded random mixes."""

import math
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from forwarder_tools.sandbox.faults import Fault, FaultError, Turn

WELL = Fault()


@dataclass(frozen=True, slots=True)
class Match:
    """The events a rule is for; None matches any.

    Attributes:
        device: the `kochava_device_id`.
        event: the `event_name`.
    """

    device: str | None = None
    event: str | None = None

    @property
    def any(self) -> bool:
        """Whether it matches every event, even one that was not read."""
        return self == Match()

    def matches(self, device: str | None, event: str | None) -> bool:
        """Tell whether an event of this device and name is meant."""
        return self.device in {None, device} and self.event in {None, event}


class Rule(Protocol):
    """A source of faults for the events it matches."""

    @property
    def match(self) -> Match:
        """The events it is for."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All it can give."""

    def next(self, device: str | None) -> Fault | None:
        """Return the fault for the next event of this device and keep it; None when there is none left."""

    def use(self, device: str | None) -> None:
        """Go on to the fault after."""

    @property
    def over(self) -> bool:
        """Whether it will never give a fault again."""

    def describe(self) -> str:
        """Return the rule in one line."""


@dataclass(slots=True)
class Script:
    """Faults in turn, then no more.

    Attributes:
        turns: what happens, in order.
        match: the events it is for.
        each_device: every device goes through the script by itself, from its start.
        until: the monotonic time at which it ends, if it does.
    """

    turns: tuple[Turn, ...]
    match: Match = Match()
    each_device: bool = False
    until: float | None = None
    _places: dict[str | None, tuple[int, int]] = field(default_factory=dict)  # (turn, how often it was used)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All it can give."""
        return tuple(turn.fault for turn in self.turns)

    def next(self, device: str | None) -> Fault | None:
        """Return the fault of the current turn."""
        turn, _ = self._place(device)
        return None if self._late or turn == len(self.turns) else self.turns[turn].fault

    def use(self, device: str | None) -> None:
        """Count one use of the current turn."""
        turn, used = self._place(device)
        last = used + 1 == self.turns[turn].times
        self._places[device if self.each_device else None] = (turn + 1, 0) if last else (turn, used + 1)

    @property
    def over(self) -> bool:
        """Whether the time is up or every turn is used."""
        return self._late or (not self.each_device and self.next(None) is None)

    def describe(self) -> str:
        """Return the rule in one line."""
        who = " for each device" if self.each_device else ""
        return f"script{who}: {', '.join(map(str, self.turns))}"

    @property
    def _late(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until

    def _place(self, device: str | None) -> tuple[int, int]:
        return self._places.get(device if self.each_device else None, (0, 0))


class Mix:
    """Faults at random by weight, the same sequence for the same seed.

    Raises:
        FaultError: there is nothing to choose from, or a weight is negative or no finite number.
    """

    over = False

    def __init__(self, weights: Mapping[Fault, float], seed: int, match: Match) -> None:
        self.match = match
        self.faults = tuple(weights)
        self._weights = list(weights.values())
        if not (0 < sum(self._weights) < math.inf and min(self._weights) >= 0):
            raise FaultError('a mix needs weights from 0 up, one above 0; write it like {"503": 1, "well": 9}')
        self._seed = seed
        # Chaos has to be repeatable; nothing here is a secret.
        self._random = random.Random(seed)  # noqa: S311 - no cryptography
        self._drawn: Fault | None = None

    def next(self, device: str | None) -> Fault | None:
        """Return the fault that was drawn, drawing it first when needed."""
        del device
        self._drawn = self._drawn or self._random.choices(self.faults, self._weights)[0]
        return self._drawn

    def use(self, device: str | None) -> None:
        """Draw anew next time."""
        del device
        self._drawn = None

    def describe(self) -> str:
        """Return the rule in one line."""
        pairs = zip(self.faults, self._weights, strict=True)
        return f"mix of seed {self._seed}: {', '.join(f'{fault.name}={weight:g}' for fault, weight in pairs)}"


class Plan:
    """All rules, asked in the order in which they were added: the first with a fault for an event decides.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that can still give a fault."""
        return tuple(rule for rule in self._rules if not rule.over)

    def add(self, rule: Rule) -> None:
        """Add a rule after the others.

        Raises:
            FaultError: it has a fault that strikes before the event is read, but is not for any event.
        """
        each = isinstance(rule, Script) and rule.each_device
        for fault in rule.faults:
            if fault.early and (each or not rule.match.any):
                raise FaultError(
                    f"{fault.name}: strikes before the event is read, so it cannot be for one;"
                    " use reset-after-read, or match any"
                )
        with self._lock:
            self._rules = (*self.rules, rule)

    def clear(self) -> None:
        """Forget all rules."""
        with self._lock:
            self._rules = ()

    def take_early(self) -> Fault | None:
        """Use up and return the fault that strikes before the request is read; None to read it."""
        if not self._rules:
            return None
        with self._lock:
            for rule in self._rules:
                fault = rule.next(None) if rule.match.any else None
                if fault is not None:
                    return self._use(rule, None, fault) if fault.early else None
        return None

    def take(self, device: str | None, event: str | None) -> Fault:
        """Return the fault for an event of this device and name, and use it up."""
        if not self._rules:
            return WELL
        with self._lock:
            for rule in self._rules:
                fault = rule.next(device) if rule.match.matches(device, event) else None
                if fault is not None:
                    return self._use(rule, device, fault)
        return WELL

    def _use(self, rule: Rule, device: str | None, fault: Fault) -> Fault:
        rule.use(device)
        if rule.over:
            self._rules = self.rules
        return fault
