"""Hands a sample, or events of one's own, to the function in the real Lambda runtime; Kochava is a sandbox.

    kochava-forwarder invoke events/purchase.json --fault 503

The records go through a real queue first, and the dead-letter queue is real too, both on a local cloud.
Everything is started for this one invocation and ended after it. The exit status is 0 when the function
answered, whatever became of the records, and 1 when it raised or something is missing.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from forwarder_tools.artifact import FUNCTION, build
from forwarder_tools.console import open_console, verbatim
from forwarder_tools.localcloud import LocalCloud, Message, local_cloud, peek
from forwarder_tools.observed import DELIVERED, Logged, dead_letters, logged
from forwarder_tools.processes import ToolError, end_on_signals
from forwarder_tools.runtime import Invocation, lambda_runtime
from forwarder_tools.samples import read_sample
from forwarder_tools.sandbox import Received, Sandbox

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

TIMEOUT_SECONDS = 30
FIFO_ATTRIBUTES = ("MessageGroupId", "MessageDeduplicationId")


@dataclass(frozen=True)
class Result:
    """One invocation and everything that it did."""

    event: Mapping[str, Any]
    invocation: Invocation
    received: Sequence[Received]
    dead: Sequence[Message]
    queued: Sequence[Message] = ()


def main(arguments: Sequence[str] | None = None, name: str = "kochava-forwarder invoke") -> int:
    """Run the command; return the exit status.

    Args:
        arguments: the command line's; None takes the process's own.
        name: what the command is called in its help and errors.
    """
    parser = argparse.ArgumentParser(prog=name, description="Hand a sample to the function.")
    parser.add_argument(
        "event",
        type=Path,
        help="an SQS event such as events/purchase.json, an event as you publish it, or one such event a line",
    )
    parser.add_argument("--fault", action="append", default=[], help="what the sandbox does first, such as 503")
    parser.add_argument("--log", action="store_true", help="show what the function logged")
    parser.add_argument("--json", action="store_true", help="print one JSON object, with the log in it")
    parsed = parser.parse_args(arguments)
    end_on_signals()
    try:
        result = invoke(parsed.event, parsed.fault)
    except (ToolError, ValueError) as problem:  # ValueError: the sandbox knows no such fault
        print(f"{name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if parsed.json:
        print(json.dumps(as_json(result)))
    else:
        show(open_console(), result, log=parsed.log)
    return 1 if result.invocation.error else 0


def invoke(path: Path, faults: list[str]) -> Result:
    """Invoke the function with a sample.

    Args:
        path: the sample.
        faults: what the sandbox does to the first requests; see `forwarder_tools.sandbox.faults`.

    Raises:
        ToolError: the sample cannot be read, or a tool is missing or fails.
    """
    sample = read_sample(path)
    suffix = ".fifo" if any(record["eventSourceARN"].endswith(".fifo") for record in sample["Records"]) else ""
    template = build()
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        if faults:
            sandbox.script(*faults)
        cloud = stack.enter_context(local_cloud())
        events, graveyard = (create_queue(cloud, f"{name}{suffix}") for name in ("events", "dead-letters"))
        event = through_a_queue(cloud, events, sample)
        environment = runtime_environment(cloud, graveyard, sandbox)
        runtime = stack.enter_context(
            lambda_runtime(template.parent / FUNCTION, environment, timeout_seconds=TIMEOUT_SECONDS)
        )
        invocation = runtime.invoke(event)
        return Result(event, invocation, sandbox.received, peek(cloud, graveyard), peek(cloud, events))


def create_queue(cloud: LocalCloud, name: str) -> str:
    """Create a queue, a FIFO one where its name says so; return its URL."""
    attributes: dict[QueueAttributeNameType, str] = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    return cloud.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]


def through_a_queue(cloud: LocalCloud, queue_url: str, sample: Mapping[str, Any]) -> dict[str, Any]:
    """Send the sample's messages and receive them; returns the event with what now identifies them.

    What the function asks of SQS, such as to hand a message over later, is then done for real.
    """
    arn = cloud.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sent = {}
    for record in sample["Records"]:
        fifo = {name: record["attributes"][name] for name in FIFO_ATTRIBUTES if name in record["attributes"]}
        answer = cloud.sqs.send_message(QueueUrl=queue_url, MessageBody=record["body"], **fifo)
        sent[answer["MessageId"]] = record
    records: list[dict[str, Any]] = []
    while len(records) < len(sent):
        for message in cloud.sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)["Messages"]:
            identity = {"messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"]}
            records.append(sent[message["MessageId"]] | identity | {"eventSourceARN": arn})
    return {"Records": records}


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
            entry = log.get(name, Logged(name, "deferred", "not tried"))
            ended.append((entry.outcome, f"{entry.detail}{_comes_back(name, result)}"))
        elif name in dead:
            ended.append((dead[name].attributes["reason"], dead[name].attributes.get("detail", "")))
        else:
            ended.append((DELIVERED, ""))
    return ended


def as_json(result: Result) -> dict[str, Any]:
    """Return what became of the invocation, for programs."""
    invocation = result.invocation
    ended = [] if invocation.error else zip(result.event["Records"], outcomes(result), strict=True)
    return {
        "response": invocation.response,
        "error": invocation.error,
        "records": [
            {"messageId": record["messageId"], "outcome": outcome, "why": why} for record, (outcome, why) in ended
        ],
        "received": [
            {"event": request.event, "answer": request.answer, "problems": list(request.problems)}
            for request in result.received
        ],
        "dead_letters": [{"attributes": dict(dead.attributes), "body": dead.body} for dead in result.dead],
        "log": list(invocation.log),
    }


def _comes_back(message_id: str, result: Result) -> str:
    seconds = [message.visible_at - time.time() for message in result.queued if message.id == message_id]
    return f"; comes back in {seconds[0]:.0f} s" if seconds else ""


def show(console: Console, result: Result, *, log: bool) -> None:
    """Print what became of the invocation."""
    invocation = result.invocation
    if log or invocation.error:
        console.rule("[bold]the function's log")
        for line in invocation.log:
            verbatim(console, line)
    console.rule("[bold]the function's response")
    if invocation.error:
        verbatim(console, f"it has none: {invocation.error}", "red")
        return
    console.print_json(json.dumps(invocation.response))

    console.rule("[bold]each record")
    console.print(_records(result))

    console.rule("[bold]the sandbox received")
    for request in result.received:
        if request.event:
            console.print_json(json.dumps(request.event))
        else:
            verbatim(console, repr(request.body))
        verbatim(console, f"answered {request.answer}", "dim")
        for problem in request.problems:
            verbatim(console, f"  {problem}", "red")
    if not result.received:
        verbatim(console, "nothing", "dim")

    console.rule("[bold]the dead-letter queue holds")
    for message in result.dead:
        console.print_json(json.dumps(dict(message.attributes)))
        verbatim(console, message.body, "dim")
    if not result.dead:
        verbatim(console, "nothing", "dim")


def _records(result: Result) -> Table:
    table = Table(box=None)
    for heading in ("", "message", "outcome"):
        table.add_column(heading, no_wrap=True)
    table.add_column("why", overflow="fold")
    rows = zip(result.event["Records"], outcomes(result), strict=True)
    for number, (record, (outcome, why)) in enumerate(rows, 1):
        style = "green" if outcome == DELIVERED else "yellow"
        table.add_row(str(number), record["messageId"], Text(outcome, style), Text(why))
    return table


if __name__ == "__main__":
    sys.exit(main())
