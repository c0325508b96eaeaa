"""The commands that run the function, or a sandbox of Kochava, on this machine.

Each hands its command line to the tool of its own name, which has a `make` target as well. The help is there
without a checkout of the project, also where a tool needs one.
"""

from __future__ import annotations

import importlib

import click

from forwarder_tools.cli import NAME
from forwarder_tools.processes import require_checkout


def _tool(name: str, module: str, *, needs_checkout: bool = True) -> click.Command:
    """Return the command that hands its arguments to the `main` of a module."""

    @click.command(name, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> int:
        if needs_checkout and {"-h", "--help"}.isdisjoint(arguments):
            require_checkout(name)
        status: int = importlib.import_module(module).main(arguments, f"{NAME} {name}")
        return status

    return command


demo = _tool("demo", "forwarder_tools.demo.__main__")
invoke = _tool("invoke", "forwarder_tools.invoke")
sandbox = _tool("sandbox", "forwarder_tools.samlocal.serve", needs_checkout=False)
