"""What the end-to-end tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest

PROCESSES = Path("/proc")


@pytest.fixture(scope="session")
def processes_with() -> Callable[[str], list[str]]:
    """Finds running processes by a text in their environment, which what they start inherits."""
    if not (PROCESSES / "self" / "environ").exists():
        pytest.skip("this system has no /proc to find processes in")

    def find(text: str) -> list[str]:
        found = []
        for folder in PROCESSES.glob("[0-9]*"):
            try:
                if text.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it has just ended
                continue
        return found

    return find
