"""What the end-to-end tests share: the real template, deployed once to a local cloud, and a sandbox."""

from __future__ import annotations

import itertools
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from forwarder_tools.artifact import build, host_architecture
from forwarder_tools.deadletters import queues as queues_module
from forwarder_tools.localcloud import LocalCloud, Message, Stack, deploy, function_log, local_cloud, peek, warm_up
from forwarder_tools.observed import Logged, dead_letters, logged
from forwarder_tools.processes import wait_for
from forwarder_tools.sandbox import Received, Sandbox
from tests.e2e.dead_queues import DeadQueues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

PROCESSES = Path("/proc")
SECONDS = 30

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Forwarder:
    """A deployed template, with what a publisher and an operator can do and see."""

    cloud: LocalCloud
    stack: Stack
    sandbox: Sandbox
    name: str
    """The stack's."""

    def publish(self, *bodies: str, group: str | None = None) -> list[str]:
        """Send messages at once; returns their ids."""
        answer = self.cloud.sqs.send_message_batch(
            QueueUrl=self.stack.event_queue_url,
            Entries=[_entry(number, body, group) for number, body in enumerate(bodies)],
        )
        return [entry["MessageId"] for entry in answer["Successful"]]

    def received(self, device: str) -> list[Received]:
        """What the sandbox received of a device, in order."""
        return [request for request in self.sandbox.received if request.device == device]

    def log(self, message_id: str) -> list[Logged]:
        """What the function logged of a message, in order."""
        lines = function_log(self.cloud, self.stack.function_name)
        return [entry for entry in logged(lines) if entry.message_id == message_id]

    def dead_letter(self, message_id: str) -> Message | None:
        """The message in the dead-letter queue, by the id that it had in the event queue."""
        return dead_letters(peek(self.cloud, self.stack.dead_letter_queue_url)).get(message_id)

    def wait_until_gone(self, *message_ids: str) -> None:
        """Wait until messages have left the event queue."""

        def gone() -> bool:
            queue = peek(self.cloud, self.stack.event_queue_url)
            return not {message.id for message in queue} & set(message_ids)

        wait_for(gone, seconds=SECONDS, what="the end of the published events")


def _entry(number: int, body: str, group: str | None) -> SendMessageBatchRequestEntryTypeDef:
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(number), "MessageBody": body}
    if group is not None:
        entry |= {"MessageGroupId": group, "MessageDeduplicationId": str(next(_numbers))}
    return entry


@pytest.fixture(scope="session", autouse=True)
def _end_everything_on_sigterm() -> Iterator[None]:
    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def template() -> Path:
    return build()


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    with local_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def forwarder(cloud: LocalCloud, template: Path, sandbox: Sandbox) -> Forwarder:
    """The template with a standard queue."""
    return _forwarder(cloud, template, sandbox, "standard")


@pytest.fixture(scope="session")
def fifo_forwarder(cloud: LocalCloud, template: Path, sandbox: Sandbox) -> Forwarder:
    """The template with a FIFO queue."""
    return _forwarder(cloud, template, sandbox, "fifo")


def parameters_of(sandbox: Sandbox, queue_type: str) -> dict[str, str]:
    """The template's parameters for these tests."""
    return {
        "Architecture": host_architecture(),
        "FunctionTimeout": "30",
        "KochavaEndpoint": sandbox.url,
        "QueueType": queue_type,
    }


def _forwarder(cloud: LocalCloud, template: Path, sandbox: Sandbox, queue_type: str) -> Forwarder:
    stack = deploy(cloud, template, parameters_of(sandbox, queue_type), name=queue_type)
    warm_up(cloud, stack)
    return Forwarder(cloud, stack, sandbox, queue_type)


def new_device() -> str:
    """A `kochava_device_id` that nothing else uses."""
    return f"KDtest-{next(_numbers)}"


def event_of(device: str, name: str = "Purchase", **data: object) -> str:
    """The body of an event."""
    return json.dumps(
        {
            "action": "event",
            "kochava_app_id": "kotest-app-1",
            "kochava_device_id": device,
            "data": {
                "usertime": 1760000000,
                "device_ver": "",
                "device_ids": {"idfa": "AAAAAAAA-0000-4000-8000-000000000001"},
                "device_ua": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
                "origination_ip": "203.0.113.7",
                "event_name": name,
                **data,
            },
        }
    )


@pytest.fixture
def aws_settings(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's settings lead to the local cloud, which needs no time to look for messages on all its servers."""
    for name, value in cloud.aws_settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(queues_module, "POLL_SECONDS", 0)


@pytest.fixture(params=["standard", "fifo"])
def queues(request: pytest.FixtureRequest, cloud: LocalCloud) -> DeadQueues:
    """An event queue and its dead-letter queue, of either type."""
    return DeadQueues.make(cloud, fifo=request.param == "fifo")


@pytest.fixture
def standard(cloud: LocalCloud) -> DeadQueues:
    """The same of the standard type only."""
    return DeadQueues.make(cloud, fifo=False)


@pytest.fixture
def device() -> str:
    return new_device()


@pytest.fixture(scope="session")
def processes_with() -> Callable[[str], list[str]]:
    """Finds running processes by a text in their environment, which what they start inherits."""
    if not (PROCESSES / "self" / "environ").exists():
        pytest.skip("this system has no /proc to find processes in")

    def find(text: str) -> list[str]:
        found = []
        for folder in PROCESSES.glob("[0-9]*"):
            try:
                if text.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it has just ended
                continue
        return found

    return find
