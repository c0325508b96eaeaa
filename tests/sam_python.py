"""Runs a module of the tests with SAM's Python, which has its translator and cfn-lint."""

import json
import subprocess
from pathlib import Path

from forwarder_tools.processes import ROOT, ToolError, base_environment, tool

SECONDS = 60


def run_with_sam(module: str, cases: object, *arguments: Path) -> str:
    """Run a module that reads cases as JSON from its stdin; return what it prints.

    Raises:
        ToolError: it fails; has its stderr.
    """
    done = subprocess.run(
        [tool("sam", "bin", "python"), "-m", module, *arguments],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        env=base_environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}", AWS_DEFAULT_REGION="us-east-1"),
        cwd=ROOT,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ToolError(f"{module}: SAM does not take template.yaml: {done.stderr}")
    return done.stdout
