"""Dead letters by reason: how many, how old, and one of each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forwarder_tools.deadletters.letter import iso

if TYPE_CHECKING:
    from forwarder_tools.deadletters.letter import Letter


@dataclass
class Span:
    """The earliest and the latest of some moments, in seconds since 1970."""

    oldest: float
    newest: float

    def add(self, moment: float) -> None:
        """Take one more moment in."""
        self.oldest = min(self.oldest, moment)
        self.newest = max(self.newest, moment)


@dataclass
class Group:
    """The dead letters of one reason: their number, when they were dead-lettered and published, one of them."""

    sample: Letter
    dead_lettered: Span
    sent: Span
    count: int = 1

    def add(self, letter: Letter) -> None:
        """Take one more dead letter in."""
        self.count += 1
        self.dead_lettered.add(letter.dead_lettered_at)
        self.sent.add(letter.sent_at)


@dataclass
class Groups:
    """Dead letters by reason, as they come in."""

    by_reason: dict[str, Group] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        """Count a dead letter; of each reason the first one is kept as its sample, without its body."""
        group = self.by_reason.get(letter.reason)
        if group is None:
            dead_lettered, sent = letter.dead_lettered_at, letter.sent_at
            self.by_reason[letter.reason] = Group(
                letter.without_body(), Span(dead_lettered, dead_lettered), Span(sent, sent)
            )
        else:
            group.add(letter)

    @property
    def count(self) -> int:
        """How many dead letters there are in all."""
        return sum(group.count for group in self.by_reason.values())

    def largest_first(self) -> list[tuple[str, Group]]:
        """Return the groups with their reasons, the largest first."""
        return sorted(self.by_reason.items(), key=lambda item: (-item[1].count, item[0]))

    def as_json(self) -> list[dict[str, object]]:
        """Return the groups for programs, the largest first; moments in ISO 8601."""
        return [
            {
                "reason": reason,
                "count": group.count,
                "deadLetteredAt": {
                    "oldest": iso(group.dead_lettered.oldest),
                    "newest": iso(group.dead_lettered.newest),
                },
                "sentAt": {"oldest": iso(group.sent.oldest), "newest": iso(group.sent.newest)},
                "sample": sample_facts(group.sample),
            }
            for reason, group in self.largest_first()
        ]


def sample_facts(letter: Letter) -> dict[str, str]:
    """Return what may be shown of a dead letter: ids, counts and the function's detail, no value of its body."""
    facts = {
        "messageId": letter.message_id,
        "sourceMessageId": letter.text("sourceMessageId"),
        "eventId": letter.text("eventId"),
        "receiveCount": letter.text("receiveCount"),
        "detail": letter.text("detail"),
    }
    return {name: value for name, value in facts.items() if value}
