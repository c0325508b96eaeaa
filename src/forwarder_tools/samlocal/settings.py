"""`events/env.json`: the function's variables in a container, and the ports that they name on this machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from forwarder_tools.artifact import FUNCTION
from forwarder_tools.samples import EVENTS

ENV_JSON = EVENTS / "env.json"


@dataclass(frozen=True)
class LocalSettings:
    """The variables that `sam local` gives the function, by name."""

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
        moved = {
            "KOCHAVA_ENDPOINT": ("sandbox.localhost", sandbox_port, "/track/json"),
            "AWS_ENDPOINT_URL": ("host.docker.internal", cloud_port, ""),
            "DEAD_LETTER_QUEUE_URL": ("host.docker.internal", cloud_port, f"/000000000000/{dead_letter_queue}"),
        }
        urls = {name: f"http://{host}:{port}{path}" for name, (host, port, path) in moved.items()}
        return LocalSettings({**self.variables, **urls})

    def as_json(self) -> str:
        """Return the text of a file for `--env-vars`."""
        return json.dumps({FUNCTION: dict(self.variables)}, indent=2)


def env_json() -> LocalSettings:
    """Read `events/env.json`."""
    return LocalSettings(json.loads(ENV_JSON.read_text())[FUNCTION])
