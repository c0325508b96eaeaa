"""Writes figures into docs/performance.md: the prose is people's, what lies between two markers is measured."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forwarder_tools.processes import ROOT, ToolError
from tests.benchmarks.tables import Table

DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
SHOWN = ("aws-lambda-powertools", "pydantic", "urllib3", "boto3")


def write(document: Path, tables: Sequence[Table], conditions: str) -> None:
    """Put the tables where the document's markers want them.

    Raises:
        ToolError: the document has no place for one of them.
    """
    text = document.read_text()
    for table in tables:
        text = _put(text, table.name, f"{table.title}:\n\n{table.markdown()}")
    document.write_text(_put(text, "conditions", conditions))


def _put(text: str, name: str, block: str) -> str:
    begin, end = f"<!-- bench: {name} -->", "<!-- end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ToolError(f"docs/performance.md has no place for the table: write {begin} and {end} there")
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{end}", text)


def conditions() -> str:
    """Return when, and with what, the figures were measured."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in SHOWN)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} on {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores; {versions}."
    )
