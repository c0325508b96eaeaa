"""What the tools do with the programs they start."""

import os
import signal
import sys
from pathlib import Path

import pytest

from forwarder_tools import processes
from forwarder_tools.processes import ToolError, base_environment, free_port, run, tool, uninterrupted, wait_for


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
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


def test_a_started_program_gets_no_aws_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = base_environment(AWS_REGION="us-east-1")
    assert {"AWS_PROFILE", "PYTHONPATH"}.isdisjoint(environment)
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["PATH"] == os.environ["PATH"]


def test_a_missing_tool_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    with pytest.raises(ToolError, match=r"^\.tools/sam/bin/sam is not installed: run `make install`$"):
        tool("sam", "bin", "sam")


def test_free_ports_differ() -> None:
    assert len({free_port() for _ in range(5)}) > 1
