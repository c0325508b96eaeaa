"""How the demo looks: one line or one live table for where the events are, and the tables at the end."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
        table = Table("event", "now", "tries", "last answer", title=counts, title_justify="left", box=None)
        for state in seen:
            answer = state.requests[-1].answer if state.requests else ""
            table.add_row(
                escape(state.part.title), _coloured(state.place), str(len(state.requests)), escape(answer)
            )
        self._live.update(table)


def _coloured(place: Place, text: str = "") -> str:
    return f"[{COLOURS[place]}]{text or place}[/]"


def results(console: Console, seen: Sequence[State]) -> None:
    """Print each event with its outcome, how often it was tried, why, and what Kochava received."""
    table = Table(title="What became of each event", title_justify="left", title_style="bold")
    for heading in ("event", "outcome", "tries", "why", "Kochava received"):
        table.add_column(heading, justify="right" if heading == "tries" else "left")
    for state in seen:
        table.add_row(
            escape(state.part.title),
            _coloured(state.place, state.outcome or state.place),
            str(len(state.requests)),
            escape(state.why),
            escape(_received(state)),
        )
    console.print(table)


def _received(state: State) -> str:
    if not state.requests:
        return "nothing"
    data = state.requests[-1].data
    return f"{data.get('event_name')} {json.dumps(data.get('event_data'))}"


def dead_letter_queue(console: Console, seen: Sequence[State]) -> None:
    """Print what the dead-letter queue holds, next to the events whose messages these are."""
    table = Table(title="The dead-letter queue", title_justify="left", title_style="bold")
    for heading in ("event", "reason", "detail", "receives", "dead-lettered at"):
        table.add_column(heading)
    for state in seen:
        if state.dead is not None:
            attributes = state.dead.attributes
            cells = (attributes.get(name, "?") for name in ("reason", "detail", "receiveCount", "deadLetteredAt"))
            table.add_row(escape(state.part.title), *map(escape, cells))
    console.print(table)
