"""The commands that build and run the function on this machine, which takes a checkout of the project.

Each hands its command line to the tool of its own name, which has a `make` target as well.
"""

from __future__ import annotations

import importlib

import click

from forwarder_tools.cli import NAME
from forwarder_tools.processes import ROOT, ToolError


def _tool(name: str, module: str) -> click.Command:
    """Return the command that hands its arguments to the `main` of a module."""

    @click.command(name, add_help_option=False, context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> int:
        if not (ROOT / "Makefile").exists():
            raise ToolError(
                f"{name} runs in a checkout of the project only: clone it, and run `make {name}` there"
            )
        status: int = importlib.import_module(module).main(arguments, f"{NAME} {name}")
        return status

    return command


demo = _tool("demo", "forwarder_tools.demo.__main__")
invoke = _tool("invoke", "forwarder_tools.invoke")
sandbox = _tool("sandbox", "forwarder_tools.samlocal.serve")
