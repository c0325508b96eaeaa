"""An event loop on which waiting costs nothing: where another would sleep, it moves its clock."""

import asyncio
import selectors
from collections.abc import Mapping
from dataclasses import dataclass
from typing import override

RESOLUTION = 1e-6  # seconds; finer is lost in a float that counts from 1970


class StuckError(Exception):
    """Everything waits and nothing is due: with a real clock this would hang."""


@dataclass(slots=True)
class VirtualClock:
    """Seconds since 1970, moved by whoever has nothing left to do at `now`."""

    now: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on a virtual clock, without sockets and without threads."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(_ClockMover(clock))
        self._clock = clock
        self._clock_resolution = RESOLUTION  # timers due within this are due

    @override
    def time(self) -> float:
        return self._clock.now


class _ClockMover(selectors.BaseSelector):
    """Where a selector waits for its files for some time, this one lets the time pass; its files stay silent."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._files: dict[int, selectors.SelectorKey] = {}

    @override
    def register(self, fileobj: object, events: int, data: object = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()  # type: ignore[attr-defined]
        return self._files.setdefault(number, selectors.SelectorKey(fileobj, number, events, data))  # type: ignore[arg-type]

    @override
    def unregister(self, fileobj: object) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()  # type: ignore[attr-defined]
        return self._files.pop(number)

    @override
    def get_map(self) -> Mapping[int, selectors.SelectorKey]:  # type: ignore[override]
        return self._files

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError
        if timeout > 0:
            self._clock.now += timeout
        return []
