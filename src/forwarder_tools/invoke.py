"""Hands one sample to the function, in the real Lambda runtime, against a sandbox of Kochava.

    python -m forwarder_tools.invoke events/purchase.json

The dead-letter queue is a real one too, on a local cloud. Everything is started for this one
invocation and ended after it. The exit status is 0 when the function answered, whatever became of the
records, and 1 when it raised or something is missing.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.json import JSON
from rich.table import Table

from forwarder_tools.artifact import FUNCTION, build
from forwarder_tools.console import open_console
from forwarder_tools.localcloud import LocalCloud, Message, local_cloud, peek
from forwarder_tools.observed import DELIVERED, dead_letters, logged
from forwarder_tools.processes import ToolError, end_on_sigterm
from forwarder_tools.runtime import Invocation, lambda_runtime
from forwarder_tools.samples import read_sample
from forwarder_tools.sandbox import Received, Sandbox

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Result:
    """One invocation and everything that it did."""

    event: Mapping[str, Any]
    invocation: Invocation
    received: list[Received]
    dead: list[Message]


def main() -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make invoke", description="Hand a sample to the function.")
    parser.add_argument("event", type=Path, help="an SQS event, such as events/purchase.json")
    parser.add_argument("--fault", action="append", default=[], help="what the sandbox does first, such as 503")
    parser.add_argument("--log", action="store_true", help="show what the function logged")
    arguments = parser.parse_args()
    end_on_sigterm()
    try:
        result = invoke(arguments.event, arguments.fault)
    except (ToolError, ValueError) as problem:  # ValueError: the sandbox knows no such fault
        print(f"make invoke: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show(open_console(), result, log=arguments.log)
    return 1 if result.invocation.error else 0


def invoke(path: Path, faults: list[str]) -> Result:
    """Invoke the function with a sample.

    Args:
        path: the sample.
        faults: what the sandbox does to the first requests; see `forwarder_tools.sandbox.faults`.

    Raises:
        ToolError: the sample cannot be read, or a tool is missing or fails.
    """
    event = read_sample(path)
    fifo = any(record.get("eventSourceARN", "").endswith(".fifo") for record in event["Records"])
    template = build()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        if faults:
            sandbox.script(*faults)
        cloud = stack.enter_context(local_cloud())
        queue = cloud.sqs.create_queue(
            QueueName="dead-letters.fifo" if fifo else "dead-letters",
            Attributes={"FifoQueue": "true"} if fifo else {},
        )["QueueUrl"]
        environment = runtime_environment(cloud, queue, sandbox)
        runtime = stack.enter_context(
            lambda_runtime(template.parent / FUNCTION, environment, timeout_seconds=TIMEOUT_SECONDS)
        )
        invocation = runtime.invoke(event)
        return Result(event, invocation, sandbox.received, peek(cloud, queue))


def runtime_environment(cloud: LocalCloud, dead_letter_queue_url: str, sandbox: Sandbox) -> dict[str, str]:
    """Return the function's environment variables: those that the template would set, for this machine."""
    return {
        **cloud.aws_settings,
        "KOCHAVA_ENDPOINT": sandbox.url,
        "DEAD_LETTER_QUEUE_URL": dead_letter_queue_url,
        "POWERTOOLS_SERVICE_NAME": "forwarder",
        "POWERTOOLS_METRICS_NAMESPACE": "KochavaForwarder",
    }


def outcomes(result: Result) -> list[tuple[str, str]]:
    """Return each record's outcome and its reason, in the order of the event."""
    failed = {item["itemIdentifier"] for item in (result.invocation.response or {})["batchItemFailures"]}
    dead = dead_letters(result.dead)
    log = {entry.message_id: entry for entry in logged(result.invocation.log)}
    ended = []
    for record in result.event["Records"]:
        name = record["messageId"]
        if name in failed:
            entry = log.get(name)
            ended.append(
                (entry.outcome, f"{entry.detail} (SQS will hand it over again)") if entry else ("failed", "")
            )
        elif name in dead:
            ended.append((dead[name].attributes["reason"], dead[name].attributes.get("detail", "")))
        else:
            ended.append((DELIVERED, ""))
    return ended


def show(console: Console, result: Result, *, log: bool) -> None:
    """Print what became of the invocation."""
    invocation = result.invocation
    if log or invocation.error:
        console.rule("[bold]the function's log")
        for line in invocation.log:
            console.print(line, markup=False, highlight=False)
    console.rule("[bold]the function's response")
    if invocation.error:
        console.print(f"it has none: {invocation.error}", style="red", markup=False)
        return
    console.print(JSON(json.dumps(invocation.response)))

    console.rule("[bold]each record")
    table = Table("", "message", "outcome", "why", box=None)
    for number, (record, (outcome, why)) in enumerate(
        zip(result.event["Records"], outcomes(result), strict=True), 1
    ):
        style = "green" if outcome == DELIVERED else "yellow"
        table.add_row(str(number), record["messageId"], f"[{style}]{outcome}", _plain(why))
    console.print(table)

    console.rule("[bold]the sandbox received")
    for request in result.received:
        console.print(JSON(json.dumps(request.event)) if request.event else repr(request.body))
        console.print(f"answered {request.answer}", style="dim", markup=False)
        for problem in request.problems:
            console.print(f"  {problem}", style="red", markup=False)
    if not result.received:
        console.print("nothing", style="dim")

    console.rule("[bold]the dead-letter queue holds")
    for message in result.dead:
        console.print(JSON(json.dumps(dict(message.attributes))))
        console.print(message.body, style="dim", markup=False, highlight=False)
    if not result.dead:
        console.print("nothing", style="dim")


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    sys.exit(main())
