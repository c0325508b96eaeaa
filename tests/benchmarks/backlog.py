"""The command `python -m tests.benchmarks.backlog`: how long the deployed function takes for a full queue.

The template is deployed to the local cloud, events are published while Lambda does not read the queue, and the
time is taken from when it does to the last answer of the sandbox. The local cloud is slower than AWS: Kochava's
latency is long here, so that it decides.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import TYPE_CHECKING

from rich.progress import Progress

from forwarder_tools.artifact import build, host_architecture
from forwarder_tools.console import open_console
from forwarder_tools.localcloud import LocalCloud, Stack, deploy, local_cloud, warm_up
from forwarder_tools.processes import ToolError, end_on_signals
from forwarder_tools.sandbox import Sandbox
from tests.benchmarks.workload import body
from tests.chaos.deployment import listen

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

BATCH = 10
"""Events of an invocation: the local cloud hands over no more; and of a publisher's call."""

PUBLISHERS = 4
LOOK_SECONDS = 0.2
PATIENCE, SLACK = 3.0, 30.0
"""Times the ideal, and the seconds beside, after which it is given up."""


def main() -> int:
    """Run the command; returns the exit status: 0, or 1 when an event is missing or was sent twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.backlog", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="how many (%(default)s)")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of an answer (%(default)s)")
    parser.add_argument("--concurrency", type=int, default=8, help="MaximumConcurrency (%(default)s)")
    parser.add_argument("--table", action="store_true", help="with the deduplication table")
    args = parser.parse_args()
    end_on_signals()
    try:
        return _measure(args)
    except ToolError as problem:
        print(f"backlog: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _measure(args: argparse.Namespace) -> int:
    parameters = {
        "Architecture": host_architecture(),
        "MaximumConcurrency": str(args.concurrency),
        "DeduplicationTable": "backlog" if args.table else "",
    }
    console = open_console()
    with (
        Sandbox(fast=True, latency=args.latency) as sandbox,
        local_cloud() as cloud,
        Progress(console=console) as bars,
    ):
        stack = deploy(cloud, build(), {**parameters, "KochavaEndpoint": sandbox.url})
        warm_up(cloud, stack)
        listen(cloud, stack, enabled=False)
        _publish(cloud, stack, args.events, bars)
        ideal = args.events * args.latency / (args.concurrency * BATCH)
        listen(cloud, stack, enabled=True)
        began = time.monotonic()
        _wait(sandbox, args.events, bars, until=began + SLACK + PATIENCE * ideal)
        took = time.monotonic() - began
        requests = sandbox.stats.requests
    console.print(
        f"{args.events:,} events in {took:.0f} s, with {requests:,} requests. Answers of {args.latency:g} s, "
        f"{BATCH} at a time in {args.concurrency} environments, allow {ideal:.0f} s: {ideal / took:.2f} of that."
    )
    return int(requests != args.events)


def _publish(cloud: LocalCloud, stack: Stack, events: int, bars: Progress) -> None:
    now = int(time.time())

    def send(numbers: tuple[int, ...]) -> int:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": body(number, now)} for number in numbers
        ]
        return len(cloud.sqs.send_message_batch(QueueUrl=stack.event_queue_url, Entries=entries)["Successful"])

    bar = bars.add_task("publishing", total=events)
    with ThreadPoolExecutor(PUBLISHERS) as publishers:
        for sent in publishers.map(send, batched(range(events), BATCH, strict=False)):
            bars.advance(bar, sent)


def _wait(sandbox: Sandbox, events: int, bars: Progress, until: float) -> None:
    """Wait until Kochava has counted every event.

    Raises:
        ToolError: it has not by `until`.
    """
    bar = bars.add_task("delivering", total=events)
    while (delivered := sandbox.stats.accepted) < events:
        if time.monotonic() > until:
            raise ToolError(f"{delivered:,} of {events:,} events were delivered within {PATIENCE:g} x the ideal")
        bars.update(bar, completed=delivered)
        time.sleep(LOOK_SECONDS)
    bars.update(bar, completed=events)


if __name__ == "__main__":
    sys.exit(main())
