"""The command `kochava-forwarder tail`: what became of events, from the function's log."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import click

from forwarder_tools.deadletters.aws import CONFIG, errors_in_one_line
from forwarder_tools.processes import ToolError
from kochava_forwarder.policy.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mypy_boto3_logs import CloudWatchLogsClient

HAS_OUTCOME = "{ $.attempt = * }"
"""CloudWatch's filter pattern for the lines that say what became of a record."""

POLL_SECONDS = 2.0
LATE_SECONDS = 30
"""How long after its time a line may become visible: so far back every look goes."""

REMEMBERED = 100_000
"""Lines that are known to have been printed; more than come in `LATE_SECONDS`."""


@dataclass(frozen=True)
class Line:
    """What the log says of one try of one event."""

    time: str
    outcome: str
    event_id: str | None
    app_id: str | None
    message_id: str | None
    attempt: int
    retry_in_seconds: int
    detail: str


@dataclass(frozen=True)
class Wanted:
    """Which lines are printed; an empty collection wants all."""

    event_ids: Collection[str]
    app_ids: Collection[str]
    outcomes: Collection[str]

    def has(self, line: Line) -> bool:
        """Tell whether a line is wanted."""
        return (
            (not self.event_ids or line.event_id in self.event_ids)
            and (not self.app_ids or line.app_id in self.app_ids)
            and (not self.outcomes or line.outcome in self.outcomes)
        )


@click.command("tail")
@click.option("--stack", metavar="NAME", required=True, help="The deployed stack.")
@click.option("--event-id", "event_ids", metavar="ID", multiple=True, help="Only this event; may be repeated.")
@click.option("--app", "app_ids", metavar="GUID", multiple=True, help="Only this app's events; may be repeated.")
@click.option(
    "--outcome",
    "outcomes",
    type=click.Choice([*map(str, Outcome)]),
    multiple=True,
    help="Only this; may be repeated.",
)
@click.option("--minutes", type=click.IntRange(1), default=60, show_default=True, help="How far back to begin.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is logged from now on, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def tail(  # noqa: PLR0913 - one argument an option
    *,
    stack: str,
    event_ids: tuple[str, ...],
    app_ids: tuple[str, ...],
    outcomes: tuple[str, ...],
    minutes: int,
    follow: bool,
    as_json: bool,
) -> int:
    """Show what became of events: a line for each try that did not deliver one.

    An event without a line was delivered, or waits in the queue for its first try. Or its line is from before
    --minutes, or SQS itself moved it to the dead-letter queue, as when the function crashes on it: see `dlq list`.
    With the stack's parameter LogLevel=ERROR no event has a line; with DEBUG delivered and deferred ones have one,
    too.
    """
    wanted = Wanted(event_ids, app_ids, outcomes)
    with errors_in_one_line():
        logs = boto3.Session().client("logs", config=CONFIG)
        for line in _lines(logs, _log_group(stack), time.time() - 60 * minutes, follow=follow):
            if wanted.has(line):
                click.echo(json.dumps(asdict(line)) if as_json else _in_words(line))
    return 0


def _log_group(stack: str) -> str:
    cloudformation = boto3.Session().client("cloudformation", config=CONFIG)
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    for resource in resources:
        if resource["LogicalResourceId"] == "ForwarderLogGroup":
            return resource["PhysicalResourceId"]
    raise ToolError(f"stack {stack}: has no log group of a forwarder; check its name")


def _lines(logs: CloudWatchLogsClient, group: str, since: float, *, follow: bool) -> Iterator[Line]:
    """Yield what is logged since a moment, in seconds since 1970; with `follow` for ever."""
    printed: deque[Line] = deque(maxlen=REMEMBERED)
    pages = logs.get_paginator("filter_log_events")
    while True:
        looked_at = time.time()
        known = frozenset(printed)
        for page in pages.paginate(logGroupName=group, startTime=int(1000 * since), filterPattern=HAS_OUTCOME):
            for event in page["events"]:
                line = _read(event["message"], event["timestamp"])
                if line and line not in known:
                    printed.append(line)
                    yield line
        if not follow:
            return
        since = max(since, looked_at - LATE_SECONDS)
        time.sleep(POLL_SECONDS)


def _read(message: str, timestamp: int) -> Line | None:
    """Return what a log line, of a time in milliseconds since 1970, says of an event; None if it says nothing."""
    try:
        said: Any = json.loads(message)
    except ValueError:
        return None
    if not isinstance(said, dict) or "attempt" not in said:
        return None
    moment = datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(timespec="milliseconds")
    found: dict[str, Any] = {field.name: said.get(field.name) for field in fields(Line)}
    return Line(**(found | {"time": moment}))


def _in_words(line: Line) -> str:
    name = line.event_id or f"message {line.message_id}"
    again = f"; again in {line.retry_in_seconds} s" if line.retry_in_seconds else ""
    detail = f": {line.detail}" if line.detail else ""
    return f"{line.time}  {line.outcome}  {name}  try {line.attempt}{detail}{again}"
