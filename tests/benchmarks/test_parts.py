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
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.forwarding.decision import RetryPolicy, decide
from kochava_forwarder.http.response import Response
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.kochava.responses import verdict_for
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import AmbiguousDelivery, Outcome, Verdict
from kochava_forwarder.sqs.message import Message
from tests.benchmarks.contenders import models
from tests.benchmarks.workload import body, sqs_event

NOW = int(time.time())
BODY = body(1, NOW)
EVENT = parse_event(BODY, sent_at=NOW, default_app_id=None)
MESSAGE = Message.from_record(SQSRecord(sqs_event(1, NOW)["Records"][0]), NOW)
UNAVAILABLE = Verdict(Outcome.UNAVAILABLE, "HTTP 503")
POLICY = RetryPolicy(72 * 3600, AmbiguousDelivery.RETRY)


def judge(status: int, answer: bytes) -> Verdict:
    return verdict_for(Response(status, answer), BODY.encode(), datetime.now(UTC))


PARTS: dict[str, Callable[[], Any]] = {
    "parse": lambda: parse_event(BODY, sent_at=NOW, default_app_id=None),
    "parse and serialise as the peers do": lambda: models.payload(BODY),
    "wire": lambda: encode_payload(EVENT, DeviceUaEncoding.PERCENT),
    "verdict": lambda: judge(200, b'{"success":"1"}'),
    "verdict on a failure": lambda: judge(503, b'{"success":"0","error":"down"}'),
    "backoff": lambda: backoff.wait(UNAVAILABLE, 2, 0.5),
    "decision": lambda: decide(UNAVAILABLE, MESSAGE, POLICY, now=NOW, jitter=0.5),
}


@pytest.mark.parametrize("part", PARTS)
def test_part(benchmark: Callable[..., Any], part: str) -> None:
    assert benchmark(PARTS[part])
