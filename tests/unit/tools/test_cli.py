"""The command line as a whole: what it lists, imports and says when something is wrong."""

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from forwarder_tools import checkout, cli, processes
from forwarder_tools.cli import COMMANDS, NAME, main
from forwarder_tools.deadletters.commands import dlq
from forwarder_tools.processes import ROOT, ToolError


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {name}" in shown and command.help in shown for name, command in COMMANDS.items())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    assert isinstance(cli.cli.get_command(click.Context(cli.cli), name), click.Command)


def test_the_help_imports_no_command() -> None:
    code = """
import sys
from forwarder_tools.cli import main
main(["--help"])
print({"boto3", "rich"} & {*sys.modules})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.endswith("set()\n")


def test_without_its_extra_the_command_line_names_it() -> None:
    code = "import sys; sys.modules['click'] = None; from forwarder_tools.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    said = "kochava-forwarder: click is not installed: install kochava-forwarder[cli], with its brackets\n"
    assert (done.returncode, done.stderr) == (1, said)


COMMAND_LINES = [
    line
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
    for line in re.findall(r"^(?:kochava-forwarder|make dlq) .*$", document.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_every_command_line_of_the_documents_is_understood(line: str) -> None:
    words = shlex.split(line.partition(" | ")[0])
    words = ["dlq", *shlex.split(words[2].removeprefix("ARGS="))] if words[0] == "make" else words[1:]
    context = click.Context(cli.cli)
    command: click.Command = cli.cli
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert name
        assert found
        command = found
    assert command.make_context(command.name, words)


def test_the_documents_have_a_command_line_of_every_kind() -> None:
    assert {line.split()[2] for line in COMMAND_LINES if line.startswith(f"{NAME} dlq")} == {*dlq.commands}
    assert any(line.startswith(f"{NAME} status") for line in COMMAND_LINES)


def test_an_unknown_command_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "No such command 'fly'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["demo", "invoke", "sandbox"])
def test_a_tool_gets_its_command_line_and_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(arguments: tuple[str, ...], prog: str) -> int:
        ran.append((arguments, prog))
        return 3

    ran: list[tuple[tuple[str, ...], str]] = []
    monkeypatch.setattr(importlib, "import_module", lambda _: SimpleNamespace(main=run))
    command = checkout.__dict__[name]
    assert command.main(["--help", "a", "--fault", "503"], standalone_mode=False) == 3
    assert ran == [(("--help", "a", "--fault", "503"), f"{NAME} {name}")]


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with the command line installed: no checkout, no Docker, no AWS."""
    for package in ("forwarder_tools", "kochava_forwarder"):
        (tmp_path / "lib").mkdir(exist_ok=True)
        (tmp_path / "lib" / package).symlink_to(ROOT / "src" / package)
    return {"PYTHONPATH": str(tmp_path / "lib"), "PATH": str(tmp_path), "COLUMNS": "150", "PYTHONUNBUFFERED": "1"}


INSTALLED = """
import sys
sys.modules |= dict.fromkeys(("trustme", "yaml", "h11", "awslambdaric", "cryptography"))
from forwarder_tools.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["demo", "invoke", "sandbox"])
def test_a_tools_help_needs_neither_a_checkout_nor_docker(name: str, installed: dict[str, str]) -> None:
    command = [sys.executable, "-c", INSTALLED, name, "--help"]
    done = subprocess.run(command, env=installed, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: kochava-forwarder {name} ")


def test_a_sandbox_needs_neither_either(installed: dict[str, str]) -> None:
    command = [sys.executable, "-c", INSTALLED, "sandbox", "--port", "0", "--fault", "503"]
    with subprocess.Popen(command, env=installed, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Kochava sandbox: http://127.0.0.1:")
        process.terminate()
        assert process.wait(60) == 0


def test_beside_sam_local_it_needs_both(installed: dict[str, str]) -> None:
    for path, said in (
        (installed["PYTHONPATH"], "sandbox --sam-local needs a checkout"),
        ("src", "docker is not"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "forwarder_tools", "sandbox", "--sam-local"],
            cwd=ROOT,
            env=installed | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert done.stderr.startswith(f"kochava-forwarder sandbox: {said}")


def test_a_tool_that_needs_a_checkout_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    assert main(["demo"]) == 1
    assert capsys.readouterr().err == (
        "kochava-forwarder: demo needs a checkout of the project: clone it, run `make install`, and use its own\n"
    )


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (ToolError("the thing is missing: make it"), 1, "kochava-forwarder: the thing is missing: make it\n"),
        (KeyboardInterrupt(), 130, "\n"),
    ],
)
def test_what_a_command_raises_becomes_a_line_and_a_status(
    raised: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @click.command()
    def failing() -> None:
        raise raised

    monkeypatch.setattr(cli.cli, "get_command", lambda *_: failing)
    assert main(["demo"]) == status
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("tail --stack s --outcome foo", "'foo' is not one of 'delivered', 'duplicate', "),
        (
            "dlq list --stack s --reason foo",
            "'foo' is no reason: write one of invalid, rejected, expired, ambiguous, ",
        ),
    ],
)
def test_a_word_that_is_none_of_a_choice_is_a_wrong_use_that_names_the_choice(
    line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    [error] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert said in error
    assert "Outcome" not in error


def test_no_queue_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["--stack", "s", "--queue", "q"], ["--queue", "q"]):
        assert main(["dlq", "list", *options]) == 2
        assert "Error: name the " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([], "the event queue is not known"),
        (["--queue", "https://sqs/1/dead"], "is both the event queue and the dead-letter queue"),
        (["--queue", "https://sqs/1/live.fifo"], "one queue is a FIFO queue and the other is not"),
    ],
)
def test_queues_that_do_not_belong_together_are_refused(
    events: list[str], problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert main(["dlq", "redrive", "--all", "--dead-letter-queue", "https://sqs/1/dead", *events]) == 1
    assert problem in capsys.readouterr().err


# --- as a program -------------------------------------------------------------------------------------------

FULL = "kochava-forwarder: what is printed: No space left on device\n"
EMPTY = "-: has no events: give it one a line, or an SQS event\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("validate - <&-", f"{EMPTY}0 events: 0 valid, 0 with warnings, 0 invalid\n"),
        (
            "publish --queue-url https://sqs.test/1/events - <&-",
            f"{EMPTY}0 sent, not complete: run it again for the rest\n",
        ),
        ("validate events/invalid-nan.json >/dev/full", FULL),
        ("validate --json events/invalid-nan.json >/dev/full", FULL),
        ("--help >/dev/full", FULL),
        ("validate events/invalid-nan.json >/dev/null 2>/dev/full", ""),
    ],
)
def test_what_the_machine_refuses_is_a_line_and_no_traceback(line: str, said: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.quote(sys.executable)} -m forwarder_tools {line}"],
        cwd=ROOT,
        env={"PYTHONPATH": "src", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, said)


def test_an_error_of_a_file_names_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def failing() -> None:
        Path("/nowhere/at/all").read_text(encoding="utf-8")

    monkeypatch.setattr(cli.cli, "get_command", lambda *_: failing)
    monkeypatch.setattr(cli, "silence", lambda _: None)
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == "kochava-forwarder: /nowhere/at/all: No such file or directory\n"
