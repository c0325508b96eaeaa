"""The base of everything that works on a thread of its own beside the body of a `with`."""

import threading
from abc import ABC, abstractmethod
from typing import Self


class Background(ABC):
    """Runs `run` on a thread while the `with` block runs.

    Args:
        name: the thread's name.
    """

    def __init__(self, name: str) -> None:
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def run(self) -> None:
        """Work until `stop` is called."""

    @abstractmethod
    def stop(self) -> None:
        """Make `run` return."""

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until the thread has ended."""
        self.stop()
        self._thread.join()
