"""A stack that is deployed anew while events flow loses none of them."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forwarder_tools.localcloud import LocalCloud, Message, Stack, deploy, peek, warm_up
from forwarder_tools.processes import wait_for
from tests.e2e.conftest import Forwarder, event_of, new_device, parameters_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarder_tools.sandbox import Sandbox

INTERVAL = 0.1  # seconds between two events
GROUPS = 3
SECONDS = 90

OTHER = {
    "FunctionTimeout": "60",
    "MemorySize": "256",
    "MaximumConcurrency": "3",
    "DeduplicationTable": "redeployed",
}
"""Everything that a deployment changes in place."""


class Publisher:
    """Publishes an event after the other, from a thread of its own.

    Attributes:
        groups: the devices of the published events in order, by message group; all of one on a standard queue.
    """

    def __init__(self, forwarder: Forwarder, *, fifo: bool) -> None:
        self.groups: dict[str | None, list[str]] = {
            group: [] for group in ([f"group-{number}" for number in range(GROUPS)] if fifo else [None])
        }
        self._forwarder = forwarder
        self._over = threading.Event()

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Publish until the block ends."""
        thread = threading.Thread(target=self._publish)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _publish(self) -> None:
        while True:
            for group, devices in self.groups.items():
                device = new_device()
                self._forwarder.publish(event_of(device), group=group)
                devices.append(device)
                if self._over.wait(INTERVAL):
                    return


@pytest.fixture
def other_code(template: Path) -> Iterator[Path]:
    """The built template with a function whose code is another."""
    build = template.parent
    with tempfile.TemporaryDirectory(prefix="building-", dir=build.parent.parent) as folder:
        copy = Path(folder) / build.name
        shutil.copytree(build, copy)
        (copy / "ForwarderFunction" / "release.txt").write_text("another\n")
        yield copy / template.name


@pytest.mark.parametrize("queue_type", ["standard", "fifo"])
def test_events_that_flow_while_everything_changes_all_arrive(
    cloud: LocalCloud, template: Path, other_code: Path, sandbox: Sandbox, queue_type: str
) -> None:
    name = f"redeployed-{queue_type}"
    as_it_was = parameters_of(sandbox, queue_type)
    stack = deploy(cloud, template, as_it_was, name=name)
    warm_up(cloud, stack)
    forwarder = Forwarder(cloud, stack, sandbox, name)
    publisher = Publisher(forwarder, fifo=queue_type == "fifo")

    with publisher.publishing():
        changed = deploy(cloud, other_code, as_it_was | OTHER, name=name)
        arrived = len(sandbox.received)
        wait_for(lambda: len(sandbox.received) > arrived, seconds=SECONDS, what="an event after the first change")
        assert cloud.functions.get_function_configuration(FunctionName=stack.function_name)["Timeout"] == 60
        deploy(cloud, template, as_it_was, name=name)

    assert changed == stack, "the queues stay, and so does the function"
    wait_for(lambda: not _to_come(cloud, stack), seconds=SECONDS, what="the end of the events")
    left = {json.loads(message.body)["kochava_device_id"] for message in peek(cloud, stack.event_queue_url)}
    assert peek(cloud, stack.dead_letter_queue_url) == []
    for devices in publisher.groups.values():
        arrivals = {
            device: [request.arrived for request in forwarder.received(device) if request.accepted]
            for device in devices
        }
        assert {device for device, times in arrivals.items() if not times} <= left, "one is lost"
        first = [times[0] for times in arrivals.values() if times]
        assert first
        if queue_type == "fifo":
            assert first == sorted(first)


def _to_come(cloud: LocalCloud, stack: Stack) -> list[Message]:
    """Return the messages that are to be received yet.

    The local cloud ends a worker that is at work when its function changes, which Lambda does not. What it had in
    hand comes back after the queue's visibility timeout, minutes later, and its group waits for that.
    """
    messages = peek(cloud, stack.event_queue_url)
    waits_for = {message.group for message in messages if message.group and not message.visible}
    return [message for message in messages if message.visible and message.group not in waits_for]
