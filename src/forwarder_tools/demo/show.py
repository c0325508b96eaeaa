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
from forwarder_tools.localcloud import Message

COLOURS = {
    Place.QUEUED: "cyan",
    Place.IN_FLIGHT: "blue",
    Place.WAITING: "yellow",
    Place.DELIVERED: "green",
    Place.DEAD: "magenta",
    Place.LOST: "red",
}


PLAIN_WIDTH = 150


def open_console() -> Console:
    """Return the console; what is not a terminal gets lines wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


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
        table = Table("event", "now", "tries", "last answer", box=None, padding=(0, 2))
        for state in seen:
            answer = state.requests[-1].answer if state.requests else ""
            table.add_row(
                escape(state.part.title), _coloured(state.place), str(len(state.requests)), escape(answer)
            )
        counts = "  ".join(f"{_coloured(place)} {count}" for place, count in tally(seen).items())
        table.caption = counts
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


def dead_letter_queue(console: Console, dead: Sequence[Message]) -> None:
    """Print what the dead-letter queue holds."""
    table = Table(title="The dead-letter queue", title_justify="left", title_style="bold")
    for heading in ("reason", "detail", "receives", "body, byte for byte as it was published"):
        table.add_column(heading)
    for message in dead:
        attributes = message.attributes
        table.add_row(
            attributes.get("reason", "?"),
            escape(attributes.get("detail", "")),
            attributes.get("receiveCount", "?"),
            escape(_short(message.body)),
        )
    console.print(table)


def _short(body: str, length: int = 60) -> str:
    return body if len(body) <= length else f"{body[: length - 1]}…"
