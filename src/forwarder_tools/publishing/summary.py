"""What became of the events of a run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

from forwarder_tools.publishing.events import Why


@dataclass
class Summary:
    """What became of all events.

    Args:
        queue: the URL of the queue.
        dry_run: whether nothing was sent; `sent` counts what would be.
        sent: how many SQS has confirmed.
        not_sent: how many were not to be sent, by why.
        failed: how many SQS did not take, by code.
        behind: how many were not tried, because an earlier one of their message group failed.
        without_event_id: how many of those to be sent have no `event_id`.
        complete: whether every input was read to its end.
    """

    queue: str
    dry_run: bool
    sent: int = 0
    not_sent: Counter[Why] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    behind: int = 0
    without_event_id: int = 0
    complete: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether the queue has every event."""
        return self.complete and not (self.not_sent[Why.INVALID] or self.failed or self.behind)

    def as_json(self) -> str:
        """Return it for programs."""
        return json.dumps(
            {
                "queue": self.queue,
                "dry_run": self.dry_run,
                "complete": self.complete,
                "sent": self.sent,
                "published_before": self.not_sent[Why.PUBLISHED],
                "repeated": self.not_sent[Why.REPEATED],
                "invalid": self.not_sent[Why.INVALID],
                "failed": dict(self.failed),
                "behind": self.behind,
                "without_event_id": self.without_event_id,
            }
        )

    def __str__(self) -> str:
        failed = sum(self.failed.values())
        parts = [f"{self.sent:,} {'would be sent' if self.dry_run else 'sent'}"]
        parts += [f"{self.not_sent[why]:,} {why}" for why in Why if self.not_sent[why]]
        parts += [f"{failed:,} refused by SQS ({', '.join(self.failed)})"] if failed else []
        parts += [f"{self.behind:,} held back behind those of their group"] if self.behind else []
        parts += [f"{self.without_event_id:,} without event_id"] if self.without_event_id else []
        parts += [] if self.complete else ["not complete: run it again for the rest"]
        return ", ".join(parts)
