"""The command `kochava-forwarder publish`."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from forwarder_tools.console import counting, verbatim
from forwarder_tools.deadletters.aws import sqs_client
from forwarder_tools.inputs import STDIN, UNREADABLE, FileError, events_of
from forwarder_tools.publishing.events import Event, Reader, Rules, Why
from forwarder_tools.publishing.journal import Journal
from forwarder_tools.publishing.options import by_rules, to_queue
from forwarder_tools.publishing.sender import Sender
from forwarder_tools.publishing.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

JOURNAL = ".published"
"""What a journal's name has after the file's."""


@click.command("publish")
@click.argument("files", metavar="FILE|-...", nargs=-1, required=True)
@to_queue
@by_rules
@click.option(
    "--journal",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help=f"Instead of FILE{JOURNAL}; with one FILE only.",
)
@click.option("--dry-run", is_flag=True, help="Check, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary on stdout as one JSON object.")
def publish(  # noqa: PLR0913 - an argument for each option
    *, files: tuple[str, ...], queue: str, rules: Rules, journal: str | None, dry_run: bool, as_json: bool
) -> int:
    """Send events from files or stdin to the event queue: as you publish them, one a line or over several.

    Of an SQS event, the bodies of its records are sent.

    What SQS has confirmed is written to a journal beside the file, and not sent again by another run.
    """
    if journal and len(files) > 1:
        raise click.UsageError("--journal belongs to one FILE: give each its own run")
    if not _are_readable(files):
        return UNREADABLE
    summary = Summary(queue, dry_run)
    sender = None if dry_run else Sender(sqs_client(), queue, summary)
    status = UNREADABLE
    try:
        for name in files:
            _publish(name, _journal_of(name, journal), rules, sender, summary)
        summary.complete = True
        status = 0 if summary.is_clean else 1
    except FileError as problem:
        click.echo(f"{name}: {problem}", err=True)
    finally:  # also when it is interrupted: what was sent stays sent
        click.echo(str(summary), err=True)
        if as_json:
            click.echo(summary.as_json())
    return status


def _journal_of(name: str, given: str | None) -> Path | None:
    if given:
        return Path(given)
    return None if name == STDIN else Path(f"{name}{JOURNAL}")


def _publish(name: str, path: Path | None, rules: Rules, sender: Sender | None, summary: Summary) -> None:
    """Publish one input; without a sender, only look at it.

    Args:
        name: the file, or `-`.
        path: its journal.
        rules: how events are read.
        sender: sends them.
        summary: learns what becomes of them.
    """
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(path, summary.queue, read_only=sender is None))
        count = stack.enter_context(counting("publish", _lines_in(Path(name))))
        called = "stdin" if name == STDIN else name
        reader = Reader(called, rules, journal.namespace, journal.keys, int(time.time()))

        def tell(place: str, *reasons: str) -> None:
            for reason in reasons:
                verbatim(count.console, f"{place}: {reason}")

        def events() -> Iterator[Event]:
            for each in events_of(name, "publish"):
                found = reader.read(each)
                if isinstance(found, Event):
                    summary.without_event_id += found.event_id is None
                    yield found
                    continue
                summary.not_sent[found.why] += 1
                count.advance(1)
                if found.why is not Why.PUBLISHED:
                    tell(found.place, *found.reasons)

        def confirmed(taken: Sequence[Event]) -> None:
            journal.add(event.key for event in taken)
            count.advance(len(taken))

        if sender is None:
            summary.sent += sum(1 for _ in events())
        else:
            sender.send(
                events(), confirmed=confirmed, failed=lambda event, code: tell(event.place, f"SQS: {code}")
            )


def _are_readable(names: Sequence[str]) -> bool:
    """Look for the first event of every file before anything is sent; name those that have none.

    What can be read only once is looked at when its turn comes.
    """
    readable = True
    for name in names:
        if name == STDIN or (Path(name).exists() and not Path(name).is_file()):
            continue
        try:
            next(events_of(name, "publish"))
        except FileError as problem:
            click.echo(f"{name}: {problem}", err=True)
            readable = False
    return readable


def _lines_in(path: Path) -> int | None:
    """Return how many lines there are; None for what can be read only once."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return sum(1 for _ in file)
