"""Where the commands write."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLAIN_WIDTH = 150


def open_console() -> Console:
    """Return the console; what is not a terminal gets lines wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def verbatim(console: Console, text: str, style: str = "") -> None:
    """Print a text as it is: its lines unwrapped, to be copied and parsed, and nothing in it taken for markup."""
    console.print(Text(text, style), soft_wrap=True)


class Counting(NamedTuple):
    """A count that a person watches.

    Args:
        console: where lines can be printed meanwhile.
        advance: adds to the count.
    """

    console: Console
    advance: Callable[[int], None]


@contextmanager
def counting(doing: str, total: int | None) -> Iterator[Counting]:
    """Show on a terminal, by stderr, how far something is.

    Args:
        doing: what is done.
        total: how much there is to do, if that is known.

    Yields:
        The count, which begins at 0.
    """
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)
        yield Counting(console, lambda number: bar.advance(task, number))
