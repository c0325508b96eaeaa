"""The sample SQS events in `events/` and its folders, and how their records end; events/README.md lists them.

`events/env.json` beside them is for `sam local`, which samconfig.toml makes read it (`forwarder_tools.samlocal`);
`events/schema.json` is the contract that each body keeps or breaks (`forwarder_tools.schema`).
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forwarder_tools.processes import ROOT, ToolError
from forwarder_tools.records import NoEventError, sqs_event

EVENTS = ROOT / "events"
NOT_SAMPLES = ("env.json", "expected.json", "schema.json")
SCHEMAS = "released"
"""The folder of released schemas, which are no samples either."""
REMEDY = "give an SQS event such as events/purchase.json, an event as you publish it, or one such event a line"


@dataclass(frozen=True)
class Expectation:
    """How a record ends."""

    outcome: str
    mentions: tuple[str, ...]
    """What the reason has in it, such as paths in the event."""
    warnings: tuple[str, ...]
    """What is counted of an event that is delivered all the same."""


def sample_paths() -> list[Path]:
    """Return the files of all samples: a few in `events/` itself, then one for each case in its folders."""
    folders = sorted(EVENTS.glob("*/*.json"))
    return [*few_sample_paths(), *(path for path in folders if path.parent.name != SCHEMAS)]


def few_sample_paths() -> list[Path]:
    """Return the files of the samples in `events/` itself, by name: for what takes seconds for each."""
    return sorted(path for path in EVENTS.glob("*.json") if path.name not in NOT_SAMPLES)


def sample_name(path: Path) -> str:
    """Return what a sample is called: its file's path in `events/`."""
    return path.relative_to(EVENTS).as_posix()


def expectations() -> dict[str, list[Expectation]]:
    """Return how each record of each sample ends, by the sample's name."""
    table = json.loads((EVENTS / "expected.json").read_text())
    return {
        name: [
            Expectation(row["outcome"], tuple(row.get("mentions", ())), tuple(row.get("warnings", ())))
            for row in rows
        ]
        for name, rows in table.items()
    }


def read_sample(path: Path) -> dict[str, Any]:
    """Read a file of events, one of the samples or a person's own, as an SQS event.

    Args:
        path: an SQS event, a bare event or one bare event a line: see `forwarder_tools.records`.

    Returns:
        The SQS event, as if its messages had been sent just now.

    Raises:
        ToolError: it cannot be read or is none of these.
    """
    try:
        return sqs_event(path.read_text(encoding="utf-8-sig"), round(time.time() * 1000))
    except OSError as problem:
        names = ", ".join(map(sample_name, few_sample_paths()))
        raise ToolError(f"{path}: {problem.strerror}; events/ has {names}, and more in its folders") from None
    except UnicodeDecodeError as problem:
        raise ToolError(f"{path}: not UTF-8 (byte {problem.start}); {REMEDY}") from None
    except NoEventError as problem:
        raise ToolError(f"{path}: {problem}; {REMEDY}") from None
