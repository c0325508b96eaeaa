"""The command: simulates the outage, shows what came of it, and fails when a law is broken."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from forwarder_tools.console import open_console
from forwarder_tools.processes import ROOT, end_on_sigterm
from tests.outage.kochava import Failure, Outage
from tests.outage.plot import draw
from tests.outage.report import show, title
from tests.outage.runs import simulate_all
from tests.outage.simulation import EPOCH, HOUR, Scenario
from tests.outage.template import Deployment

EVENTS, QUICK_EVENTS = 1_000_000, 2_000
OUTAGE_HOURS = 24
PLOT = ROOT / "docs" / "outage.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the command line's; None takes the process's own.

    Returns:
        The exit status: 0, 1 when a law is broken, or (by SystemExit) 2 for a wrong argument.
    """
    end_on_sigterm()
    wish = _parser().parse_args(arguments)
    console = open_console()
    began = time.monotonic()
    try:
        scenarios = [_scenario(wish, failure) for failure in wish.failure or [Failure.REFUSED]]
        runs = simulate_all(console, scenarios, quick=wish.quick)
    except KeyboardInterrupt:
        return 130
    show(console, runs)
    console.print(f"{time.monotonic() - began:.0f} s", style="dim", highlight=False)
    if wish.plot:
        draw(runs[0], wish.plot)
        console.print(f"Written: {wish.plot} ({title(runs[0])})", highlight=False)
    return int(any(found.broken_laws for found in runs))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.outage",
        description="Simulates 24 hours of dead Kochava, with the forwarder's own code, in minutes.",
    )
    parser.add_argument("--events", type=int, help=f"how many are published (default {EVENTS:,})")
    parser.add_argument("--hours", type=float, default=72, help="over how many (default 72); the outage is amidst")
    parser.add_argument("--seed", type=int, default=1, help="of every chance (default 1)")
    parser.add_argument(
        "--failure",
        type=Failure,
        action="append",
        choices=list(Failure),
        help="how Kochava is dead (default refused); may be repeated",
    )
    parser.add_argument("--fifo", action="store_true", help="a FIFO queue with 10,000 message groups")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS:,} events, in seconds")
    parser.add_argument("--plot", type=Path, help="where to draw the first run, as in docs/outage.svg")
    return parser


def _scenario(wish: argparse.Namespace, failure: Failure) -> Scenario:
    start = EPOCH + (wish.hours - OUTAGE_HOURS) / 2 * HOUR
    return Scenario(
        events=wish.events or (QUICK_EVENTS if wish.quick else EVENTS),
        hours=wish.hours,
        outage=Outage(failure, start, start + OUTAGE_HOURS * HOUR),
        deployment=Deployment.from_template(fifo=wish.fifo),
        seed=wish.seed,
    )


if __name__ == "__main__":
    sys.exit(main())
