"""The options that say where events go and how they are read."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

import click

from forwarder_tools.deadletters.aws import errors_in_one_line, queues_of_stack
from forwarder_tools.publishing.events import Rules
from forwarder_tools.validate.options import of_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kochava_forwarder.settings import Settings

type Command = Callable[..., int]

QUEUE_VARIABLE = "EVENT_QUEUE_URL"


def to_queue(command: Command) -> Command:
    """Give a command the options that name the event queue, as `queue`; AWS's errors become one line."""

    @click.option("--queue-url", metavar="URL", help=f"The event queue; else --stack, else ${QUEUE_VARIABLE}.")
    @click.option("--stack", metavar="NAME", help="The deployed stack, whose output names the event queue.")
    @functools.wraps(command)
    def with_queue(*, queue_url: str | None, stack: str | None, **rest: Any) -> int:
        if queue_url and stack:
            raise click.UsageError("name the queue once: either --queue-url URL or --stack NAME")
        with errors_in_one_line():
            queue = queues_of_stack(stack).events if stack else queue_url or os.environ.get(QUEUE_VARIABLE)
            if not queue:
                raise click.UsageError(
                    f"name the queue: --queue-url URL, --stack NAME, or the variable {QUEUE_VARIABLE}"
                )
            return command(queue=queue, **rest)

    return with_queue


def by_rules(command: Command) -> Command:
    """Give a command that has a `queue` the options that say how events are read, as `rules`."""

    @click.option("--no-check", is_flag=True, help="Send also what the function will refuse.")
    @click.option("--group-by", metavar="PATH", help="On a FIFO queue, what keeps its order; else the device.")
    @click.option("--add-event-ids", is_flag=True, help="Give an event that has no event_id one.")
    @of_settings("KOCHAVA_APP_ID", "ADVERTISING_IDS")
    @functools.wraps(command)
    def with_rules(
        *,
        queue: str,
        settings: Settings,
        no_check: bool,
        group_by: str | None,
        add_event_ids: bool,
        **rest: Any,
    ) -> int:
        fifo = queue.endswith(".fifo")
        if group_by and not fifo:
            raise click.UsageError("--group-by is for a FIFO queue, and this one is not")
        rules = Rules(
            settings,
            fifo=fifo,
            check=not no_check,
            group_by=tuple(group_by.split(".")) if group_by else (),
            add_event_ids=add_event_ids,
        )
        return command(queue=queue, rules=rules, **rest)

    return with_rules
