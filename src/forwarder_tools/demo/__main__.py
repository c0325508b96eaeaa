"""`make demo`: publishes sample events and shows how each of them ends. No AWS account, no container.

The exit status is 0 only when every event ended where it should. `make demo KEEP=1` leaves all of it
running until Ctrl-C, and says how to publish more.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from rich.console import Console

from forwarder_tools.artifact import build, host_architecture
from forwarder_tools.console import open_console, verbatim
from forwarder_tools.demo.cast import Part, cast
from forwarder_tools.demo.show import dead_letter_queue, results, view
from forwarder_tools.demo.watch import Sight, State, settled, states, tally
from forwarder_tools.localcloud import (
    LocalCloud,
    Stack,
    complaints,
    deploy,
    function_log,
    local_cloud,
    peek,
    warm_up,
)
from forwarder_tools.observed import logged
from forwarder_tools.processes import ToolError, end_on_signals
from forwarder_tools.sandbox import Received, Sandbox

SHOWN_COMPLAINTS = 5
LIMIT_SECONDS = 60
"""When the demo gives up on events that have not ended."""

LOOK_SECONDS = 0.2

SQS_BATCH = 10


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    cloud: LocalCloud
    stack: Stack
    sandbox: Sandbox

    def look(self) -> Sight:
        """Return what can be seen now."""
        # The event queue first: what has left it by then has ended, and is seen where it ended.
        queue = peek(self.cloud, self.stack.event_queue_url)
        return Sight(
            queue=queue,
            dead=peek(self.cloud, self.stack.dead_letter_queue_url),
            log=logged(function_log(self.cloud, self.stack.function_name)),
            received=self.sandbox.received,
        )


def main(arguments: Sequence[str] | None = None, name: str = "kochava-forwarder demo") -> int:
    """Run the command; return the exit status.

    Args:
        arguments: the command line's; None takes the process's own.
        name: what the command is called in its help and errors.
    """
    parser = argparse.ArgumentParser(prog=name, description="Watch sample events go to a sandbox of Kochava.")
    keep = bool(os.environ.get("KEEP"))  # make exports what its command line sets
    parser.add_argument("--keep", action="store_true", default=keep, help="leave everything running until Ctrl-C")
    parsed = parser.parse_args(arguments)
    end_on_signals()
    console = open_console()
    try:
        return play(console, keep=parsed.keep)
    except ToolError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        console.print("stopped; nothing is left running")
        return 130


def play(console: Console, *, keep: bool) -> int:
    """Play the demo; returns the exit status.

    Raises:
        ToolError: something is missing or does not start.
    """
    with stage(console) as running:
        parts = publish(running, cast())
        console.print(f"[bold]publish[/] {len(parts)} events, and watch")
        seen = watch(console, running, parts)
        results(console, seen)
        dead_letter_queue(console, seen)
        wrong = [state for state in seen if state.wrong]
        for state in wrong:
            console.print(f"[red]{state.part.title}[/]: {state.wrong}")
        if wrong:
            for line in complaints(running.cloud)[-SHOWN_COMPLAINTS:]:
                verbatim(console, line, "dim")
        else:
            counts = ", ".join(f"{count} {place}" for place, count in tally(seen).items() if count)
            console.print(f"[green]{counts}; each where it should be, none lost[/]")
        if keep:
            stay(console, running)
    return 1 if wrong else 0


@contextmanager
def stage(console: Console) -> Iterator[Stage]:
    """Start everything, a line for each step, and end it."""
    with ExitStack() as stack:
        with step(console, "build"):
            template = build()
        with step(console, "start the sandbox and the local cloud"):
            sandbox = stack.enter_context(Sandbox())
            cloud = stack.enter_context(local_cloud())
        with step(console, "deploy with sam"):
            parameters = {
                "Architecture": host_architecture(),
                "FunctionTimeout": "30",
                "KochavaEndpoint": sandbox.url,
                "KochavaAppId": "kotest-app-1",
            }
            deployed = deploy(cloud, template, parameters)
            warm_up(cloud, deployed)
        yield Stage(cloud, deployed, sandbox)


@contextmanager
def step(console: Console, name: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    start = time.monotonic()
    with console.status(name):
        yield
    console.print(f"[bold]{name}[/] {time.monotonic() - start:.1f} s", highlight=False)


def publish(stage: Stage, parts: Sequence[Part]) -> dict[str, Part]:
    """Tell the sandbox its faults and send the events; returns them by their message ids."""
    for part in parts:
        if part.faults and part.device:
            stage.sandbox.script(*part.faults, device=part.device)
    published: dict[str, Part] = {}
    for start in range(0, len(parts), SQS_BATCH):
        batch = {str(number): part for number, part in enumerate(parts[start : start + SQS_BATCH])}
        answer = stage.cloud.sqs.send_message_batch(
            QueueUrl=stage.stack.event_queue_url,
            Entries=[{"Id": name, "MessageBody": part.body} for name, part in batch.items()],
        )
        published |= {entry["MessageId"]: batch[entry["Id"]] for entry in answer["Successful"]}
    return published


def watch(console: Console, stage: Stage, parts: Mapping[str, Part]) -> list[State]:
    """Show the events until all have ended or the time is up; returns where they are then."""
    deadline = time.monotonic() + LIMIT_SECONDS
    with view(console) as shown:
        while True:
            seen = states(parts, stage.look())
            shown.update(seen)
            if settled(seen) or time.monotonic() > deadline:
                return seen
            time.sleep(LOOK_SECONDS)


def stay(console: Console, stage: Stage) -> None:
    """Print what arrives until Ctrl-C."""
    # What it needs is in a checkout only, and the command's help is there without.
    from forwarder_tools.demo.publishing import instructions  # noqa: PLC0415

    console.rule("[bold]everything is still running")
    verbatim(console, instructions(stage.cloud, stage.stack))
    verbatim(
        console,
        f"""
Watch: here, and at {stage.sandbox.origin}/_sandbox/received; the function's log is in
    {stage.cloud.folder / "cloud.log"}
Stop: Ctrl-C""",
    )
    shown = len(stage.sandbox.received)
    dead = {message.id for message in peek(stage.cloud, stage.stack.dead_letter_queue_url)}
    try:
        while True:
            for request in stage.sandbox.received[shown:]:
                verbatim(console, _line(request))
                shown += 1
            for message in peek(stage.cloud, stage.stack.dead_letter_queue_url):
                if message.id not in dead:
                    dead.add(message.id)
                    reason, detail = message.attributes.get("reason"), message.attributes.get("detail")
                    verbatim(console, f"dead-lettered: {reason}: {detail}")
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        console.print("stopped")


def _line(request: Received) -> str:
    return f"Kochava received {request.title} of {request.device}, answered {request.answer}"


if __name__ == "__main__":
    sys.exit(main())
