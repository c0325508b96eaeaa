"""Which event gets which fault: rules, each a row of faults for the events that it matches."""

import math
import random
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, repeat

from forwarder_tools.sandbox.faults import Fault, FaultError

OK = Fault()


@dataclass(frozen=True, slots=True)
class Match:
    """The events a rule is for, by `kochava_device_id` and `event_name`; None matches any."""

    device: str | None = None
    event: str | None = None

    def matches(self, device: str | None, event: str | None) -> bool:
        """Tell whether an event of this device and name is meant."""
        return self.device in {None, device} and self.event in {None, event}


ANY = Match()
"""Every event, even one that was not read."""


class Rule:
    """Faults, one after the other, for the events that it matches.

    Args:
        kinds: all that it can give.
        turns: each once in its turn; without an end, or none when they are used up.
        match: the events it is for.

    Raises:
        FaultError: it has a fault that strikes before the event is read, but is not for any event.
    """

    def __init__(self, kinds: Iterable[Fault], turns: Iterator[Fault], match: Match) -> None:
        for fault in kinds:
            if fault.early and match != ANY:
                raise FaultError(
                    f"{fault.name}: strikes before the event is read, so it cannot be for one;"
                    " use reset-after-read, or match any"
                )
        self.match = match
        self._turns = turns
        self.next = next(turns, None)

    def use(self) -> Fault:
        """Use up the next fault and return it."""
        used, self.next = self.next, next(self._turns, None)
        return used or OK


def script(responses: Collection[tuple[Fault, int | None]], match: Match = ANY) -> Rule:
    """Make a rule of faults in turn, each so many times, or without an end for None."""
    rows = (repeat(fault) if times is None else repeat(fault, times) for fault, times in responses)
    return Rule((fault for fault, _ in responses), chain.from_iterable(rows), match)


def mix(weights: Mapping[Fault, float], seed: int) -> Rule:
    """Make a rule of faults at random by weight, the same sequence for the same seed.

    Raises:
        FaultError: there is nothing to choose from, or a weight is negative or no finite number.
    """
    faults, chances = list(weights), list(weights.values())
    if not (0 < sum(chances) < math.inf and min(chances) >= 0):
        raise FaultError('a mix needs weights from 0 up, one above 0; write it like {"503": 1, "ok": 9}')
    # Chaos has to be repeatable; nothing here is a secret.
    rng = random.Random(seed)  # nosec B311  # noqa: S311 - no cryptography
    return Rule(faults, (rng.choices(faults, chances)[0] for _ in repeat(None)), ANY)


class Plan:
    """All rules, asked in the order in which they were added: the first with a fault for an event decides.

    One thread takes, any thread may add and clear.
    """

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self.add = self._rules.append
        self.clear = self._rules.clear

    def take_early(self) -> Fault | None:
        """Use up and return the fault that strikes before the request is read; None to read it."""
        rule = next((rule for rule in self._rules if rule.next and rule.match == ANY), None)
        return rule.use() if rule and rule.next and rule.next.early else None

    def take(self, device: str | None, event: str | None) -> Fault:
        """Return the fault for an event of this device and name, and use it up."""
        rule = next((rule for rule in self._rules if rule.next and rule.match.matches(device, event)), None)
        return rule.use() if rule else OK
