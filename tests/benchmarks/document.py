"""Writes figures into docs/performance.md: the prose is people's, what lies between two markers is measured."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forwarder_tools.markdown import put
from forwarder_tools.processes import ROOT, ToolError
from tests.benchmarks.tables import Table

DOCUMENT = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
GROWTH = ROOT / "docs" / "cost.svg"
SHOWN = ("aws-lambda-powertools", "pydantic", "urllib3", "boto3")


def write(document: Path, tables: Sequence[Table], conditions: str) -> None:
    """Put the tables where the document's markers want them.

    Raises:
        ToolError: the document has no place for one of them.
    """
    text = document.read_text()
    blocks = {table.name: f"{table.title}:\n\n{table.markdown()}" for table in tables} | {"conditions": conditions}
    try:
        for name, block in blocks.items():
            text = put(text, f"bench: {name}", block)
    except LookupError as problem:
        raise ToolError(f"docs/performance.md has {problem}") from None
    document.write_text(text)


def conditions() -> str:
    """Return when, and with what, the figures were measured."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in SHOWN)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()} on {platform.system()}"
        f" {platform.machine()}, {os.cpu_count()} cores; {versions}."
    )
