"""Which dead letters are meant. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forwarder_tools.deadletters.letter import MOVED_BY_SQS, NO_REASON
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, action_for

if TYPE_CHECKING:
    from forwarder_tools.deadletters.letter import Letter

REASONS = (
    *(
        outcome.value
        for outcome in Outcome
        if any(action_for(outcome, choice) is Action.DEAD_LETTER for choice in AmbiguousDelivery)
    ),
    MOVED_BY_SQS.lower().replace(" ", "-"),
    NO_REASON.replace(" ", "-"),
)
"""The reasons of dead letters, as they are written on a command line."""

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


@dataclass(frozen=True)
class Selection:
    """What a dead letter must be to be meant: all that is given; nothing given means every one.

    Args:
        reasons: one of these reasons; `moved-by-sqs` and `moved by SQS` are the same.
        message_ids: one of these ids, in the dead-letter queue or, as in the function's log, in the event queue.
        before: dead-lettered before this moment, in seconds since 1970.
        after: dead-lettered after this moment.
    """

    reasons: tuple[str, ...] = ()
    message_ids: frozenset[str] = frozenset()
    before: float | None = None
    after: float | None = None

    def takes(self, letter: Letter) -> bool:
        """Return whether a dead letter is meant."""
        return (
            (not self.reasons or _same(letter.reason) in map(_same, self.reasons))
            and (not self.message_ids or not self.message_ids.isdisjoint(_ids(letter)))
            and (self.before is None or letter.dead_lettered_at < self.before)
            and (self.after is None or letter.dead_lettered_at > self.after)
        )


def _ids(letter: Letter) -> set[str]:
    return {letter.message_id, letter.text("sourceMessageId")} - {""}


def parse_reason(text: str) -> str:
    """Return the one of `REASONS` that a text names, in any case and with blanks or hyphens.

    Raises:
        ValueError: there is no such reason.
    """
    for reason in REASONS:
        if _same(reason) == _same(text):
            return reason
    raise ValueError(f"{text!r} is no reason: write one of {', '.join(REASONS)}")


def _same(reason: str) -> str:
    return reason.casefold().replace("-", " ")


def parse_age(text: str) -> float:
    """Return the seconds that an age such as `90s`, `30m`, `12h` or `3d` says.

    Raises:
        ValueError: it says none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no age: write a number and s, m, h or d, as in 12h")
    return float(match[1]) * _SECONDS[match[2]]


def age_text(seconds: float) -> str:
    """Return an age in its largest whole unit, as in `3h`; what is not past yet is `0s`."""
    for unit, size in reversed(_SECONDS.items()):
        if seconds >= size:
            return f"{seconds // size:.0f}{unit}"
    return "0s"
