"""`make capacity`: writes the tables of `docs/capacity.md`."""

import sys

from forwarder_tools.capacity.figures import Figures
from forwarder_tools.capacity.page import page
from forwarder_tools.processes import ROOT, end_on_signals

DOCUMENT = ROOT / "docs" / "capacity.md"
PERFORMANCE = ROOT / "docs" / "performance.md"


def figures() -> Figures:
    """Return what the document says was measured.

    Raises:
        LookupError: it does not say what is needed.
    """
    return Figures.read(PERFORMANCE.read_text())


def main() -> int:
    """Run the command; returns the exit status."""
    end_on_signals()
    try:
        text = page(DOCUMENT.read_text(), figures())
    except LookupError as problem:
        print(f"make capacity: {problem.args[0]}", file=sys.stderr)
        return 1
    DOCUMENT.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
