"""The programs of a cell: started, asked line by line, ended."""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forwarder_tools.processes import ToolError, last_lines, uninterrupted

type Json = dict[str, Any]

ANSWER_SECONDS = 120.0
END_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """A running program that answers each line with a line of JSON."""

    process: subprocess.Popen[str]
    errors: Path

    def ask(self, line: str) -> Json:
        """Send a line, which the program reads when it has started, and return the answer.

        Raises:
            ToolError: none came in time, or the program has ended.
        """
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            raise ToolError(f"a program of the benchmark did not answer within {ANSWER_SECONDS:g} s")
        if not (answer := self.process.stdout.readline()):
            raise ToolError(f"a program of the benchmark ended:\n{last_lines(self.errors)}")
        return dict(json.loads(answer))


@contextmanager
def program(
    python: str | Path, module: str, argument: str, environment: Mapping[str, str], core: int
) -> Iterator[Program]:
    """Run a module of the benchmark on one core beside the body of the `with`."""
    process = None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        errors = Path(folder) / "errors"
        try:
            with errors.open("w") as file, uninterrupted():
                process = subprocess.Popen(
                    [python, "-m", f"tests.benchmarks.{module}", argument],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                )
                os.sched_setaffinity(process.pid, {core})
            yield Program(process, errors)
        finally:
            if process is not None:
                with uninterrupted():
                    process.kill()  # at once: a handler may be in the middle of anything, and it keeps nothing
                    process.communicate(timeout=END_SECONDS)


def cores() -> tuple[int, int]:
    """Return the core for the contender and the one for the stand-in; the same one where there is only one.

    Raises:
        ToolError: this system cannot pin a process to a core.
    """
    if sys.platform != "linux":
        raise ToolError("the benchmark pins programs to cores and limits their share: it runs on Linux")
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]
