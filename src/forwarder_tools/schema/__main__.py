"""`make schema`: writes `events/schema.json` and `docs/contract.md` from the contract's models.

`make schema RELEASE=1.2.3` also keeps the schema in `events/released`, for the tests that no later version refuses
what this one took.
"""

import argparse
import json
import re
import sys

from forwarder_tools.processes import ROOT, ToolError, end_on_signals
from forwarder_tools.schema.generate import generate
from forwarder_tools.schema.page import page

SCHEMA = ROOT / "events" / "schema.json"
RELEASED = ROOT / "events" / "released"
PAGE = ROOT / "docs" / "contract.md"


def printed() -> tuple[str, str]:
    """Return the schema and the page, as they stand in their files.

    Raises:
        ToolError: the models have something that the schema's tables do not describe.
    """
    try:
        schema = generate()
        return json.dumps(schema, indent=2) + "\n", page(schema)
    except ValueError as problem:
        raise ToolError(str(problem)) from None


def main() -> int:
    """Run the command; returns the exit status."""
    end_on_signals()
    parser = argparse.ArgumentParser(prog="make schema", description="Write the contract's schema and page.")
    parser.add_argument("--release", default="", help="the version whose schema is kept, such as 1.2.3")
    release: str = parser.parse_args().release
    try:
        schema, document = printed()
        if release:
            _keep(release, schema)
    except ToolError as problem:
        print(f"make schema: {problem}", file=sys.stderr)
        return 1
    SCHEMA.write_text(schema)
    PAGE.write_text(document)
    return 0


def _keep(release: str, schema: str) -> None:
    path = RELEASED / f"{release}.json"
    if not re.fullmatch(r"\d+\.\d+\.\d+", release):
        raise ToolError(f"RELEASE={release} is no version: give three numbers, as in RELEASE=1.2.3")
    if path.exists() and path.read_text() != schema:
        raise ToolError(f"{path.relative_to(ROOT)} is there and says something else: a release is never changed")
    RELEASED.mkdir(exist_ok=True)
    path.write_text(schema)


if __name__ == "__main__":
    sys.exit(main())
