"""Carries dead letters over to the event queue: a copy first, and a deletion only after SQS confirmed the copy."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools.deadletters.copies import in_calls
from forwarder_tools.processes import uninterrupted
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forwarder_tools.deadletters.letter import Letter
    from forwarder_tools.deadletters.pace import Pace
    from forwarder_tools.deadletters.queues import EventQueue
    from forwarder_tools.deadletters.selection import Selection
    from forwarder_tools.deadletters.walk import Walk

_SERVER_ERRORS = 500  # the lowest HTTP status of a server that failed


@dataclass
class Report:
    """What became of the dead letters that were meant; it grows while they are carried over.

    Args:
        copied: how many copies SQS confirmed.
        failed: how many copies it refused, by the code of the failure; they stay dead letters.
        behind: how many were not tried, because an earlier one of their message group failed; they stay too.
        unknown: ids of those of which SQS gave no answer: they stay, and may have been copied.
    """

    copied: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    behind: int = 0
    unknown: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything that was meant has been carried over."""
        return not (self.failed or self.behind or self.unknown)


def redrive(
    walk: Walk,
    events: EventQueue,
    selection: Selection,
    pace: Pace,
    report: Report,
) -> None:
    """Send the selected dead letters of a walk to the event queue, and delete them.

    Ctrl-C and SIGTERM are held back between a copy and its deletion, so that nothing is sent twice for them. It
    ends when a deletion is not confirmed: what else it copied might have to stay as well, and be sent twice.

    Args:
        walk: through the dead-letter queue; entered.
        events: where the copies go.
        selection: which dead letters.
        pace: how fast.
        report: learns what became of each, also when this raises.

    Raises:
        ClientError, BotoCoreError: SQS refused a call, or did not answer; nothing is lost.
    """
    failed_groups: set[str] = set()
    for letters in walk.letters():
        chosen = [letter for letter in letters if selection.takes(letter)]
        for call in in_calls(chosen, fifo=events.is_fifo):
            free = [letter for letter in call if letter.group_id not in failed_groups]
            report.behind += len(call) - len(free)
            if free:
                pace.take(len(free))
                with uninterrupted():
                    failed = _carry(free, walk, events, report)
                if walk.undeleted:
                    return
                if events.is_fifo:
                    failed_groups |= {letter.group_id for letter in failed if letter.group_id}


def _carry(letters: Sequence[Letter], walk: Walk, events: EventQueue, report: Report) -> list[Letter]:
    """Copy dead letters in one call and delete what was copied; return those that were not."""
    try:
        failures = events.copy(letters)
    except (BotoCoreError, ClientError) as error:
        if _was_refused(error):
            report.failed[aws_error(error)] += len(letters)
        else:
            report.unknown += [letter.message_id for letter in letters]
        raise
    copied = [letter for letter in letters if letter.message_id not in failures]
    report.copied += len(copied)
    report.failed.update(failures.values())
    walk.delete(copied)
    return [letter for letter in letters if letter.message_id in failures]


def _was_refused(error: Exception) -> bool:
    """Return whether SQS certainly took nothing of the call."""
    return isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < _SERVER_ERRORS
