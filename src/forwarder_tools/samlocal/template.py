"""The template that `sam local` runs: a build for this machine's processor that has no keys of the shell."""

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from forwarder_tools.artifact import FUNCTION, build, host_architecture
from forwarder_tools.processes import ROOT

LOCAL_TEMPLATE = ROOT / ".aws-sam" / "sandbox" / "template.yaml"
"""Where samconfig.toml makes `sam local` look."""

OF_THE_SHELL = (
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_REGION", "AWS_DEFAULT_REGION"),
)
"""SAM hands the shell's own to the function, unless it finds them among the function's variables.

In the project's template they cannot stand: Lambda sets them, and refuses a function that does.
"""


def write_local_template() -> Path:
    """Build for this machine, and write the template that `sam local` then finds.

    Raises:
        ToolError: a tool is missing or the build failed.
    """
    built = build()
    template: dict[str, Any] = yaml.safe_load(built.read_text())
    template["Parameters"]["Architecture"]["Default"] = host_architecture()
    properties = template["Resources"][FUNCTION]["Properties"]
    properties["CodeUri"] = os.path.relpath(built.parent / FUNCTION, LOCAL_TEMPLATE.parent)
    properties["Environment"]["Variables"] |= dict.fromkeys(OF_THE_SHELL, "")
    LOCAL_TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=LOCAL_TEMPLATE.parent, delete=False) as scratch:
        yaml.safe_dump(template, scratch, sort_keys=False)
    return Path(scratch.name).replace(LOCAL_TEMPLATE)
