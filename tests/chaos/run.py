"""One run: the template deployed, events published while everything fails, and the wait for the end."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING
from uuid import uuid4

from forwarder_tools.localcloud import LocalCloud, Stack, peek
from forwarder_tools.sandbox import Sandbox
from tests.chaos.aws_faults import SHARES, TABLE_ACTION, AwsFaults
from tests.chaos.crashes import Crashes
from tests.chaos.deployment import FUNCTION_SECONDS, VISIBILITY_SECONDS, deploy_behind, listen, set_horizon
from tests.chaos.gateway import Gateway
from tests.chaos.kochava_faults import FAULTS
from tests.chaos.ledger import Evidence
from tests.chaos.publications import APP, Event, publications

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

OUTAGE = "503*7"
"""Kochava is down at first: what it answers, and to how many requests. Five open the breaker; the others are
probes, one every ten seconds of real time in each environment."""

PAST_HORIZON, HORIZON = 1, 1780
"""The retry horizon in seconds: one that aged events are past, and one within which an event in its longest wait,
of 900 to 1,800 seconds, would come back now and then, and now and then not."""

REQUEST_SECONDS, SHORT_VISIBILITY_SECONDS = 3, 2
"""The limit of a request; and the visibility timeout of a standard queue, which therefore delivers again what the
function still works on. On a FIFO queue that would break the order."""

EVENTS_PER_CRASH = 250
SQS_BATCH = 10
LOOK_EVERY = 500
LOOK_SECONDS = 0.2
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


@dataclass(frozen=True)
class RunSettings:
    """What a run is to be.

    Args:
        queue: `standard` or `fifo`.
        events: how many are published.
        seed: decides what is published and what fails.
        table_faults: the share of the calls to the deduplication table that fail.
    """

    queue: str
    events: int
    seed: int
    table_faults: float = SHARES[TABLE_ACTION]

    @property
    def limit(self) -> float:
        """The seconds after which it is given up."""
        return 120 + 0.3 * self.events

    @property
    def fifo(self) -> bool:
        """Whether order counts."""
        return self.queue == "fifo"


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    published: int
    queued: int
    requests: int
    crashes: int
    aws_faults: int


def run(
    cloud: LocalCloud, template: Path, settings: RunSettings, on_progress: Callable[[Progress], None]
) -> Evidence:
    """Do one run.

    Args:
        cloud: where to.
        template: the built template.
        settings: what it is to be.
        on_progress: told how far it is, a few times a second.

    Returns:
        All that was seen, for the ledger.

    Raises:
        ToolError: something does not start.
    """
    faults = AwsFaults({**SHARES, TABLE_ACTION: settings.table_faults}, settings.seed)
    with Sandbox() as sandbox, Gateway(cloud, faults) as gateway:
        visibility = VISIBILITY_SECONDS if settings.fifo else SHORT_VISIBILITY_SECONDS
        stack = deploy_behind(
            gateway,
            template,
            _parameters(settings, sandbox),
            name=f"chaos-{settings.queue}",
            visibility=visibility,
        )
        messages: dict[str, Event] = {}
        with Crashes(
            cloud.folder,
            stack.function_name,
            lambda: sandbox.stats.requests,
            _crash_moments(settings),
            settings.seed,
        ) as crashes:

            def look() -> int:
                queued = _queued(cloud, stack)
                requests, failed = sandbox.stats.requests, len(gateway.failed)
                on_progress(Progress(len(messages), queued, requests, crashes.killed, failed))
                return queued

            sandbox.script(OUTAGE)
            sandbox.mix(FAULTS, seed=settings.seed)
            deadline = time.monotonic() + settings.limit

            def publish(events: Iterable[Event]) -> None:
                for part in batched(events, SQS_BATCH, strict=False):
                    messages.update(_publish(cloud, stack, part))
                    if len(messages) % LOOK_EVERY < SQS_BATCH:
                        look()

            def wait() -> None:
                while look() and time.monotonic() < deadline:
                    time.sleep(LOOK_SECONDS)

            published = publications(settings.events, settings.seed)
            listen(cloud, stack, enabled=False)
            publish(event for event in published if event.aged)
            time.sleep(PAST_HORIZON + 1)  # their age is the cloud's real time
            listen(cloud, stack, enabled=True)
            wait()
            set_horizon(cloud, stack, HORIZON)
            publish(event for event in published if not event.aged)
            wait()
        return Evidence(
            fifo=settings.fifo,
            messages=messages,
            requests=sandbox.received,
            dead=peek(cloud, stack.dead_letter_queue_url),
            waiting=peek(cloud, stack.event_queue_url),
            crashes=crashes.seen,
            failed_calls=gateway.failed,
            invocation_seconds=FUNCTION_SECONDS,
            batch=SQS_BATCH,
            clock_offset=time.time() - time.monotonic(),
        )


def _parameters(settings: RunSettings, sandbox: Sandbox) -> dict[str, str]:
    return {
        "DeduplicationTable": f"chaos-{settings.queue}",
        "KochavaAppId": APP,
        "KochavaEndpoint": sandbox.url,
        "QueueType": settings.queue,
        "RequestTimeoutSeconds": str(REQUEST_SECONDS),
        "RetryHorizonSeconds": str(PAST_HORIZON),
    }


def _crash_moments(settings: RunSettings) -> list[int]:
    """Return after how many of Kochava's requests a worker is killed, each time."""
    rng = random.Random(settings.seed)  # noqa: S311 - no cryptography
    return rng.sample(range(settings.events), max(2, settings.events // EVENTS_PER_CRASH))


def _publish(cloud: LocalCloud, stack: Stack, part: Sequence[Event]) -> dict[str, Event]:
    """Send messages at once; returns the events by the messages' ids."""
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": str(place), "MessageBody": event.body} for place, event in enumerate(part)
    ]
    if stack.event_queue_url.endswith(".fifo"):
        for entry, event in zip(entries, part, strict=True):
            entry |= {"MessageGroupId": event.group, "MessageDeduplicationId": str(uuid4())}
    answer = cloud.sqs.send_message_batch(QueueUrl=stack.event_queue_url, Entries=entries)
    sent = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
    return {sent[str(place)]: event for place, event in enumerate(part)}


def _queued(cloud: LocalCloud, stack: Stack) -> int:
    """Return how many messages are in the event queue, visible or not."""
    answer = cloud.sqs.get_queue_attributes(QueueUrl=stack.event_queue_url, AttributeNames=["All"])["Attributes"]
    return sum(int(number) for name, number in answer.items() if name in COUNTS)
