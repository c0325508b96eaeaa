"""What CloudFormation makes of the template. Runs in SAM's environment, as a program.

Takes a folder, and on standard input sets of parameters by name, as JSON; writes `NAME.json` for each.
"""

import json
import sys
from pathlib import Path

from tests.sam_translation import deployed


def main() -> None:
    """Write the templates."""
    folder = Path(sys.argv[1])
    for name, given in json.load(sys.stdin).items():
        template = {"AWSTemplateFormatVersion": "2010-09-09", **deployed(given)}
        (folder / f"{name}.json").write_text(json.dumps(template, indent=1))


if __name__ == "__main__":
    main()
