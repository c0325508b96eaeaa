"""The options that the commands share: which queues, which dead letters."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

import click

from forwarder_tools.deadletters.aws import Queues, errors_in_one_line, queues_of_stack
from forwarder_tools.deadletters.selection import REASONS, Selection, parse_age, parse_reason

if TYPE_CHECKING:
    from collections.abc import Callable

type Command = Callable[..., int]


class Age(click.ParamType):
    """An age on the command line, such as `12h`; its value is in seconds."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds that the text says."""
        try:
            return parse_age(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Reason(click.ParamType):
    """A reason of dead letters on the command line."""

    name = "reason"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the reason that the text names."""
        try:
            return parse_reason(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def on_queues(command: Command) -> Command:
    """Give a command the options that name the queues, as `queues`; AWS's errors become one line."""

    @click.option("--stack", metavar="NAME", help="The deployed stack; its outputs name the queues.")
    @click.option("--queue", metavar="URL", help="The event queue, instead of a stack.")
    @click.option("--dead-letter-queue", metavar="URL", help="The dead-letter queue, instead of a stack.")
    @functools.wraps(command)
    def with_queues(*, stack: str | None, queue: str | None, dead_letter_queue: str | None, **rest: Any) -> int:
        if bool(stack) == bool(dead_letter_queue or queue):
            raise click.UsageError(
                "name the queues: either --stack NAME, or --queue URL and --dead-letter-queue URL"
            )
        if not stack and not dead_letter_queue:
            raise click.UsageError("name the dead-letter queue, too: --dead-letter-queue URL")
        with errors_in_one_line():
            queues = queues_of_stack(stack) if stack else Queues(dead_letter_queue or "", queue)
            return command(queues=queues, **rest)

    return with_queues


def of_selection(*, required: bool) -> Callable[[Command], Command]:
    """Give a command the options that select dead letters; it gets them as `selection`.

    Args:
        required: whether every dead letter is meant only by `--all`, and not by giving no option.
    """

    def decorate(command: Command) -> Command:
        @click.option(
            "--reason", "reasons", type=Reason(), multiple=True, help=f"Those of this one: {', '.join(REASONS)}."
        )
        @click.option(
            "--older-than", type=Age(), help="Those dead-lettered longer ago than this, such as 12h or 3d."
        )
        @click.option("--newer-than", type=Age(), help="Those dead-lettered since, such as 30m.")
        @click.option(
            "--message-id",
            "message_ids",
            multiple=True,
            metavar="ID",
            help="The one of this id, as listed or logged.",
        )
        @click.option("--all", "everything", is_flag=True, help="Every dead letter.")
        @functools.wraps(command)
        def with_selection(
            *,
            reasons: tuple[str, ...],
            older_than: float | None,
            newer_than: float | None,
            message_ids: tuple[str, ...],
            everything: bool,
            **rest: Any,
        ) -> int:
            now = time.time()
            selection = Selection(
                reasons=reasons,
                message_ids=frozenset(message_ids),
                before=None if older_than is None else now - older_than,
                after=None if newer_than is None else now - newer_than,
            )
            if everything and selection != Selection():
                raise click.UsageError("--all leaves nothing out: give it alone")
            if required and not everything and selection == Selection():
                raise click.UsageError("which? --reason, --older-than, --newer-than, --message-id, or --all")
            return command(selection=selection, **rest)

        return with_selection

    return decorate
