"""Programs that the tools start: each in a process group of its own, which ends whole, whatever happens."""

import contextlib
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

POLL_SECONDS = 0.05
LAST_LINES = 15

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What ends a tool: Ctrl-C, `kill`, and a terminal that is closed."""

TIDYING_SECONDS = 30
"""For how long an interruption may take effect, before another one is heeded."""

STANDARD_STREAMS = (1, 2)
"""The file descriptors of what a command prints."""

NO_AWS_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
"""Keeps AWS tools and libraries from ~/.aws: what it says of endpoints even overrules `AWS_ENDPOINT_URL`."""

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

ROOT = Path(__file__).parents[2]
"""The project's folder, if the tools run from a checkout; see `require_checkout`."""


class ToolError(Exception):
    """What a person must know and can do something about, in one line (or with a program's last words)."""


def require_checkout(command: str) -> None:
    """Check that the tools run in a checkout of the project.

    Args:
        command: what needs it, for the error.

    Raises:
        ToolError: they do not.
    """
    if not (ROOT / "Makefile").exists():
        raise ToolError(
            f"{command} needs a checkout of the project: clone it, run `make install`, and use its own"
        )


def tool(name: str, *parts: str) -> Path:
    """Return the path of a program or folder in one of the project's tool environments.

    Args:
        name: the environment in `.tools`, such as `sam`.
        parts: the path inside it.

    Raises:
        ToolError: it is not there.
    """
    path = ROOT / ".tools" / name
    path = path.joinpath(*parts)
    if not path.exists():
        raise ToolError(f"{path.relative_to(ROOT)} is not installed: run `make install`")
    return path


def base_environment(**more: str) -> dict[str, str]:
    """Return the environment for a started program: this one's without AWS, Python and proxy settings, and `more`.

    A forgotten AWS profile or key must not reach a program that could use it, and what is on this machine is not
    reached through a proxy.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PYTHON")) and name.lower() not in PROXIES
    }
    return {**kept, **NO_AWS_FILES, **more}


def proxies() -> dict[str, str]:
    """Return this environment's proxy settings, for a program that may have to reach the network."""
    return {name: value for name, value in os.environ.items() if name.lower() in PROXIES}


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port of one of this machine's addresses that nobody listens on at this moment."""
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for[T](condition: Callable[[], T], *, seconds: float, what: str) -> T:
    """Ask again and again until the answer is true.

    Args:
        condition: what is asked.
        seconds: how long at most.
        what: names the thing waited for, for the error.

    Returns:
        The first true answer.

    Raises:
        ToolError: none came in time.
    """
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise ToolError(f"{what} did not happen within {seconds:g} s")
        time.sleep(POLL_SECONDS)
    return answer


@contextmanager
def running(
    arguments: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path, output: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside the body of the `with`; afterwards it and everything that it started are gone.

    Args:
        arguments: the program and its arguments.
        environment: its whole environment.
        folder: where it runs.
        output: the file that takes what it prints.

    Yields:
        The running program.
    """
    process = None
    try:
        with output.open("ab") as file, uninterrupted():
            process = subprocess.Popen(
                arguments,
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        yield process
    finally:
        if process is not None:
            with uninterrupted():
                _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # Killed outright: whatever they keep lives in a folder that is removed next, and a polite end is
    # what leaves children behind.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back interruptions until the block is done: what it starts is known by then, and can be ended."""
    if threading.current_thread() is not threading.main_thread():  # only that one is ever interrupted
        yield
        return
    held: list[int] = []
    before = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    for number in before:
        signal.signal(number, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for interruption in held:
        signal.raise_signal(interruption)


def run(
    arguments: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: Path,
    seconds: float,
) -> None:
    """Run a program to its end.

    Raises:
        ToolError: it failed or was not done within `seconds`; says its last lines.
    """
    name = Path(arguments[0]).name
    with running(arguments, environment=environment, folder=folder, output=output) as process:
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ToolError(f"{name} was not done after {seconds:g} s:\n{last_lines(output)}") from None
    if status != 0:
        raise ToolError(f"{name} ended with status {status}:\n{last_lines(output)}")


def last_lines(output: Path) -> str:
    """Return the end of what a program printed."""
    return "\n".join(output.read_text(errors="replace").splitlines()[-LAST_LINES:])


def silence(streams: Sequence[int]) -> None:
    """Let what is written to these go nowhere: to write to a terminal that is closed would fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream)
    os.close(nowhere)


def interruptions() -> list[signal.Signals]:
    """Return the signals that are to end a tool: not those that it was started to ignore, as by nohup."""
    return [number for number in INTERRUPTIONS if signal.getsignal(number) is not signal.SIG_IGN]


def end_on_signals() -> None:
    """Make SIGTERM and a closed terminal leave through every `finally`, as Ctrl-C does: a command calls it first.

    The first one counts, and for half a minute what follows is ignored: a terminal that closes may send two, a
    person presses Ctrl-C again, and either would break off the tidying up. After that another one counts, since
    Python drops an exception that strikes while an object is finalised.
    """
    heeded = interruptions()
    last = -math.inf
    terminals = [stream for stream in STANDARD_STREAMS if os.isatty(stream)]

    def leave(number: int, _frame: FrameType | None) -> None:
        nonlocal last
        if time.monotonic() < last + TIDYING_SECONDS:
            return
        last = time.monotonic()
        if number == signal.SIGHUP:
            silence(terminals)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)

    for number in heeded:
        signal.signal(number, leave)
