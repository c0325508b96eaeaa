"""`make local`: hands one sample to the function in SAM's container, with everything it needs, and reports.

    python -m forwarder_tools.samlocal.invoke events/purchase.json --fault 503

The report is that of `make invoke`. `sam local invoke` ends with status 0 whatever happens, so this looks at the
answer instead: the exit status is 0 when the function answered, and 1 when it raised or something is missing.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from forwarder_tools.artifact import FUNCTION
from forwarder_tools.console import open_console
from forwarder_tools.invoke import Result, create_queue, show, through_a_queue
from forwarder_tools.localcloud import LocalCloud, local_cloud, peek
from forwarder_tools.processes import (
    ROOT,
    ToolError,
    base_environment,
    end_on_signals,
    last_lines,
    tool,
    uninterrupted,
)
from forwarder_tools.runtime import Invocation, read_answer
from forwarder_tools.samlocal.bridge import reachable_address
from forwarder_tools.samlocal.files import env_json, write_local_template
from forwarder_tools.samples import read_sample
from forwarder_tools.sandbox import Sandbox

SAM_SECONDS = 900
"""The first time, SAM fetches Lambda's image: some 200 MB."""

END_SECONDS = 5
"""SAM removes its container at once; afterwards it would wait for the function's timeout."""


def main() -> int:
    """Run the command; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="make local", description="Hand a sample to the function in a container."
    )
    parser.add_argument(
        "event",
        type=Path,
        help="an SQS event such as events/purchase.json, an event as you publish it, or one such event a line",
    )
    parser.add_argument("--fault", action="append", default=[], help="what the sandbox does first, such as 503")
    parser.add_argument("--log", action="store_true", help="show what the function logged")
    parser.add_argument("--skip-pull-image", action="store_true", help="use the image that Docker has")
    arguments = parser.parse_args()
    end_on_signals()
    try:
        options = ["--skip-pull-image"] if arguments.skip_pull_image else []
        result = invoke(arguments.event, arguments.fault, options)
    except (ToolError, ValueError) as problem:  # ValueError: the sandbox knows no such fault
        print(f"make local: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show(open_console(), result, log=arguments.log)
    return 1 if result.invocation.error else 0


def invoke(path: Path, faults: Sequence[str] = (), options: Sequence[str] = ()) -> Result:
    """Invoke the function with a sample by `sam local invoke`.

    Args:
        path: the sample.
        faults: what the sandbox does to the first requests; see `forwarder_tools.sandbox.faults`.
        options: more options for SAM.

    Raises:
        ToolError: the sample cannot be read, or a tool is missing or fails.
    """
    sample = read_sample(path)
    suffix = ".fifo" if any(record["eventSourceARN"].endswith(".fifo") for record in sample["Records"]) else ""
    address = reachable_address()
    write_local_template()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sam-local-")))
        sandbox = stack.enter_context(Sandbox(host=address))
        if faults:
            sandbox.script(*faults)
        cloud = stack.enter_context(local_cloud(host=address, tls=False))
        events, dead_letters = (create_queue(cloud, f"{name}{suffix}") for name in ("events", "dead-letters"))
        event = through_a_queue(cloud, events, sample)
        settings = env_json().at(
            sandbox_port=sandbox.port,
            cloud_port=int(cloud.url.rsplit(":", 1)[-1]),
            dead_letter_queue=f"dead-letters{suffix}",
        )
        (folder / "env.json").write_text(json.dumps({FUNCTION: settings.variables}))
        (folder / "event.json").write_text(json.dumps(event))
        files = ("--event", str(folder / "event.json"), "--env-vars", str(folder / "env.json"))
        invocation = _sam_local_invoke([*files, *options], cloud, folder)
        return Result(event, invocation, sandbox.received, peek(cloud, dead_letters), peek(cloud, events))


def _sam_local_invoke(options: Sequence[str], cloud: LocalCloud, folder: Path) -> Invocation:
    """Run `sam local invoke`, and tell from what it prints what became of it.

    Raises:
        ToolError: the function was not invoked, or gave no answer.
    """
    output, log = folder / "output", folder / "log"
    start = time.monotonic()
    command: list[str | Path] = [tool("sam", "bin", "sam"), "local", "invoke", FUNCTION, *options]
    with _running(command, cloud, output, log) as process:
        try:
            process.wait(SAM_SECONDS)
        except subprocess.TimeoutExpired:
            raise ToolError(f"sam local invoke was not done after {SAM_SECONDS} s:\n{last_lines(log)}") from None
    answer = output.read_text(errors="replace").strip()
    if not answer:  # SAM's status is 0 all the same when the container failed or the function ran out of time
        raise ToolError(f"sam local invoke gave no answer:\n{last_lines(log)}")
    response, error = read_answer(answer.splitlines()[-1])
    lines = tuple(log.read_text(errors="replace").splitlines())
    return Invocation(response, error, lines, time.monotonic() - start)


@contextmanager
def _running(
    arguments: Sequence[str | Path], cloud: LocalCloud, output: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run SAM; at the end of the `with` ask it to end first, for only SAM removes its container.

    SAM asks AWS whose keys it was given: it is given those of the local cloud, and asks that.
    """
    with output.open("wb") as stdout, log.open("wb") as stderr, uninterrupted():
        process = subprocess.Popen(
            arguments,
            env=base_environment(SAM_CLI_TELEMETRY="0", **cloud.aws_settings),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with uninterrupted():
            process.send_signal(signal.SIGINT)
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
