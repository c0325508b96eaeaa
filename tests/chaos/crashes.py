"""Kills the function's workers, which are processes of the local cloud, at random moments of a run."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from forwarder_tools.background import Background

PROCESSES = Path("/proc")
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Crash:
    """The sudden end of one worker, with whatever it had in hand."""

    worker: int
    """Its process id."""
    at: float
    """Monotonic seconds."""


class Crashes(Background):
    """Kills workers while the `with` block runs, and sees every one that ends, for whatever reason.

    Args:
        folder: where the cloud writes, by which its workers are known.
        function: the function's name.
        progress: how far the run is.
        moments: at which progress a worker is killed.
        seed: decides which one.
    """

    def __init__(
        self, folder: Path, function: str, progress: Callable[[], int], moments: Sequence[int], seed: int
    ) -> None:
        super().__init__("crashes")
        self.seen: list[Crash] = []
        self.killed = 0
        self._workers = partial(workers, folder, function)
        self._progress = progress
        self._moments = sorted(moments)
        self._rng = random.Random(seed)  # noqa: S311 - no cryptography
        self._over = threading.Event()

    def stop(self) -> None:
        """Kill no more."""
        self._over.set()

    def run(self) -> None:
        """Look, and kill, a few times in a tenth of a second."""
        known: set[int] = set()
        while not self._over.wait(POLL_SECONDS):
            alive = self._workers()
            now = time.monotonic()
            self.seen += [Crash(worker, now) for worker in sorted(known - alive)]
            known = alive
            if alive and self._moments and self._progress() >= self._moments[0]:
                self._moments.pop(0)
                victim = self._rng.choice(sorted(alive))
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    self.killed += 1
                self.seen.append(Crash(victim, now))
                known.discard(victim)


def workers(folder: Path, function: str) -> set[int]:
    """Return the process ids of a function's workers; none on a system without `/proc`.

    Args:
        folder: where the cloud writes, by which its workers are known.
        function: the function's name.
    """
    mark = f"{folder}/ministack-lambda-{function}-".encode()
    return {int(path.name) for path in PROCESSES.glob("[0-9]*") if mark in _command(path)}


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""
