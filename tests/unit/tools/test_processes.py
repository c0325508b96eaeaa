"""What the tools do with the programs they start, and when they are told to end."""

import importlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from forwarder_tools import processes
from forwarder_tools.processes import (
    ROOT,
    ToolError,
    base_environment,
    free_port,
    proxies,
    run,
    tool,
    uninterrupted,
    wait_for,
)

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _run(folder: Path, code: str, seconds: float = 10) -> None:
    run(
        [sys.executable, "-c", code],
        environment=base_environment(),
        folder=folder,
        output=folder / "output",
        seconds=seconds,
    )


def test_a_program_that_fails_is_named_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"ended with status 3:\nno such thing"):
        _run(tmp_path, "print('no such thing'); raise SystemExit(3)")


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"was not done after 0.2 s"):
        _run(tmp_path, "import threading; threading.Event().wait()", seconds=0.2)


def test_only_the_end_of_a_long_output_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as caught:
        _run(tmp_path, "print(*range(100), sep='\\n'); raise SystemExit(1)")
    assert "\n99" in str(caught.value)
    assert "\n50\n" not in str(caught.value)


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interruption_waits_until_what_was_started_is_known(number: signal.Signals) -> None:
    def interrupt(*_: object) -> None:
        raise InterruptedError

    def start() -> None:
        with uninterrupted():
            signal.raise_signal(number)
            started.append("a program")

    started: list[str] = []
    before = signal.signal(number, interrupt)
    try:
        with pytest.raises(InterruptedError):
            start()
    finally:
        signal.signal(number, before)
    assert started


def test_the_handlers_are_back_after_an_exception() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(LookupError), uninterrupted():
        raise LookupError
    assert signal.getsignal(signal.SIGINT) is before


def test_waiting_ends_with_the_first_true_answer_or_says_what_did_not_happen() -> None:
    answers = iter(["", "", "yes"])
    assert wait_for(lambda: next(answers), seconds=10, what="the answer") == "yes"
    with pytest.raises(ToolError, match=r"^the answer did not happen within 0 s$"):
        wait_for(lambda: None, seconds=0, what="the answer")


OF_THE_SHELL = ("AWS_PROFILE", "PYTHONPATH", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


def test_a_started_program_gets_no_aws_settings_of_ours_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_THE_SHELL:
        monkeypatch.setenv(name, "elsewhere")
    environment = base_environment(AWS_REGION="us-east-1")
    assert set(OF_THE_SHELL).isdisjoint(environment)
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_program_that_needs_the_network_gets_the_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert base_environment(**proxies())["https_proxy"] == "http://proxy.example:3128"
    assert "PATH" not in proxies()


def test_a_missing_tool_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    with pytest.raises(ToolError, match=r"^\.tools/sam/bin/sam is not installed: run `make install`$"):
        tool("sam", "bin", "sam")


def test_free_ports_differ() -> None:
    assert len({free_port() for _ in range(5)}) > 1


# ---------------------------------------------------------------------- a command that is told to end

COMMAND = """
import signal, sys
from forwarder_tools.processes import end_on_signals

end_on_signals()
try:
    print("runs", flush=True)
    signal.pause()
except KeyboardInterrupt:
    sys.exit(130)
finally:
    print("tidies up", flush=True)
    sys.stdin.readline()
    print("has tidied up", flush=True)
"""


@contextmanager
def _command(*before: str) -> Iterator[subprocess.Popen[str]]:
    """Start a command that tidies up for as long as it is not given a line."""
    with subprocess.Popen(
        [*before, sys.executable, "-c", COMMAND],
        env=base_environment(PYTHONPATH=str(ROOT / "src")),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "runs\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_command_and_no_other_breaks_off_its_tidying_up(number: signal.Signals) -> None:
    with _command() as command:
        command.send_signal(number)
        assert command.stdout is not None
        assert command.stdout.readline() == "tidies up\n"
        for again in SIGNALS:
            command.send_signal(again)
        output, _ = command.communicate("\n", timeout=10)
    assert (output, command.returncode) == ("has tidied up\n", 128 + number)


def test_a_command_behind_nohup_outlives_its_terminal() -> None:
    with _command("sh", "-c", 'trap "" HUP; exec "$@"', "sh") as command:
        command.send_signal(signal.SIGHUP)
        command.send_signal(signal.SIGTERM)
        output, _ = command.communicate("\n", timeout=10)
    assert (output, command.returncode) == ("tidies up\nhas tidied up\n", 128 + signal.SIGTERM)


class _CalledError(Exception):
    """`end_on_signals` was called."""


MODULES = re.findall(r"\.venv/bin/python -m ([\w.]+)", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("name", MODULES)
def test_each_command_of_the_makefile_ends_on_signals(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def called() -> None:
        raise _CalledError

    package = ROOT.joinpath("src" if name.startswith("forwarder_tools") else ".", *name.split(".")).is_dir()
    command = importlib.import_module(f"{name}.__main__" if package else name)
    monkeypatch.setattr(command, "end_on_signals", called)
    monkeypatch.setattr(sys, "argv", [name, *(["events/purchase.json"] if name.endswith("invoke") else [])])
    with pytest.raises(_CalledError):
        command.main()
