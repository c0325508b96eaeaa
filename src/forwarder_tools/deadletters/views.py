"""What the commands print: tables and facts on stdout; progress, remarks and counts on stderr."""

from __future__ import annotations

import base64
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table
from rich.text import Text

from forwarder_tools.console import counting, open_console
from forwarder_tools.deadletters.groups import sample_facts
from forwarder_tools.deadletters.letter import iso
from forwarder_tools.deadletters.selection import age_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef

    from forwarder_tools.deadletters.groups import Groups, Span
    from forwarder_tools.deadletters.letter import Letter
    from forwarder_tools.deadletters.redrive import Report
    from forwarder_tools.deadletters.walk import Walk


def say(line: str) -> None:
    """Print a line for people, beside the output."""
    click.echo(line, err=True)


@contextmanager
def progress_of(walk: Walk, doing: str) -> Iterator[None]:
    """Show on a terminal how far a walk is, which must have been entered."""
    with counting(doing, walk.size.all) as count:
        walk.progress = count.advance
        yield


def show_groups(groups: Groups) -> None:
    """Print dead letters by reason."""
    if not groups.count:
        click.echo("no dead letters")
        return
    now = time.time()
    table = Table("reason", "count", "dead-lettered", "published", "for example", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for reason, group in groups.largest_first():
        table.add_row(
            Text(reason),
            str(group.count),
            _ago(group.dead_lettered, now),
            _ago(group.sent, now),
            Text("\n".join(f"{name} {value}" for name, value in sample_facts(group.sample).items())),
        )
    open_console().print(table, highlight=False)


def _ago(span: Span, now: float) -> str:
    ages = [age_text(now - moment) for moment in (span.oldest, span.newest)]
    return f"{' to '.join(dict.fromkeys(ages))} ago"


def facts_of(letter: Letter, *, body: bool) -> dict[str, str]:
    """Return what is known of a dead letter, but for its body; with `body` also its message group."""
    facts = {
        "messageId": letter.message_id,
        "reason": letter.reason,
        **sample_facts(letter),
        "messageGroupId": (letter.group_id or "") if body else "",
        "sentAt": iso(letter.sent_at),
        "deadLetteredAt": iso(letter.dead_lettered_at),
    }
    return {name: fact for name, fact in facts.items() if fact}


def show_letter(letter: Letter, *, body: bool) -> None:
    """Print what is known of a dead letter; with `body` also what the publisher wrote."""
    for name, fact in facts_of(letter, body=body).items():
        click.echo(f"{name}: {fact}")
    for name, value in letter.publishers().items():
        click.echo(f"{name}: {_value(value)}" if body else f"{name}: the publisher's; shown with --body")
    if body:
        click.echo(f"\n{letter.body}")


def _value(attribute: MessageAttributeValueOutputTypeDef) -> str:
    binary = attribute.get("BinaryValue")
    return base64.b64encode(binary).decode() if binary is not None else attribute.get("StringValue", "")


def as_record(letter: Letter) -> dict[str, Any]:
    """Return a dead letter in the form in which Lambda would hand it to a function."""
    return {
        "messageId": letter.message_id,
        "body": letter.body,
        "attributes": {**letter.system},
        "messageAttributes": {name: _as_lambda(value) for name, value in letter.attributes.items()},
    }


def _as_lambda(attribute: MessageAttributeValueOutputTypeDef) -> Mapping[str, str]:
    value = "binaryValue" if "BinaryValue" in attribute else "stringValue"
    return {"dataType": attribute["DataType"], value: _value(attribute)}


def say_remarks(walk: Walk) -> None:
    """Print what a person should know of what a walk has not seen."""
    for line in walk.remarks():
        say(line)


def report_of(report: Report, walk: Walk) -> dict[str, Any]:
    """Return what became of a redrive, for programs; `undeleted` are sent twice unless they are purged."""
    return {
        "redriven": report.copied,
        "failed": dict(report.failed),
        "behind": report.behind,
        "unanswered": report.unknown,
        "undeleted": walk.undeleted,
    }


def say_report(report: Report, walk: Walk) -> None:
    """Print what became of a redrive."""
    say(f"{report.copied} redriven")
    for code, count in report.failed.most_common():
        say(f"{count} not redriven: {code}; they are still dead letters")
    if report.behind:
        say(
            f"{report.behind} not tried: an earlier one of their message group failed; they are still dead letters"
        )
    if report.unknown:
        say(f"SQS did not answer for these, which may be sent again next time: {' '.join(report.unknown)}")
    if walk.undeleted:
        why, ids = " ".join(sorted({*walk.undeleted.values()})), " ".join(sorted(walk.undeleted))
        say(f"stopped, since SQS did not delete what was redriven ({why}); purge these by --message-id: {ids}")
