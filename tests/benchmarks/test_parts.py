"""What one record costs in each part of the forwarder: `.venv/bin/pytest tests/benchmarks`.

Nothing is asserted about time; `--benchmark-autosave` and `--benchmark-compare` show what a change did to it.
"""

import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from forwarder_tools.bench.contenders import models
from forwarder_tools.bench.workload import body, sqs_event
from kochava_forwarder import answers, backoff, events, wire
from kochava_forwarder.answers import Answer
from kochava_forwarder.decision import decide
from kochava_forwarder.message import Message
from kochava_forwarder.outcomes import Outcome, Then, Verdict
from kochava_forwarder.settings import DeviceUaEncoding, Settings

type Benchmark = Callable[..., Any]

NOW = int(time.time())
BODY = body(1, NOW)
UNAVAILABLE = Verdict(Outcome.UNAVAILABLE, "HTTP 503")


@pytest.fixture
def event() -> events.KochavaEvent:
    return events.parse(BODY, sent_at=NOW, default_app_id=None)


@pytest.fixture
def message() -> Message:
    (record,) = sqs_event(1, NOW)["Records"]
    return Message.from_record(SQSRecord(record), NOW)


def test_parse(benchmark: Benchmark) -> None:
    event = benchmark(events.parse, BODY, sent_at=NOW, default_app_id=None)

    assert event.data.event_name == "Purchase"


def test_parse_and_serialise_as_the_peers_do(benchmark: Benchmark) -> None:
    assert benchmark(models.payload, BODY)


def test_wire(benchmark: Benchmark, event: events.KochavaEvent) -> None:
    assert benchmark(wire.payload, event, DeviceUaEncoding.PERCENT)


def test_verdict(benchmark: Benchmark) -> None:
    verdict = benchmark(answers.judge, Answer(200, b'{"success":"1"}'), BODY.encode())

    assert verdict.outcome is Outcome.DELIVERED


def test_verdict_on_a_failure(benchmark: Benchmark) -> None:
    verdict = benchmark(answers.judge, Answer(503, b'{"success":"0","error":"down"}'), BODY.encode())

    assert verdict.outcome is Outcome.UNAVAILABLE


def test_backoff(benchmark: Benchmark) -> None:
    assert benchmark(backoff.wait, UNAVAILABLE, 2, 0.5) > 0


def test_decision(benchmark: Benchmark, message: Message) -> None:
    settings = Settings.from_environment({"DEAD_LETTER_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/1/dlq"})

    decision = benchmark(decide, UNAVAILABLE, message, settings, now=NOW, jitter=0.5)

    assert decision.then is Then.RETRY
