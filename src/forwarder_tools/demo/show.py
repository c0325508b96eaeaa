"""How the demo looks: one line or one live table for where the events are, and the tables at the end."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from forwarder_tools.demo.watch import Place, State, tally

COLOURS = {
    Place.QUEUED: "cyan",
    Place.IN_FLIGHT: "blue",
    Place.WAITING: "yellow",
    Place.DELIVERED: "green",
    Place.DEAD: "magenta",
    Place.LOST: "red",
}


ROOMY = 120
"""The width of a console, in characters, from which on there is room for every column."""


class View(Protocol):
    """Shows the events as they move."""

    def update(self, seen: Sequence[State]) -> None:
        """Show where they are now."""


@contextmanager
def view(console: Console) -> Iterator[View]:
    """Open a view: live on a terminal, else a line for each change."""
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, refresh_per_second=10, transient=True) as live:
        yield _LiveTable(live)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def update(self, seen: Sequence[State]) -> None:
        line = "  ".join(f"{place}: {count}" for place, count in tally(seen).items())
        if line != self._last:
            self._console.print(f"  {line}", highlight=False)
            self._last = line


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live

    def update(self, seen: Sequence[State]) -> None:
        counts = "  ".join(f"{_coloured(place)} {count}" for place, count in tally(seen).items())
        # On top, where a low terminal does not cut it off.
        table = Table(title=counts, title_justify="left", box=None)
        for heading in ("event", "now", "tries", "last answer"):
            table.add_column(heading, overflow="fold")
        for state in seen:
            answer = state.requests[-1].answer if state.requests else ""
            table.add_row(
                escape(state.part.title), _coloured(state.place), str(len(state.requests)), escape(answer)
            )
        self._live.update(table)


def _coloured(place: Place, text: str = "") -> str:
    return f"[{COLOURS[place]}]{text or place}[/]"


@dataclass(frozen=True)
class _Column:
    heading: str
    cell: Callable[[State], str]
    """Returns what it says of an event, as markup."""
    right: bool = False
    wide: bool = False
    """Whether it is left out where there is no room for it."""


def results(console: Console, seen: Sequence[State]) -> None:
    """Print each event with its outcome, how often it was tried, why, and what Kochava received."""
    _print(console, "What became of each event", RESULTS, seen)


def dead_letter_queue(console: Console, seen: Sequence[State]) -> None:
    """Print what the dead-letter queue holds, next to the events whose messages these are."""
    _print(console, "The dead-letter queue", DEAD_LETTERS, [state for state in seen if state.dead is not None])


def _print(console: Console, title: str, columns: Sequence[_Column], seen: Sequence[State]) -> None:
    left_out = [column for column in columns if column.wide and console.width < ROOMY]
    shown = [column for column in columns if column not in left_out]
    table = Table(title=title, title_justify="left", title_style="bold", caption_justify="left")
    for column in shown:
        table.add_column(column.heading, justify="right" if column.right else "left", overflow="fold")
    for state in seen:
        table.add_row(*(column.cell(state) for column in shown))
    if left_out:
        table.caption = f"With {ROOMY} columns also: {', '.join(column.heading for column in left_out)}"
    console.print(table)


def _received(state: State) -> str:
    if not state.requests:
        return "nothing"
    request = state.requests[-1]
    parameters = request.data.get("event_data")
    return escape(request.title if parameters is None else f"{request.title} {json.dumps(parameters)}")


def _attribute(name: str) -> Callable[[State], str]:
    return lambda state: escape(state.dead.attributes.get(name, "?") if state.dead else "?")


RESULTS = (
    _Column("event", lambda state: escape(state.part.title)),
    _Column("outcome", lambda state: _coloured(state.place, state.outcome or state.place)),
    _Column("tries", lambda state: str(len(state.requests)), right=True),
    _Column("why", lambda state: escape(state.why)),
    _Column("Kochava received", _received, wide=True),
)
DEAD_LETTERS = (
    _Column("event", lambda state: escape(state.part.title)),
    _Column("reason", _attribute("reason")),
    _Column("detail", _attribute("detail")),
    _Column("receives", _attribute("receiveCount"), wide=True),
    _Column("dead-lettered at", _attribute("deadLetteredAt"), wide=True),
)
