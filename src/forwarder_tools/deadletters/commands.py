"""The commands `kochava-forwarder dlq ...`."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING

import click

from forwarder_tools.deadletters.aws import sqs_client
from forwarder_tools.deadletters.groups import Groups
from forwarder_tools.deadletters.options import of_selection, on_queues
from forwarder_tools.deadletters.pace import Pace
from forwarder_tools.deadletters.queues import DeadLetterQueue, both
from forwarder_tools.deadletters.redrive import Report, redrive
from forwarder_tools.deadletters.selection import Selection
from forwarder_tools.deadletters.views import (
    as_record,
    facts_of,
    progress_of,
    report_of,
    say,
    say_remarks,
    say_report,
    show_groups,
    show_letter,
)
from forwarder_tools.deadletters.walk import Walk
from forwarder_tools.processes import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarder_tools.deadletters.aws import Queues
    from forwarder_tools.deadletters.letter import Letter

DEFAULT_RATE = 50.0
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")


@click.group()
def dlq() -> None:
    """Look at dead letters, send them back to the event queue, export or delete them."""


@dlq.command("list")
@on_queues
@of_selection(required=False)
@_as_json
def list_(*, queues: Queues, selection: Selection, as_json: bool) -> int:
    """List dead letters by reason: how many, how old, and one of each."""
    walk, groups = _look(queues, selection)
    _print_groups(walk, groups, as_json=as_json)
    say_remarks(walk)
    return 0


@dlq.command()
@on_queues
@_as_json
@click.argument("message_id")
@click.option("--body", is_flag=True, help="Show what the publisher wrote, too: attributes and body.")
def show(*, queues: Queues, message_id: str, body: bool, as_json: bool) -> int:
    """Show one dead letter by its id, as listed or as logged."""
    walk = Walk(DeadLetterQueue(sqs_client(), queues.dead_letters))
    with _selected(walk, Selection(message_ids=frozenset({message_id}))) as letters:
        letter = next(letters, None)
    if letter is None:
        say_remarks(walk)
        raise ToolError(f"no dead letter {message_id}: `dlq list` shows what there is")
    if as_json:
        click.echo(json.dumps(facts_of(letter, body=body) | (as_record(letter) if body else {})))
    else:
        show_letter(letter, body=body)
    return 0


@dlq.command("redrive")
@on_queues
@of_selection(required=True)
@click.option("--dry-run", is_flag=True, help="List what would be sent, and send nothing.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=DEFAULT_RATE,
    show_default=True,
    help="Messages a second.",
)
@_as_json
def redrive_(*, queues: Queues, selection: Selection, dry_run: bool, rate: float, as_json: bool) -> int:
    """Send dead letters to the event queue, and delete those of which SQS confirmed the copy."""
    dead_letters, events = both(sqs_client(), queues)
    if dry_run:
        return _dry_run(queues, selection, "redriven", as_json=as_json)
    pace, report = Pace(rate, time.monotonic, time.sleep), Report()
    walk = Walk(dead_letters, rate=rate, at_once=pace.at_once)
    try:
        with walk, progress_of(walk, "redrive"):
            redrive(walk, events, selection, pace, report)
    finally:  # also when it is interrupted: what has been done stays done
        say_report(report, walk)
        say_remarks(walk)
        if as_json:
            click.echo(json.dumps(report_of(report, walk)))
    return 0 if report.is_clean and not walk.undeleted else 1


@dlq.command()
@on_queues
@of_selection(required=False)
@click.argument("file", metavar="FILE|-")
def export(*, queues: Queues, selection: Selection, file: str) -> int:
    """Write dead letters to a new file (or stdout) as JSON lines, and leave them where they are."""
    walk = Walk(DeadLetterQueue(sqs_client(), queues.dead_letters))
    count = 0
    with ExitStack() as stack:
        output = sys.stdout if file == "-" else stack.enter_context(_new_file(file))
        for letter in stack.enter_context(_selected(walk, selection)):
            output.write(json.dumps(as_record(letter)) + "\n")
            count += 1
    say(f"{count} exported")
    say_remarks(walk)
    return 0


@dlq.command()
@on_queues
@of_selection(required=True)
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_as_json
def purge(*, queues: Queues, selection: Selection, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Delete dead letters for good, after asking."""
    if dry_run:
        return _dry_run(queues, selection, "deleted", as_json=as_json)
    if as_json and not yes:
        raise click.UsageError("--json asks nobody: give --yes or --dry-run with it")
    if not yes:
        named: set[str] = set()
        walk, groups = _look(queues, selection, named)
        show_groups(groups)
        say_remarks(walk)
        if not named or not _confirmed(len(named)):
            say("nothing deleted")
            return 0 if not named else 1
        selection = Selection(message_ids=frozenset(named))  # what came since has not been agreed to
    walk = Walk(DeadLetterQueue(sqs_client(), queues.dead_letters))
    count = 0
    try:
        with walk, progress_of(walk, "purge"):
            for letters in walk.letters():
                chosen = [letter for letter in letters if selection.takes(letter)]
                walk.delete(chosen)
                count += len(chosen)
                if walk.undeleted:
                    break
    finally:
        say(f"{count - len(walk.undeleted)} deleted")
        say_remarks(walk)
        if as_json:
            click.echo(json.dumps({"deleted": count - len(walk.undeleted), "undeleted": walk.undeleted}))
    if walk.undeleted:
        why = " ".join(sorted({*walk.undeleted.values()}))
        raise ToolError(f"SQS did not delete {len(walk.undeleted)} dead letters ({why}): run it again")
    return 0


def _confirmed(count: int) -> bool:
    """Ask on the terminal whether so many dead letters shall be deleted.

    Raises:
        ToolError: there is nobody to ask.
    """
    try:
        return click.confirm(f"Delete these {count} dead letters for good?", err=True)
    except click.Abort:
        raise ToolError("nobody answers: say --yes to delete without being asked; nothing deleted") from None


def _dry_run(queues: Queues, selection: Selection, done: str, *, as_json: bool) -> int:
    walk, groups = _look(queues, selection)
    _print_groups(walk, groups, as_json=as_json)
    say(f"{groups.count} would be {done}")
    say_remarks(walk)
    return 0


def _print_groups(walk: Walk, groups: Groups, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"complete": walk.is_complete, "count": groups.count, "groups": groups.as_json()}))
    else:
        show_groups(groups)


def _look(queues: Queues, selection: Selection, names: set[str] | None = None) -> tuple[Walk, Groups]:
    """Go through the dead-letter queue; return the walk and the selected dead letters by reason.

    Args:
        queues: which queue.
        selection: which dead letters.
        names: takes their message ids, if given.
    """
    walk, groups = Walk(DeadLetterQueue(sqs_client(), queues.dead_letters)), Groups()
    with _selected(walk, selection) as letters:
        for letter in letters:
            groups.add(letter)
            if names is not None:
                names.add(letter.message_id)
    return walk, groups


@contextmanager
def _selected(walk: Walk, selection: Selection) -> Iterator[Iterator[Letter]]:
    """Enter a walk; yields the selected dead letters, and puts all of them back afterwards."""
    with walk, progress_of(walk, "look"):
        yield (letter for received in walk.letters() for letter in received if selection.takes(letter))


@contextmanager
def _new_file(name: str) -> Iterator[IO[str]]:
    """Make a file that only its owner may read: the events in it are personal.

    Raises:
        ToolError: it cannot be made, or is there already.
    """
    try:
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ToolError(f"{name} is there already: name another file, or remove it") from None
    except OSError as error:
        raise ToolError(f"{name}: {error.strerror}; name a file that can be written") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file
