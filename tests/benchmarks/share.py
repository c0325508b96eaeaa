"""Lambda's share of a core, by the kernel's own quota: memory / 1,769 MB of every 20 ms."""

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FULL_CORE_MB = 1769
PERIOD_US = 20_000
MINIMUM_US = 1_000
"""The least quota that the kernel takes."""


def quota_us(memory: int) -> int:
    """Return the microseconds of a period that a function with so many MB may run."""
    return max(MINIMUM_US, round(PERIOD_US * memory / FULL_CORE_MB))


@contextmanager
def limited(memory: int) -> Iterator[Path | None]:
    """Make a cgroup with the share of so many MB; gone afterwards, once its processes are.

    Yields:
        Its `cgroup.procs`; None where the machine does not let us.
    """
    group = None
    for candidate in _hierarchies():
        group = candidate / f"kochava-bench-{os.getpid()}-{memory}"
        try:
            group.mkdir()
            _set(group, quota_us(memory))
        except OSError:
            with contextlib.suppress(OSError):
                group.rmdir()
            group = None
        else:
            break
    try:
        yield group / "cgroup.procs" if group else None
    finally:
        if group:
            group.rmdir()


def available() -> bool:
    """Tell whether this machine lets us."""
    with limited(FULL_CORE_MB) as procs:
        return procs is not None


def _hierarchies() -> Iterator[Path]:
    """Yield where a cgroup for the processor may be made: version 1 first, then 2."""
    with contextlib.suppress(OSError):
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        for _, folder, kind, options, *_ in mounts:
            if kind == "cgroup" and "cpu" in options.split(","):
                yield Path(folder)
        for _, folder, kind, *_ in mounts:
            if kind == "cgroup2":
                yield Path(folder)


def _set(group: Path, quota: int) -> None:
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
