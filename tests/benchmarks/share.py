"""Lambda's share of a core, by the kernel's own quota: memory / 1,769 MB of every 20 ms."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL_CORE_MB = 1769
PERIOD_US = 20_000
MINIMUM_US = 1_000
"""The least quota that the kernel takes."""

HIERARCHIES = {
    "/sys/fs/cgroup/cpu": {"cpu.cfs_period_us": "{period}", "cpu.cfs_quota_us": "{quota}"},  # version 1
    "/sys/fs/cgroup": {"cpu.max": "{quota} {period}"},  # version 2
}
"""Where a cgroup may be made, and the files that hold its quota."""


def quota_us(memory: int) -> int:
    """Return the microseconds of a period that a function with so many MB may run."""
    return max(MINIMUM_US, round(PERIOD_US * memory / FULL_CORE_MB))


@contextmanager
def limited(memory: int) -> Iterator[Path | None]:
    """Make a cgroup with the share of so many MB; gone afterwards, once its processes are.

    Yields:
        Its `cgroup.procs`; None where the machine does not let us.
    """
    groups = (Path(folder, f"kochava-bench-{os.getpid()}-{memory}") for folder in HIERARCHIES)
    group = next((group for group in groups if _made(group, quota_us(memory))), None)
    try:
        yield group / "cgroup.procs" if group else None
    finally:
        if group:
            group.rmdir()


def available() -> bool:
    """Tell whether this machine lets us."""
    with limited(FULL_CORE_MB) as procs:
        return procs is not None


def _made(group: Path, quota: int) -> bool:
    try:
        group.mkdir()
        for name, text in HIERARCHIES[str(group.parent)].items():
            with (group / name).open("r+") as file:  # the kernel's: one that is not there is not made
                file.write(text.format(quota=quota, period=PERIOD_US))
    except OSError:
        with suppress(OSError):
            group.rmdir()
        return False
    return True
