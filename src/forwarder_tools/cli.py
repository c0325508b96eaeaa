"""The command line `kochava-forwarder`.

To add a command, write a `click` command in a module of its own and give it a line in `COMMANDS`. A module is
imported when its command is asked for, and not before, so that `--help` and the other commands stay quick.
"""

from __future__ import annotations

import importlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from forwarder_tools.processes import STANDARD_STREAMS, ToolError, end_on_signals, silence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAME = "kochava-forwarder"
INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""

NOT_READ_OR_WRITTEN = 2
"""The exit status when what is printed has no room, or anything else of the machine's fails."""


class Command(NamedTuple):
    """Where a command is, and what it does.

    Args:
        module: the module that has it.
        name: the click command's name in the module.
        help: one line for the list of commands.
    """

    module: str
    name: str
    help: str


COMMANDS: Mapping[str, Command] = {
    "validate": Command("forwarder_tools.validate.commands", "validate", "Check events before you publish them."),
    "dlq": Command("forwarder_tools.deadletters.commands", "dlq", "Look at dead letters, redrive, export, purge."),
    "publish": Command(
        "forwarder_tools.publishing.command", "publish", "Send events from files to the event queue."
    ),
    "status": Command("forwarder_tools.status", "status", "Show a stack's queues, last hour, and alarms."),
    "tail": Command("forwarder_tools.tail", "tail", "Show what became of events, from the function's log."),
    "demo": Command("forwarder_tools.checkout", "demo", "Watch sample events go to a sandbox (in a checkout)."),
    "invoke": Command("forwarder_tools.checkout", "invoke", "Hand events to the built function (in a checkout)."),
    "sandbox": Command("forwarder_tools.checkout", "sandbox", "Serve a sandbox of Kochava on this machine."),
}


class LazyGroup(click.Group):
    """The group of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = COMMANDS[cmd_name]
        found: click.Command = getattr(importlib.import_module(command.module), command.name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.help) for name, command in COMMANDS.items()])


@click.group(cls=LazyGroup)
@click.version_option(package_name=NAME)
def cli() -> None:
    """Tools for those who publish events and run the forwarder."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Args:
        arguments: the command line's; None takes the process's own.
    """
    end_on_signals()
    if sys.stdin is None:  # it was closed: nothing is in it
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - until the process ends
    try:
        status = cli.main(None if arguments is None else list(arguments), prog_name=NAME, standalone_mode=False)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except click.Abort:
        return INTERRUPTED
    except ToolError as problem:
        print(f"{NAME}: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        with suppress(OSError):
            print(f"{NAME}: {_said(problem)}", file=sys.stderr)
        silence(STANDARD_STREAMS)  # what is still to be written would fail once more as Python ends
        return NOT_READ_OR_WRITTEN
    return status if isinstance(status, int) else 0


def _said(error: OSError) -> str:
    """Return what the machine says of an error; of one without a file, it was what the command prints."""
    return f"{error.filename or 'what is printed'}: {error.strerror or error}"
