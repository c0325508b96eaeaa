"""The programs of a cell: started, asked line by line, ended."""

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from forwarder_tools.processes import LAST_LINES, ToolError, uninterrupted

type Json = dict[str, Any]

ANSWER_SECONDS = 120.0
END_SECONDS = 5.0


class Program:
    """A running program that answers each line with a line of JSON."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def ask(self, line: str) -> Json:
        """Send a line and return the answer.

        Raises:
            ToolError: none came in time, or the program has ended.
        """
        self.tell(line)
        return self.answer()

    def tell(self, line: str) -> None:
        """Send a line, which the program reads when it is through with what came before.

        Raises:
            ToolError: the program has ended.
        """
        assert self._process.stdin
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ToolError(f"a program of the benchmark ended:\n{self._last_words()}") from None

    def answer(self) -> Json:
        """Return the next line that the program says by itself.

        Raises:
            ToolError: none came in time, or the program has ended.
        """
        assert self._process.stdout
        ready, _, _ = select.select([self._process.stdout], [], [], ANSWER_SECONDS)
        if not ready:
            raise ToolError(f"a program of the benchmark did not answer within {ANSWER_SECONDS:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise ToolError(f"a program of the benchmark ended:\n{self._last_words()}")
        return dict(json.loads(line))

    def _last_words(self) -> str:
        return "\n".join(self._errors.read_text(errors="replace").splitlines()[-LAST_LINES:])


@contextmanager
def program(
    python: str | Path, module: str, arguments: Sequence[str], environment: Mapping[str, str], core: int
) -> Iterator[Program]:
    """Run a module of the benchmark on one core beside the body of the `with`.

    Yields:
        The program, which has yet to say its first line.
    """
    process = None
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        errors = Path(folder) / "errors"
        try:
            with errors.open("w") as file, uninterrupted():
                process = subprocess.Popen(
                    [python, "-m", f"tests.benchmarks.{module}", *arguments],
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
                    _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    assert process.stdout
    process.kill()  # at once: a handler may be in the middle of anything, and it keeps nothing
    process.wait(END_SECONDS)
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.close()


def cores() -> tuple[int, int]:
    """Return the core for the contender and the one for the stand-in; the same one where there is only one.

    Raises:
        ToolError: this system cannot pin a process to a core.
    """
    if sys.platform != "linux":
        raise ToolError("the benchmark pins programs to cores and limits their share: it runs on Linux")
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]
