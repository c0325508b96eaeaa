"""What the sandbox got and what it answered: the record that tests, chaos runs and people read."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """One request that the sandbox got, and what became of it.

    Attributes:
        body: the exact bytes; empty when they were not read.
        event: the parsed body; None when it is not one JSON object or was not read.
        headers: names in lower case; a repeated header's values are joined by ", ".
        problems: what breaks the contract, each as `path: what is wrong`.
        answer: what was answered, in short, such as "200 success", "429" or "reset before reading".
        accepted: whether Kochava counted the event, whatever it answered.
        arrived: monotonic seconds at which the request began to arrive.
        connection: the number of the TCP connection, from 1.
    """

    body: bytes
    event: Json | None
    headers: Mapping[str, str]
    problems: tuple[str, ...]
    answer: str
    accepted: bool
    arrived: float
    connection: int

    @property
    def data(self) -> Json:
        """The event's `data`, or an empty object."""
        return _data(self.event)

    @property
    def device(self) -> str | None:
        """The event's `kochava_device_id`, if it is a string."""
        return device_of(self.event)

    @property
    def event_name(self) -> str | None:
        """The event's `event_name`, if it is a string."""
        return name_of(self.event)

    @property
    def title(self) -> str:
        """What a person is shown of it: the event's name, another action, or that it is neither."""
        return self.event_name or _string((self.event or {}).get("action")) or "(no event)"


def device_of(event: Json | None) -> str | None:
    """Return the `kochava_device_id` of a parsed body, if it is a string."""
    return _string((event or {}).get("kochava_device_id"))


def name_of(event: Json | None) -> str | None:
    """Return the `event_name` of a parsed body, if it is a string."""
    return _string(_data(event).get("event_name"))


def _data(event: Json | None) -> Json:
    data = (event or {}).get("data")
    return data if isinstance(data, dict) else {}


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


@dataclass(slots=True)
class Stats:
    """Counts since the start.

    Attributes:
        requests: requests of any kind but those for the report.
        accepted: events that Kochava counted.
        refused: requests that broke the contract or went to a wrong path.
        connections: TCP connections opened.
        in_flight: requests not yet answered.
        peak_in_flight: the most there have been at once.
    """

    requests: int = 0
    accepted: int = 0
    refused: int = 0
    connections: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0


class Ledger:
    """The record. One thread writes, any thread reads."""

    def __init__(self) -> None:
        self.stats = Stats()
        self._received: list[Received] = []
        self._changed = threading.Condition()
        self._since = 0
        self._waiting = 0

    @property
    def received(self) -> list[Received]:
        """A copy of what was received since the last `clear`, in order."""
        with self._changed:
            return self._received.copy()

    def begin(self) -> None:
        """Count a request as in flight."""
        stats = self.stats
        stats.in_flight += 1
        stats.peak_in_flight = max(stats.peak_in_flight, stats.in_flight)

    def end(self) -> None:
        """Count a request as answered or given up."""
        self.stats.in_flight -= 1

    def record(self, received: Received) -> None:
        """Add what was received."""
        with self._changed:
            self._received.append(received)
            self.count(accepted=received.accepted, refused=bool(received.problems))

    def count(self, *, accepted: bool, refused: bool = False) -> None:
        """Count a request without recording it."""
        stats = self.stats
        stats.requests += 1
        stats.accepted += accepted
        stats.refused += refused
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def clear(self) -> None:
        """Forget what was received, so that `received` and `wait_for` start anew; the counts go on."""
        with self._changed:
            self._received.clear()
            self._since = self.stats.requests

    def wait_for(self, number: int, timeout: float) -> list[Received]:
        """Do what `Sandbox.wait_for` says."""
        with self._changed:
            self._waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._count() >= number, timeout):
                    raise TimeoutError(f"received {self._count()} of {number} requests in {timeout:g} s")
            finally:
                self._waiting -= 1
            return self._received.copy()

    def _count(self) -> int:
        return self.stats.requests - self._since
