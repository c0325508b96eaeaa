"""The command `kochava-forwarder validate`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from forwarder_tools.inputs import UNREADABLE, FileError, events_of
from forwarder_tools.validate.judgement import judge
from forwarder_tools.validate.options import OPTIONS, of_settings
from forwarder_tools.validate.views import Tally, json_of, lines_of
from kochava_forwarder.kochava.payload import encode_payload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kochava_forwarder.settings import Settings

ALL_VALID, SOME_INVALID = 0, 1
"""The exit statuses, beside `UNREADABLE`."""


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@of_settings(*OPTIONS)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each event, one a line.")
@click.option("--wire", is_flag=True, help="Print what Kochava would get of each valid event, one a line.")
@click.option("--strict", is_flag=True, help="Fail for warnings, too.")
def validate(*, files: Sequence[str], settings: Settings, as_json: bool, wire: bool, strict: bool) -> int:
    """Check events before they are published, as the function would.

    A FILE (- is stdin) has events as you publish them, one a line or over several lines, or SQS events
    ({"Records": [...]}). Nothing is sent, and neither AWS nor a network is needed. What your stack's parameters
    say of events is not known here: give those that are not at their default.

    Each problem and each warning is a line on stdout (with --wire on stderr), a summary the last line on stderr.
    No line has a value of an event in it, but --wire has them all, and --json the event_id.

    The exit status is 0 when every event is valid, 1 when one is not (with --strict: or has a warning), and 2
    for a wrong use, or a file that cannot be read or has no events in it.
    """
    if as_json and wire:
        raise click.UsageError("--json and --wire print different things: give one of them")
    tally = Tally()
    unreadable = False
    for file in files:
        name = click.format_filename(file)
        try:
            for event in events_of(file, "validate"):
                judgement = judge(event.body, now=int(time.time()), settings=settings)
                tally.add(judgement)
                if as_json:
                    click.echo(json_of(name, event, judgement))
                    continue
                if wire and judgement.event:
                    click.echo(encode_payload(judgement.event, settings.device_ua_encoding))
                for line in lines_of(name, event, judgement):
                    click.echo(line, err=wire)
        except FileError as problem:
            click.echo(f"{name}: {problem}", err=True)
            unreadable = True
    click.echo(str(tally), err=True)
    if unreadable:
        return UNREADABLE
    return SOME_INVALID if tally.invalid or (strict and tally.warned) else ALL_VALID
