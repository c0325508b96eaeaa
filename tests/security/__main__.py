"""The command: run every check, print what was found, and fail if anything was."""

import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from forwarder_tools.processes import ROOT, ToolError, end_on_signals
from tests.sam_python import run_with_sam
from tests.security.checks import (
    DEPLOYED_CODE,
    SECONDS,
    STARTS_PROGRAMS,
    TOOLS,
    forbidden_template,
    open_template,
    secrets,
    unsafe_code,
)
from tests.template_options import ALARMS, EVERYTHING

DEPLOYMENTS = {"default": ALARMS, "everything": EVERYTHING}
"""What is deployed is looked at twice: with defaults, but somebody who hears of alarms, and with every option."""


def main() -> int:
    """Run the command.

    Returns:
        The exit status: 0, or 1 when something was found or could not be looked at.
    """
    end_on_signals()
    with tempfile.TemporaryDirectory(prefix="security-") as scratch:
        try:
            found = check(Path(scratch))
        except ToolError as error:
            found = [str(error)]
    for line in found:
        print(line, file=sys.stderr)
    print(f"security: {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return int(bool(found))


def check(scratch: Path) -> list[str]:
    """Return what all checks find, in a folder to write in.

    Raises:
        ToolError: a check's program is missing or failed.
    """
    templates = deployments(scratch)
    checks = [
        partial(open_template, templates),
        partial(secrets, ROOT, committed()),
        partial(forbidden_template, templates),
        partial(unsafe_code, Path(DEPLOYED_CODE)),
        partial(unsafe_code, Path(TOOLS), allowed=STARTS_PROGRAMS),
    ]
    if shutil.which("npm") is None:
        print("security: npm is missing; the template is not checked with cfn-guard", file=sys.stderr)
        del checks[2]
    with ThreadPoolExecutor() as side_by_side:
        running = [side_by_side.submit(each) for each in checks]
        return [finding for done in running for finding in done.result()]


def deployments(folder: Path) -> list[Path]:
    """Write what is deployed with some parameters, as templates without conditions, into a folder.

    Raises:
        ToolError: SAM is missing or refuses the template.
    """
    run_with_sam("tests.security.deployed", DEPLOYMENTS, folder)
    return [folder / f"{name}.json" for name in DEPLOYMENTS]


def committed() -> list[Path]:
    """Return the files that are in the repository, or would be with the next commit; by paths from its top.

    Raises:
        ToolError: this is no Git checkout.
    """
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whichever Git there is
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ToolError(f"git cannot list the files to look at for secrets: {done.stderr.strip()}")
    return [path for name in done.stdout.split("\0") if name and (ROOT / (path := Path(name))).is_file()]


if __name__ == "__main__":
    sys.exit(main())
