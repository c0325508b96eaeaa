"""The project's commands, run beside a test: what they print, and their end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from forwarder_tools.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SECONDS = 20
"""For how long a command that a failed test leaves may tidy up."""


def aws_cli() -> Path:
    """Return the folder of AWS's command line."""
    folder = ROOT / ".tools" / "aws" / "bin"
    assert folder.is_dir(), "the AWS CLI is missing: run `make test`, which fetches it"
    return folder


@contextmanager
def python(*arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run Python in the project's folder, with output and errors in one pipe; end it if it still runs."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def printed_until(process: subprocess.Popen[str], mark: str) -> str:
    """Return what a command prints up to the line that has the mark, or all of it if none has."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if mark in line:
            break
    return "".join(lines)
