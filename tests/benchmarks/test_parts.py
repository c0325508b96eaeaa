"""What one record costs in each part of the forwarder: `.venv/bin/pytest tests/benchmarks`.

Nothing is asserted about time; `--benchmark-autosave` and `--benchmark-compare` show what a change did to it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.forwarding.decision import RetryPolicy, decide
from kochava_forwarder.http.response import Response
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.kochava.responses import verdict_for
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, Verdict
from kochava_forwarder.sqs.message import Message
from tests.benchmarks.contenders import models
from tests.benchmarks.workload import body, sqs_event

type Benchmark = Callable[..., Any]

NOW = int(time.time())
BODY = body(1, NOW)
UNAVAILABLE = Verdict(Outcome.UNAVAILABLE, "HTTP 503")


@pytest.fixture
def event() -> KochavaEvent:
    return parse_event(BODY, sent_at=NOW, default_app_id=None)


@pytest.fixture
def message() -> Message:
    (record,) = sqs_event(1, NOW)["Records"]
    return Message.from_record(SQSRecord(record), NOW)


def test_parse(benchmark: Benchmark) -> None:
    event = benchmark(parse_event, BODY, sent_at=NOW, default_app_id=None)

    assert event.data.event_name == "Purchase"


def test_parse_and_serialise_as_the_peers_do(benchmark: Benchmark) -> None:
    assert benchmark(models.payload, BODY)


def test_wire(benchmark: Benchmark, event: KochavaEvent) -> None:
    assert benchmark(encode_payload, event, DeviceUaEncoding.PERCENT)


def test_verdict(benchmark: Benchmark) -> None:
    verdict = benchmark(verdict_for, Response(200, b'{"success":"1"}'), BODY.encode(), datetime.now(UTC))

    assert verdict.outcome is Outcome.DELIVERED


def test_verdict_on_a_failure(benchmark: Benchmark) -> None:
    verdict = benchmark(
        verdict_for, Response(503, b'{"success":"0","error":"down"}'), BODY.encode(), datetime.now(UTC)
    )

    assert verdict.outcome is Outcome.UNAVAILABLE


def test_backoff(benchmark: Benchmark) -> None:
    assert benchmark(backoff.wait, UNAVAILABLE, 2, 0.5) > 0


def test_decision(benchmark: Benchmark, message: Message) -> None:
    policy = RetryPolicy(72 * 3600, AmbiguousDelivery.RETRY)

    decision = benchmark(decide, UNAVAILABLE, message, policy, now=NOW, jitter=0.5)

    assert decision.action is Action.RETRY
