"""The demo as a person runs it: it ends well, and an interrupted one leaves nothing running."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from forwarder_tools.processes import ROOT, wait_for
from tests.e2e.commands import printed_until, python

type ProcessesWith = Callable[[str], list[str]]


def _demo(folder: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start the demo; what it starts is found by the folder for its temporary files."""
    return python("-m", "forwarder_tools.demo", environment=os.environ | {"TMPDIR": str(folder)})


def test_every_event_of_the_demo_ends_where_it_should(tmp_path: Path, processes_with: ProcessesWith) -> None:
    with _demo(tmp_path) as demo:
        output, _ = demo.communicate(timeout=100)
    assert demo.returncode == 0, output
    assert "none lost" in output
    assert processes_with(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "after", "status"),
    [(signal.SIGINT, "publish", 130), (signal.SIGTERM, "start the sandbox", 143)],
    ids=["Ctrl-C while events go through", "SIGTERM while it deploys"],
)
def test_an_interrupted_demo_leaves_nothing(
    tmp_path: Path, processes_with: ProcessesWith, number: signal.Signals, after: str, status: int
) -> None:
    with _demo(tmp_path) as demo:
        printed_until(demo, after)
        wait_for(lambda: len(processes_with(str(tmp_path))) > 1, seconds=10, what="the start of the cloud")
        demo.send_signal(number)
        output, _ = demo.communicate(timeout=10)
    assert demo.returncode == status, output
    assert processes_with(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


ON_A_TERMINAL = """
import fcntl, os, sys, termios

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "forwarder_tools.demo"])
"""


def test_a_demo_whose_terminal_is_closed_leaves_nothing(tmp_path: Path, processes_with: ProcessesWith) -> None:
    ours, its = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as demo:
        try:
            os.close(its)
            with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 - a file descriptor has no path
                shown = b""
                while b"watch" not in shown:
                    shown += terminal.read(1024)
            assert demo.wait(10) == 128 + signal.SIGHUP
        finally:
            demo.kill()
    assert processes_with(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []
