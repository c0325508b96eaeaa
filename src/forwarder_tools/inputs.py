"""The files, or stdin, that the commands read events from."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import IO, TYPE_CHECKING

import click

from forwarder_tools.records import published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarder_tools.records import Published

STDIN = "-"
UNREADABLE = 2
"""The exit status where an input cannot be read, or has no events in it."""

_NOT_UTF_8 = (  # how a file begins that is none, with bytes that are not UTF-8 read as lone surrogates; the remedy
    (("\x1f\udc8b",), "is compressed: unpack it, as in `gunzip -c FILE | kochava-forwarder {command} -`"),
    (("(\udcb5/\udcfd",), "is compressed: unpack it, as in `zstd -dc FILE | kochava-forwarder {command} -`"),
    (("\udcff\udcfe", "\udcfe\udcff", "\0{", "{\0", "\0[", "[\0"), "is UTF-16: save it as UTF-8"),
)


class FileError(Exception):
    """A file has no events that could be read; says why, and what to do."""


def events_of(file: str, command: str) -> Iterator[Published]:
    """Yield the events of a file as they are read.

    Args:
        file: its name, or - for stdin.
        command: what reads it, for the remedy.

    Raises:
        FileError: it cannot be read, or has none.
    """
    empty = True
    with _opened(file) as lines:
        first = lines.readline()
        for beginnings, problem in _NOT_UTF_8:
            if first.startswith(beginnings):
                raise FileError(problem.format(command=command))
        for event in published(chain([first], lines)):
            empty = False
            yield event
    if empty:
        raise FileError("has no events: give it one a line, or an SQS event")


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    """Open a file, or stdin; a byte that is not UTF-8 becomes a lone surrogate, which the contract refuses."""
    try:
        with click.open_file(file, encoding="utf-8-sig", errors="surrogateescape") as lines:
            yield lines
    except OSError as error:
        raise FileError(f"{error.strerror}: give a file that can be read, or - for stdin") from None
