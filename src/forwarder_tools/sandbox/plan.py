"""Which event gets which fault: scripts, used up in turn, and seeded random mixes."""

import math
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from forwarder_tools.sandbox.faults import Fault, FaultError, Repeat

OK = Fault()


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

    def next(self) -> Fault | None:
        """Return the fault for the next event and keep it; None when there is none left, for good."""

    def use(self) -> None:
        """Go on to the fault after."""


class Script:
    """Faults in turn, then no more.

    Args:
        responses: what happens, in order.
        match: the events it is for.
        until: the monotonic time at which it ends, if it does.
    """

    def __init__(
        self,
        responses: tuple[Repeat, ...],
        match: Match = Match(),
        until: float = math.inf,
    ) -> None:
        self.match = match
        self.faults = tuple(response.fault for response in responses)
        self._responses = list(responses)
        self._until = until
        self._used = 0  # how often the first of what is left was

    def next(self) -> Fault | None:
        """Return the fault of the current response."""
        return self._responses[0].fault if self._responses and time.monotonic() < self._until else None

    def use(self) -> None:
        """Count one use of the current response."""
        self._used += 1
        if self._used == self._responses[0].times:
            self._used = 0
            del self._responses[0]


class Mix:
    """Faults at random by weight, the same sequence for the same seed.

    Raises:
        FaultError: there is nothing to choose from, or a weight is negative or no finite number.
    """

    def __init__(self, weights: Mapping[Fault, float], seed: int, match: Match) -> None:
        self.match = match
        self.faults = tuple(weights)
        self._weights = list(weights.values())
        if not (0 < sum(self._weights) < math.inf and min(self._weights) >= 0):
            raise FaultError('a mix needs weights from 0 up, one above 0; write it like {"503": 1, "ok": 9}')
        # Chaos has to be repeatable; nothing here is a secret.
        self._rng = random.Random(seed)  # noqa: S311 - no cryptography
        self._drawn: Fault | None = None

    def next(self) -> Fault | None:
        """Return the fault that was drawn, drawing it first when needed."""
        self._drawn = self._drawn or self._rng.choices(self.faults, self._weights)[0]
        return self._drawn

    def use(self) -> None:
        """Draw anew next time."""
        self._drawn = None


class Plan:
    """All rules, asked in the order in which they were added: the first with a fault for an event decides.

    Thread-safe.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()

    def add(self, rule: Rule) -> None:
        """Add a rule after the others.

        Raises:
            FaultError: it has a fault that strikes before the event is read, but is not for any event.
        """
        for fault in rule.faults:
            if fault.early and not rule.match.any:
                raise FaultError(
                    f"{fault.name}: strikes before the event is read, so it cannot be for one;"
                    " use reset-after-read, or match any"
                )
        with self._lock:
            self._rules = (*self._rules, rule)

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
                fault = rule.next() if rule.match.any else None
                if fault is not None:
                    return self._use(rule, fault) if fault.early else None
        return None

    def take(self, device: str | None, event: str | None) -> Fault:
        """Return the fault for an event of this device and name, and use it up."""
        if not self._rules:
            return OK
        with self._lock:
            for rule in self._rules:
                fault = rule.next() if rule.match.matches(device, event) else None
                if fault is not None:
                    return self._use(rule, fault)
        return OK

    def _use(self, rule: Rule, fault: Fault) -> Fault:
        rule.use()
        self._rules = tuple(rule for rule in self._rules if rule.next() is not None)
        return fault
