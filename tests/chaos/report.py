"""How a run looks: a line of progress, and the ledger as a table."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.chaos.kochava_faults import SUCCESSES
from tests.chaos.ledger import Evidence, Ledger, shown
from tests.chaos.run import Progress


@contextmanager
def progress(console: Console, title: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far a run is: in place on a terminal, else a line now and then."""
    if console.is_terminal:
        with console.status(title) as status:
            yield lambda now: status.update(f"{title}: {_in_words(now)}")
        return
    last = (0, 0)

    def print_line(now: Progress) -> None:
        nonlocal last
        if (thousands := (now.published // 1000, now.queued // 1000)) != last:
            last = thousands
            console.print(f"  {_in_words(now)}", highlight=False)

    yield print_line


def _in_words(now: Progress) -> str:
    return (
        f"{now.published} messages published, {now.queued} in the queue, {now.requests} requests to Kochava, "
        f"{now.crashes} workers killed, {now.aws_faults} AWS calls failed"
    )


def show_faults(console: Console, seen: Evidence) -> None:
    """Print what went wrong in a run, by kind."""
    wrong = Counter(request.answer for request in seen.requests if request.answer not in SUCCESSES)
    failed = Counter(f"{failure.call.action} {failure.fault}" for failure in seen.failed_calls)
    for title, number, kinds in (
        (f"Requests to Kochava that went wrong, of {len(seen.requests):,}", wrong.total(), wrong),
        ("Calls of the function to AWS that failed", failed.total(), failed),
        ("Workers of the function that died", len(seen.crashes), Counter[str]()),
    ):
        among = "; ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        console.print(f"{title}: {number:,}{f' ({among})' if among else ''}", style="dim", highlight=False)


def show(console: Console, title: str, ledger: Ledger) -> None:
    """Print the ledger; what does not hold in red, with the events' names."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("events")
    table.add_column("number", justify="right")
    table.add_column("")
    for line in ledger.lines:
        table.add_row(
            line.text, f"{line.count:,}", f"[red]{escape(shown(line.wrong))}[/]", style="red" if line.wrong else ""
        )
    console.print(table)
