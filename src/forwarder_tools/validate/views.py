"""How a judgement is printed: lines for people, or one JSON object for programs. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarder_tools.records import Published
    from forwarder_tools.validate.judgement import Judgement


def lines_of(file: str, published: Published, judgement: Judgement) -> Iterator[str]:
    """Yield a line for each problem and warning of an event.

    Args:
        file: the file's name, as it was given.
        published: where the event is in the file.
        judgement: what was found.
    """
    place = f"{file}:{published.line}: "
    record = "" if published.place is None else f"Records[{published.place}]"
    inside = f"{record}." if record else ""
    for problem in judgement.problems:
        yield f"{place}{inside}{problem}"
    about = f"{record}: " if record else ""
    for name, meaning, remedy in judgement.warnings:
        yield f"{place}warning: {about}{name}: {meaning}; {remedy}"


def json_of(file: str, published: Published, judgement: Judgement) -> str:
    """Return a judgement as one JSON object, on one line and in ASCII; the arguments are those of `lines_of`."""
    return json.dumps(
        {
            "file": file,
            "line": published.line,
            "record": published.place,
            "event_id": judgement.event_id,
            "valid": judgement.event is not None,
            "problems": [problem._asdict() for problem in judgement.problems],
            "warnings": [warning._asdict() for warning in judgement.warnings],
        }
    )


@dataclass
class Tally:
    """How many events were judged, and how."""

    valid: int = 0
    warned: int = 0
    invalid: int = 0

    def add(self, judgement: Judgement) -> None:
        """Count an event."""
        self.valid += judgement.event is not None
        self.warned += bool(judgement.warnings)
        self.invalid += judgement.event is None

    def __str__(self) -> str:
        count = self.valid + self.invalid
        events = "1 event" if count == 1 else f"{count} events"
        return f"{events}: {self.valid} valid, {self.warned} with warnings, {self.invalid} invalid"
