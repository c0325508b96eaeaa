"""How fast dead letters go to the event queue. Pure: the clock and the waiting are handed in."""

from collections.abc import Callable


class Pace:
    """Keeps to a rate.

    Args:
        rate: messages a second, above 0.
        clock: returns seconds that never go back.
        wait: waits for some seconds.
    """

    def __init__(self, rate: float, clock: Callable[[], float], wait: Callable[[float], object]) -> None:
        self.rate = rate
        self._clock = clock
        self._wait = wait
        self._free_at = clock()

    def take(self, messages: int) -> None:
        """Return when so many messages may go: those before them have had their time by then."""
        now = self._clock()
        if self._free_at > now:
            self._wait(self._free_at - now)
        self._free_at = max(self._free_at, now) + messages / self.rate

    @property
    def at_once(self) -> int:
        """How many messages may go in one call: at most a second's worth, and at least one."""
        return max(1, int(self.rate))
