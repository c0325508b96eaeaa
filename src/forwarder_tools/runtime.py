"""The real Lambda runtime without a container: AWS's own emulator and runtime client around an artifact.

One environment, as Lambda would start it: a cold start, then one invocation at a time. Only what the
artifact holds can be imported, so a dependency that was not shipped is missed here as it would be there.
"""

import http.client
import importlib.metadata
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forwarder_tools.artifact import host_architecture
from forwarder_tools.processes import ROOT, ToolError, free_port, last_lines, running, tool, wait_for

HANDLER = "kochava_forwarder.app.lambda_handler"
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")
PROVIDED = ROOT / "src" / "build" / "provided.txt"
"""The packages that Lambda brings itself, which the artifact therefore leaves out."""
START_SECONDS = 10
INVOCATION_ENDS = ("REPORT RequestId:", "Invoke DONE failed")
GRACE_SECONDS = 15
"""What an answer may take beyond the function's own timeout: the cold start, and the emulator's restart."""


@dataclass(frozen=True)
class Invocation:
    """What one invocation came to."""

    response: Any
    """What the handler returned; None when it raised."""
    error: str | None
    """Why it has no response: the exception with its type, or the timeout."""
    log: tuple[str, ...]
    """The lines that it logged."""
    seconds: float
    """How long the caller waited; the first one waits for the cold start too."""


@dataclass(frozen=True)
class Runtime:
    """A running environment."""

    port: int
    output: Path
    timeout_seconds: int
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def invoke(self, event: object) -> Invocation:
        """Invoke the function and wait for its answer; a second caller waits for the first.

        Args:
            event: the event, JSON-serialisable.

        Returns:
            The response or the error: an exception, a timeout and the end of its process are answers too.

        Raises:
            ToolError: the environment is gone or does not answer.
        """
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=self.timeout_seconds + GRACE_SECONDS
        )
        with self._one_at_a_time, closing(connection):  # two requests at once crash the emulator
            logged = self.output.stat().st_size
            start = time.monotonic()
            try:
                connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(event))
                body = connection.getresponse().read().decode()
            except OSError as problem:
                message = f"the runtime does not answer ({problem}):\n{last_lines(self.output)}"
                raise ToolError(message) from problem
            seconds = time.monotonic() - start
            return Invocation(*read_answer(body), self._log_since(logged), seconds)

    def _log_since(self, offset: int) -> tuple[str, ...]:
        def written() -> str:
            text = self.output.read_bytes()[offset:].decode(errors="replace")
            return text if any(end in text for end in INVOCATION_ENDS) else ""

        # The emulator writes its report when the answer is out already.
        text = wait_for(written, seconds=START_SECONDS, what="the runtime's report of an invocation")
        return tuple(line for line in text.splitlines() if line)


def read_answer(body: str) -> tuple[Any, str | None]:
    """Tell a response from an error: the emulator answers HTTP 200 to both."""
    try:
        answer = json.loads(body)
    except ValueError:
        return None, body.strip() or "no answer"
    if isinstance(answer, dict) and "errorType" in answer:
        return None, f"{answer['errorType']}: {answer.get('errorMessage', '')}"
    return answer, None


@contextmanager
def lambda_runtime(
    artifact: Path, environment: Mapping[str, str], *, handler: str = HANDLER, timeout_seconds: int = 30
) -> Iterator[Runtime]:
    """Start an environment for an artifact, and end it.

    Args:
        artifact: the function's built folder.
        environment: the function's environment variables.
        handler: `package.module.function`.
        timeout_seconds: the function's timeout, which the emulator enforces.

    Yields:
        The environment. It starts cold: the first invocation imports the handler.

    Raises:
        ToolError: the artifact or the emulator is missing, or it does not start.
    """
    if not artifact.is_dir():
        raise ToolError(f"{artifact}: no such artifact; run `make build`")
    emulator = _emulator()
    with tempfile.TemporaryDirectory(prefix="lambda-runtime-", ignore_cleanup_errors=True) as name:
        brought, output = Path(name, "brought"), Path(name, "output.log")
        brought.mkdir()
        for package in packages():
            (brought / package.name).symlink_to(package)
        port = free_port()
        arguments: list[str | Path] = [
            *(emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{free_port()}", "--log-level", "error"),
            # -S: without this environment's packages, which are not those of the artifact.
            *(sys.executable, "-S", "-m", "awslambdaric", handler),
        ]
        settings = {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": name,
            "AWS_LAMBDA_FUNCTION_NAME": "forwarder",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout_seconds),
            "LAMBDA_TASK_ROOT": str(artifact),
            "PYTHONPATH": f"{artifact}:{brought}",
            "PYTHONDONTWRITEBYTECODE": "1",  # the code folder cannot be written to in the cloud
            **environment,
        }
        with running(arguments, environment=settings, folder=artifact, output=output) as process:
            wait_for(lambda: _listens(port, process, output), seconds=START_SECONDS, what="the runtime's start")
            yield Runtime(port, output, timeout_seconds)


def _emulator() -> Path:
    name = f"samcli/local/rapid/aws-lambda-rie-{host_architecture()}"
    found = next(tool("sam", "lib").glob(f"python3*/site-packages/{name}"), None)
    if found is None:
        raise ToolError(".tools/sam has no Lambda runtime emulator: run `make install`")
    return found


def packages() -> list[Path]:
    """Return the files and folders of what Lambda's runtime brings: its client, and boto3 with what that needs."""
    lines = (line.strip() for line in PROVIDED.read_text().splitlines())
    names = (*RUNTIME_CLIENT, *(line for line in lines if line and not line.startswith("#")))
    return [
        Path(str(distribution.locate_file(top)))
        for distribution in map(importlib.metadata.distribution, names)
        for top in sorted({file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"})
    ]


def _listens(port: int, process: subprocess.Popen[bytes], output: Path) -> bool:
    if process.poll() is not None:
        raise ToolError(f"the runtime ended as it started:\n{last_lines(output)}")
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
