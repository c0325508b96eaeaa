"""How a run looks: a line of progress, and the ledger as a table."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from forwarder_tools.chaos.ledger import Ledger, shown
from forwarder_tools.chaos.storm import Progress


@contextmanager
def progress(console: Console, title: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far a run is: in place on a terminal, else a line now and then."""
    if console.is_terminal:
        with console.status(title) as status:
            yield lambda now: status.update(f"{title}: {_in_words(now)}")
        return
    last = ""

    def tell(now: Progress) -> None:
        nonlocal last
        if (tenth := f"{now.published // 1000} {now.queued // 1000}") != last:
            last = tenth
            console.print(f"  {_in_words(now)}", highlight=False)

    yield tell


def _in_words(now: Progress) -> str:
    return (
        f"{now.published} messages published, {now.queued} in the queue, {now.requests} requests to Kochava, "
        f"{now.crashes} workers killed, {now.aws_faults} AWS calls failed"
    )


def show(console: Console, title: str, ledger: Ledger) -> None:
    """Print the ledger; what does not hold in red, with the events' names."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("events")
    table.add_column("number", justify="right")
    table.add_column("")
    for line in ledger.lines:
        table.add_row(
            line.text, f"{line.count:,}", f"[red]{shown(line.wrong)}[/]", style="red" if line.wrong else ""
        )
    console.print(table)
