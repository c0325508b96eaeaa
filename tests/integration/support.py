"""What the forwarder's integration tests share: SQS events, a forwarder to invoke, and what it printed."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.kochava.client import KochavaClient

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

type Json = dict[str, Any]

STANDARD = "arn:aws:sqs:us-east-1:000000000000:events"
FIFO = STANDARD + ".fifo"
NOT_JSON = "this is no JSON"

_numbers = count(1)


def body(device: str = "KD0001", *, event_id: str | None = None, **data: Any) -> str:
    """Return a message body that keeps the contract, unless `data` breaks it."""
    event: Json = {
        "action": "event",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": device,
        "data": {
            "usertime": 1760000000,
            "device_ver": "",
            "device_ids": {"custom": "fake-0001"},
            "device_ua": "Mozilla/5.0 (Fake)",
            "origination_ip": "203.0.113.7",
            "event_name": "View",
            **data,
        },
    }
    return json.dumps(event if event_id is None else event | {"event_id": event_id})


def record(  # noqa: PLR0913 - each is one independent property of a message, all by name
    text: str | None = None,
    name: str | None = None,
    *,
    queue: str = STANDARD,
    group: str | None = None,
    receives: int = 1,
    age: float = 0.0,
) -> Json:
    """Return an SQS record as Lambda hands it over; `name` is its message id, and part of its receipt handle."""
    name = name or f"message-{next(_numbers)}"
    attributes = {
        "ApproximateReceiveCount": str(receives),
        "SentTimestamp": str(int((time.time() - age) * 1000)),
        "SenderId": "AIDATEST",
        "ApproximateFirstReceiveTimestamp": str(int(time.time() * 1000)),
    }
    if group is not None:
        attributes["MessageGroupId"] = group
    return {
        "messageId": name,
        "receiptHandle": f"receipt-{name}",
        "body": body() if text is None else text,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": "us-east-1",
    }


def records(number: int, prefix: str = "r") -> list[Json]:
    """Return records of good events, each of a device and with an id of its own."""
    return [record(body(f"{prefix}{index}"), f"{prefix}{index}") for index in range(number)]


def names(*groups: list[Json]) -> set[str]:
    """Return the message ids of records."""
    return {one["messageId"] for group in groups for one in group}


class Context:
    """Lambda's context, as far as the forwarder uses it; time runs from the construction on."""

    function_name = "forwarder"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:forwarder"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._end - time.monotonic()) * 1000))


class Forwarder:
    """The deployed handler in this process, and what it printed so far.

    Args:
        build: makes the processor; called by the first invocation, since a logger keeps the stdout that it finds
            and pytest has another one for its fixtures.
        capsys: what is printed.
        caplog: what goes to any logger.
    """

    def __init__(
        self,
        build: Callable[[], ForwardingProcessor],
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        self._build = build
        self._capsys = capsys
        self._caplog = caplog
        self._printed = ""
        self._errors = ""

    @cached_property
    def _processor(self) -> ForwardingProcessor:
        return self._build()

    def answer(self, *batch: Json, seconds: float = 30.0) -> Any:
        """Invoke the handler; return what it returns."""
        return self.answer_to({"Records": list(batch)}, seconds=seconds)

    def answer_to(self, event: Any, seconds: float = 30.0) -> Any:
        """Invoke the handler with any event; return what it returns."""
        return self._processor.respond(event, cast("LambdaContext", Context(seconds)))

    def invoke(self, *batch: Json, seconds: float = 30.0) -> set[str]:
        """Invoke the handler; return the ids of the records that SQS is to deliver again."""
        failures = self.answer(*batch, seconds=seconds)["batchItemFailures"]
        found = {failure["itemIdentifier"] for failure in failures}
        assert len(found) == len(failures), "a record was reported twice"
        assert found <= names(list(batch)), "an unknown id makes Lambda fail the whole batch"
        return found

    @property
    def printed(self) -> str:
        """All of stdout, stderr and what went to other loggers."""
        self._read()
        return self._printed + self._caplog.text

    def _read(self) -> None:
        captured = self._capsys.readouterr()
        self._printed += captured.out + captured.err
        self._errors += captured.err

    @property
    def errors(self) -> str:
        """What was written to stderr."""
        self._read()
        return self._errors

    @property
    def lines(self) -> list[Json]:
        """What was printed: each line has to be a JSON object."""
        self._read()
        return [json.loads(line) for line in self._printed.splitlines() if line]

    @property
    def logs(self) -> list[Json]:
        """The log lines."""
        return [line for line in self.lines if "_aws" not in line]

    def log_of(self, name: str) -> Json:
        """Return the one line that says what became of a record."""
        (line,) = (line for line in self.logs if line.get("message_id") == name and "outcome" in line)
        return line

    def metric(self, metric: str) -> list[Json]:
        """Return the metric lines that hold this metric."""
        return [line for line in self.lines if "_aws" in line and metric in line]

    @property
    def outcomes(self) -> Counter[str]:
        """What the metric `Outcome` counts, by its dimension."""
        return self._counted("Outcome")

    @property
    def warnings(self) -> Counter[str]:
        """What the metric `Warning` counts, by its dimension."""
        return self._counted("Warning")

    def _counted(self, metric: str) -> Counter[str]:
        dimension = metric.lower()
        counted: Counter[str] = Counter()
        for line in self.metric(metric):
            (declared,) = line["_aws"]["CloudWatchMetrics"]
            assert any(dimension in dimensions for dimensions in declared["Dimensions"])
            counted[line[dimension]] += int(sum(line[metric]))
        return counted


type Start = Callable[..., Forwarder]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail when the block takes longer."""
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took < seconds, f"took {took:.2f} s, more than {seconds:g} s"


def iso(text: str) -> datetime:
    """Return a moment that has to be ISO 8601 with a zone."""
    moment = datetime.fromisoformat(text)
    assert moment.tzinfo is not None
    return moment.astimezone(UTC)


def close_client(client: KochavaClient, runner: asyncio.Runner) -> None:
    """Close a client and also what its threads open after that: it comes to the loop, which runs no more."""
    client.close()
    for thread in threading.enumerate():
        if thread.name.startswith("connect"):
            thread.join(5)
    runner.run(asyncio.sleep(0))
    client.close()


def close_processor(processor: ForwardingProcessor) -> None:
    """Close a forwarder and also what its threads open after that, as `close_client` does."""
    dependencies, runner = processor._dependencies, processor._runner  # noqa: SLF001 - a loop that is needed once more
    runner.run(asyncio.sleep(0))
    assert isinstance(dependencies.client, KochavaClient)
    close_client(dependencies.client, runner)
    processor.close()
