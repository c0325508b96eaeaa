"""The table, in Markdown: a line for each run."""

from tests.outage.findings import Findings

COLUMNS = (
    "Kochava",
    "queue",
    "delivered",
    "dead-lettered",
    "lost",
    "counted again",
    "requests while dead",
    "of a naive retrier's",
    "most receives of one event",
    "backlog drained after",
    "first, busiest minute after",
    "cost of the outage",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"


def title(found: Findings) -> str:
    """Return what happens to Kochava, and what is not deployed by default."""
    outage, settings = found.scenario.outage, found.scenario.deployment.settings
    limit = f", then {outage.capacity_after:,} requests a second" if outage.capacity_after else ""
    timeouts = (found.scenario.deployment.function_timeout, settings.request_timeout)
    other = "" if timeouts == (60, 10) else f"; timeouts {timeouts[0]} s, {timeouts[1]:g} s a request"
    return f"{outage.failure}{limit}{other}"


def row(found: Findings) -> str:
    """Return the line of one run."""
    cells = (
        title(found),
        "FIFO" if found.scenario.deployment.queue.fifo else "standard",
        f"{found.delivered:,}",
        f"{found.dead_lettered:,}",
        f"{found.lost:,}",
        f"{found.duplicates:,}",
        f"{found.requests:,}",
        f"{found.share:.2%}",
        f"{found.most_receives:,}",
        "never" if found.drained is None else f"{found.drained / 60:.0f} min",
        f"{found.first_minute:,}, {found.peak_requests:,}",
        f"${found.dollars:,.2f}",
    )
    return f"| {' | '.join(cells)} |"
