"""What `sam local` reads: a template for this machine's processor, and the function's variables in a container."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forwarder_tools.artifact import FUNCTION, build, host_architecture
from forwarder_tools.processes import ROOT
from forwarder_tools.samples import EVENTS

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
    template: dict[str, Any] = json.loads(built.read_text())
    template["Parameters"]["Architecture"]["Default"] = host_architecture()
    properties = template["Resources"][FUNCTION]["Properties"]
    properties["CodeUri"] = os.path.relpath(built.parent / FUNCTION, LOCAL_TEMPLATE.parent)
    properties["Environment"]["Variables"] |= dict.fromkeys(OF_THE_SHELL, "")
    LOCAL_TEMPLATE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=LOCAL_TEMPLATE.parent, delete=False) as scratch:
        json.dump(template, scratch, indent=1)
    return Path(scratch.name).replace(LOCAL_TEMPLATE)


@dataclass(frozen=True)
class LocalSettings:
    """The variables that `sam local` gives the function, by name, and what they name on this machine."""

    variables: Mapping[str, str]

    @property
    def sandbox_port(self) -> int:
        """The TCP port of the sandbox."""
        return urlsplit(self.variables["KOCHAVA_ENDPOINT"]).port or 0

    @property
    def cloud_port(self) -> int:
        """The TCP port of the local cloud."""
        return urlsplit(self.variables["AWS_ENDPOINT_URL"]).port or 0

    @property
    def dead_letter_queue(self) -> str:
        """The name of the dead-letter queue."""
        return self.variables["DEAD_LETTER_QUEUE_URL"].rsplit("/", 1)[-1]

    def at(self, *, sandbox_port: int, cloud_port: int, dead_letter_queue: str) -> "LocalSettings":
        """Return the same for other ports and another queue."""
        cloud = f"http://host.docker.internal:{cloud_port}"
        moved = {
            "KOCHAVA_ENDPOINT": f"http://sandbox.localhost:{sandbox_port}/track/json",
            "AWS_ENDPOINT_URL": cloud,
            "DEAD_LETTER_QUEUE_URL": f"{cloud}/000000000000/{dead_letter_queue}",
        }
        return LocalSettings({**self.variables, **moved})


def env_json() -> LocalSettings:
    """Read `events/env.json`."""
    return LocalSettings(json.loads((EVENTS / "env.json").read_text())[FUNCTION])
