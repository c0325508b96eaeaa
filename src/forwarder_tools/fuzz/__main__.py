"""`python -m forwarder_tools.fuzz`: broken bodies through the deployed code, a million by default."""

import argparse
import sys

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from forwarder_tools.fuzz.run import fuzz

SHOWN, WIDTH = 20, 400  # broken laws, and characters of each


def main() -> int:
    """Runs the bodies; returns 1 if a law did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=1_000_000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default: %(default)s)")
    arguments = parser.parse_args()
    console = Console()
    with Progress(console=console) as progress:
        task = progress.add_task("bodies", total=arguments.bodies)
        findings = fuzz(arguments.bodies, arguments.seed, lambda number: progress.advance(task, number))
    table = Table("outcome", "bodies", title=f"{arguments.bodies:,} broken bodies, seed {arguments.seed}")
    for outcome, number in findings.outcomes.most_common():
        table.add_row(outcome, f"{number:,}")
    console.print(table)
    for line in findings.broken[:SHOWN]:
        console.print(line[:WIDTH], markup=False)
    console.print(
        f"{len(findings.broken)} laws broken" if findings.broken else "each with exactly one outcome, no exception"
    )
    return 1 if findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())
