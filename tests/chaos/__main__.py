"""`make chaos`: events through the deployed template while everything around it fails, and a ledger afterwards.

The exit status is 0 only when every line of the ledger holds: nothing lost, nothing done twice without a cause,
every dead letter with the reason that it should have, the order kept on a FIFO queue.
"""

import argparse
import sys
import time
from pathlib import Path

from rich.console import Console

from forwarder_tools.artifact import build
from forwarder_tools.console import open_console
from forwarder_tools.localcloud import local_cloud
from forwarder_tools.processes import ToolError, end_on_signals
from tests.chaos.aws_faults import SHARES, TABLE_ACTION
from tests.chaos.deployment import FUNCTION_SECONDS, VISIBILITY_SECONDS
from tests.chaos.gateway import DIVISOR
from tests.chaos.ledger import Ledger
from tests.chaos.report import progress, show, show_faults
from tests.chaos.run import HORIZON, PAST_HORIZON, REQUEST_SECONDS, SHORT_VISIBILITY_SECONDS, RunSettings, run

QUEUES = ("standard", "fifo")
SCALED = f"""\
Scaled for these runs: what the function asks SQS to wait is granted, then divided by {DIVISOR} (but 1 s at least).
The function's timeout is {FUNCTION_SECONDS} s (deployed: 60), a request's {REQUEST_SECONDS} s (10).
The retry horizon is {HORIZON} s (259200), and {PAST_HORIZON} s for the events that are published first.
The event queue's visibility timeout is {VISIBILITY_SECONDS} s (420) on a FIFO queue. On a standard queue
it is {SHORT_VISIBILITY_SECONDS} s, so that SQS delivers messages again while the function has them in hand.
All else is what `sam deploy` makes of the template."""


def main() -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="make chaos", description="Break things while events go through, and account for every one."
    )
    parser.add_argument("--events", type=_number, default=10_000, help="how many, for each queue (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, help="decides what is published and what fails (%(default)s)"
    )
    parser.add_argument("--queue", choices=(*QUEUES, "both"), default="both", help="its type (%(default)s)")
    parser.add_argument(
        "--table-faults",
        type=float,
        default=SHARES[TABLE_ACTION],
        metavar="SHARE",
        help="of the calls to the deduplication table that fail, 0 to 1 (%(default)s)",
    )
    args = parser.parse_args()
    end_on_signals()
    console = open_console()
    try:
        queues = QUEUES if args.queue == "both" else (args.queue,)
        template = build()
        console.print(SCALED, style="dim", highlight=False)
        runs = (RunSettings(queue, args.events, args.seed, args.table_faults) for queue in queues)
        held = [_run(console, template, settings) for settings in runs]
    except ToolError as problem:
        print(f"make chaos: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130
    return 0 if all(held) else 1


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of events; use 1 or more")
    return int(text)


def _run(console: Console, template: Path, settings: RunSettings) -> bool:
    """Do a run on a cloud of its own, and show its ledger; tells whether it holds."""
    began = time.monotonic()
    with progress(console, f"chaos on a {settings.queue} queue") as on_progress, local_cloud() as cloud:
        seen = run(cloud, template, settings, on_progress)
    ledger = Ledger(seen)
    title = f"{settings.queue} queue, seed {settings.seed}: {time.monotonic() - began:.0f} s"
    show_faults(console, seen)
    show(console, title, ledger)
    return ledger.holds


if __name__ == "__main__":
    sys.exit(main())
