"""The command: simulate outages one after the other, print a line for each, and fail when a law is broken."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from forwarder_tools.processes import end_on_signals
from tests.outage.events import read_once
from tests.outage.findings import findings
from tests.outage.kochava import FAILURES, Outage
from tests.outage.report import HEAD, row
from tests.outage.simulation import EPOCH, HOUR, Scenario, simulate
from tests.outage.template import Deployment

EVENTS, QUICK_EVENTS = 1_000_000, 2_000
OUTAGE_HOURS = 24
TENTH = 100  # requests a second: a tenth of what the busiest second of an unlimited recovery asks for
SHORT = {"FunctionTimeout": 30, "RequestTimeoutSeconds": 15}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: the command line's; None takes the process's own.

    Returns:
        The exit status: 0, 1 when a law is broken, or (by SystemExit) 2 for a wrong argument.
    """
    end_on_signals()
    args = _parser().parse_args(arguments)
    try:
        return int(_simulate(args))
    except KeyboardInterrupt:
        return 130


def _simulate(args: argparse.Namespace) -> bool:
    """Simulate each outage and print its line; tells whether a law is broken."""
    progress = Console(stderr=True)
    broken = False
    print(HEAD, flush=True)
    for scenario in _scenarios(args):
        with progress.status("") as status, nullcontext() if args.quick else read_once():
            found = findings(simulate(scenario, lambda hours: status.update(f"{hours:.0f} h")))
        print(row(found), flush=True)
        for law in found.broken_laws:
            broken = True
            print(f"broken: {law}", file=sys.stderr, flush=True)
        if args.plot:
            from tests.outage.plot import draw  # noqa: PLC0415 - takes a second

            draw(found, args.plot)
    return broken


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.outage",
        description="Simulates 24 hours of dead Kochava with the forwarder's own code, some ten minutes a run.",
    )
    parser.add_argument("--events", type=int, help=f"how many are published (default {EVENTS:,})")
    parser.add_argument("--hours", type=float, default=72, help="over how many (default 72); the outage is amidst")
    parser.add_argument("--seed", type=int, default=1, help="of every chance (default 1)")
    parser.add_argument(
        "--failure", action="append", choices=list(FAILURES), help="how Kochava is dead (default: all)"
    )
    parser.add_argument("--queue", action="append", choices=["standard", "fifo"], help="default: both")
    parser.add_argument("--short", action="store_true", help="a FunctionTimeout of 30 s, a request's of 15 s")
    parser.add_argument(
        "--tenth", action="store_true", help=f"afterwards it throttles what is above {TENTH} a second"
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_EVENTS:,} events, in seconds")
    parser.add_argument("--plot", type=Path, help="where to draw the last run, as in docs/outage.svg")
    return parser


def _scenarios(args: argparse.Namespace) -> Iterator[Scenario]:
    events = args.events or (QUICK_EVENTS if args.quick else EVENTS)
    start = EPOCH + (args.hours - OUTAGE_HOURS) / 2 * HOUR
    for queue in args.queue or ["standard", "fifo"]:
        for failure in args.failure or FAILURES:
            yield Scenario(
                events=events,
                hours=args.hours,
                outage=Outage(failure, start, start + OUTAGE_HOURS * HOUR, TENTH if args.tenth else None),
                deployment=Deployment.from_template({"QueueType": queue} | (SHORT if args.short else {})),
                seed=args.seed,
            )


if __name__ == "__main__":
    sys.exit(main())
