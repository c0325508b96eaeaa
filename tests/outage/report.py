"""The table: one row for each thing that is found, one column for each run."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from tests.outage.findings import Findings

LAMBDA_DOLLARS = (0.20e-6, 13.3334e-6)  # an invocation, a GB-second on arm64; list prices of us-east-1
SQS_DOLLARS = 0.40e-6  # a call


class _Row(NamedTuple):
    name: str
    value: Callable[[Findings], str]


ROWS = (
    _Row("published", lambda found: f"{found.scenario.events:,}"),
    _Row("= delivered", lambda found: f"{found.delivered:,}"),
    _Row("+ dead-lettered", lambda found: f"{found.dead_lettered:,}"),
    _Row("+ lost", lambda found: f"{found.lost:,}"),
    _Row("counted again by Kochava", lambda found: f"{found.duplicates:,}"),
    _Row("requests to the dead Kochava", lambda found: f"{found.requests:,}"),
    _Row("  of a naive retrier's", lambda found: f"{found.naive_requests:,}" if found.naive_requests else "-"),
    _Row("  share", lambda found: "-" if found.share is None else f"{found.share:.1%}"),
    _Row("receives during the outage", lambda found: f"{found.receives:,}"),
    _Row("most receives of one event", lambda found: f"{found.most_receives:,}"),
    _Row("  of maxReceiveCount", lambda found: f"{found.scenario.deployment.queue.max_receive_count:,}"),
    _Row("backlog drained after", lambda found: f"{found.drained / 60:.0f} min" if found.drained else "never"),
    _Row("busiest minute after", lambda found: f"{found.peak_requests:,} requests"),
    _Row("Lambda invocations in the outage", lambda found: f"{found.invocations:,}"),
    _Row("Lambda GB-seconds in the outage", lambda found: f"{found.gb_seconds:,.0f}"),
    _Row("SQS calls in the outage", lambda found: f"{found.sqs_calls:,}"),
    _Row("cost of the outage", lambda found: f"${_dollars(found):,.2f}"),
    _Row("broken laws", lambda found: "; ".join(found.broken_laws) or "none"),
)


def show(console: Console, runs: Sequence[Findings]) -> None:
    """Print the table."""
    table = Table(title="24 hours without Kochava", title_justify="left")
    table.add_column("")
    for found in runs:
        table.add_column(title(found), justify="right")
    for row in ROWS:
        table.add_row(row.name, *(row.value(found) for found in runs))
    console.print(table)


def title(found: Findings) -> str:
    """Return what a run is called."""
    queue = "FIFO" if found.scenario.deployment.queue.fifo else "standard"
    return f"{found.scenario.outage.failure}, {queue}"


def _dollars(found: Findings) -> float:
    invocation, gb_second = LAMBDA_DOLLARS
    return invocation * found.invocations + gb_second * found.gb_seconds + SQS_DOLLARS * found.sqs_calls
