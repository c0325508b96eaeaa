"""The command `make bench`: measures how fast events go through, on this machine and nowhere else."""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.progress import track
from rich.table import Table as RichTable

from forwarder_tools.capacity.__main__ import figures
from forwarder_tools.console import open_console
from forwarder_tools.processes import ToolError, end_on_signals
from tests.benchmarks import cells, document, growth, tables
from tests.benchmarks.figures import Results
from tests.benchmarks.lab import Cell, Run, lab
from tests.benchmarks.packaging import examine
from tests.benchmarks.plot import draw
from tests.benchmarks.share import available

BUSY = 0.5
"""Of a core: what the machine may have to do besides, on the average of the last minute."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, show, and with the full form write the document.

    Args:
        arguments: the command line's; None takes the process's own.

    Returns:
        The exit status: 0, 1 when nothing could be measured, or (by SystemExit) 2 for a wrong argument. A goal
        that is missed is a figure, not a failure.
    """
    end_on_signals()
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Measures the built function against its goals, in minutes, over the loopback interface.",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="everything, in a quarter of an hour or two; writes docs/performance.md and its pictures",
    )
    try:
        _measure(open_console(), full=parser.parse_args(arguments).full)
    except ToolError as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _measure(console: Console, *, full: bool) -> None:
    shares = available()
    if (load := os.getloadavg()[0]) > BUSY:
        console.print(f"This machine is busy (load {load:.1f}): the figures will be noisy.")
    with lab() as place:
        os.sched_setaffinity(0, {place.other_core})  # the contender's core is the contender's
        runs: dict[Cell, list[Run]] = defaultdict(list)
        order = cells.in_rounds(cells.plan(full=full, shares=shares))
        for cell in track(order, "measuring", console=console, transient=True, refresh_per_second=2):
            runs[cell].append(place.run(cell))
        packaging = examine(place, rounds=9 if full else 3)
    results = Results(runs)
    found = tables.all_tables(results, packaging)
    for table in found:
        console.print(_rich(table), "")
    if not shares:
        console.print("Not measured: shares of a core. They need the right to make a cgroup with a CPU quota.")
    if full:
        document.write(document.DOCUMENT, found, document.conditions())
        draw(results, document.PLOT)
        growth.draw(results, figures(), document.GROWTH)
        written = ", ".join(path.name for path in (document.DOCUMENT, document.PLOT, document.GROWTH))
        console.print(f"Written: {written}; `make capacity` reckons with them")


def _rich(table: tables.Table) -> RichTable:
    shown = RichTable(title=table.title, title_justify="left")
    for name in table.header:
        shown.add_column(name, overflow="fold")
    for row in table.rows:
        shown.add_row(*row)
    return shown


if __name__ == "__main__":
    sys.exit(main())
