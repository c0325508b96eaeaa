"""The sample SQS events in `events/`, and how each of their records ends.

`events/env.json` beside them is for `sam local`, which samconfig.toml makes read it (`forwarder_tools.samlocal`).
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forwarder_tools.processes import ROOT, ToolError

EVENTS = ROOT / "events"
NOT_SAMPLES = ("env.json", "expected.json")


@dataclass(frozen=True)
class Expectation:
    """How a record ends."""

    outcome: str
    mentions: tuple[str, ...]
    """What the reason names; paths in the event."""


def sample_paths() -> list[Path]:
    """Return the samples' files, by name."""
    return sorted(path for path in EVENTS.glob("*.json") if path.name not in NOT_SAMPLES)


def expectations() -> dict[str, list[Expectation]]:
    """Return how each record of each sample ends, by the file's name."""
    table = json.loads((EVENTS / "expected.json").read_text())
    return {
        name: [Expectation(row["outcome"], tuple(row.get("mentions", ()))) for row in rows]
        for name, rows in table.items()
    }


def read_sample(path: Path) -> dict[str, Any]:
    """Read an SQS event.

    Args:
        path: a file; one of the samples or a person's own.

    Returns:
        The event, as if its messages had been sent just now: an old one would have expired.

    Raises:
        ToolError: it cannot be read or is no SQS event.
    """
    names = ", ".join(sample.name for sample in sample_paths())
    try:
        event = json.loads(path.read_text())
    except OSError as problem:
        raise ToolError(f"{path}: {problem.strerror}; events/ has {names}") from None
    except ValueError as problem:
        raise ToolError(f"{path}: not JSON ({problem}); see events/purchase.json for the shape") from None
    try:
        now = str(round(time.time() * 1000))
        for record in event["Records"]:
            record["attributes"] |= {"SentTimestamp": now, "ApproximateFirstReceiveTimestamp": now}
            record["messageId"], record["body"], record["eventSourceARN"]
    except (KeyError, TypeError):
        raise ToolError(f"{path}: not an SQS event; see events/purchase.json for the shape") from None
    return dict(event)
