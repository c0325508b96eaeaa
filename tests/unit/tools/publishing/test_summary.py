"""What a run says at its end."""

import json

from forwarder_tools.publishing.events import Why
from forwarder_tools.publishing.summary import Summary


def test_a_clean_run_says_what_was_sent() -> None:
    summary = Summary("q", dry_run=False, sent=1234, complete=True)
    assert str(summary) == "1,234 sent"
    assert summary.is_clean


def test_everything_else_is_said_too() -> None:
    summary = Summary("q", dry_run=True, sent=1, behind=5, without_event_id=1)
    summary.not_sent.update({Why.INVALID: 2, Why.REPEATED: 3, Why.PUBLISHED: 4})
    summary.failed.update(["Code"])
    assert str(summary) == (
        "1 would be sent, 2 invalid, 3 repeated, 4 published before, 1 refused by SQS (Code), "
        "5 held back behind those of their group, 1 without event_id, not complete: run it again for the rest"
    )
    assert json.loads(summary.as_json()) == {
        "queue": "q",
        "dry_run": True,
        "complete": False,
        "sent": 1,
        "published_before": 4,
        "repeated": 3,
        "invalid": 2,
        "failed": {"Code": 1},
        "behind": 5,
        "without_event_id": 1,
    }


def test_what_the_queue_does_not_have_makes_it_unclean() -> None:
    def clean(**of: object) -> bool:
        return Summary(**{"queue": "q", "dry_run": False, "complete": True, **of}).is_clean  # type: ignore[arg-type]

    assert not clean(complete=False)
    assert not clean(behind=1)
    assert not clean(failed={"Code": 1})
    assert not clean(not_sent={Why.INVALID: 1})
    assert clean(not_sent={Why.INVALID: 0, Why.REPEATED: 1, Why.PUBLISHED: 1})
