import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.policy.deadline import MIN_REQUEST_SECONDS, Deadline
from tests.unit.strategies import examples

SECONDS = st.floats(0, 900)


@examples(300)
@given(SECONDS, SECONDS, st.floats(0.1, 300), st.integers(1, 10_000))
def test_every_request_ends_in_time_for_sqs(now: float, remaining: float, timeout: float, records: int) -> None:
    deadline = Deadline.split(now=now, remaining=remaining, request_timeout=timeout, records=records)
    rounding = 1e-9
    assert deadline.request_timeout <= timeout
    if deadline.request_timeout < min(timeout, MIN_REQUEST_SECONDS):
        assert deadline.last_request_at == -math.inf
    else:
        assert deadline.last_request_at >= now - rounding
    assert deadline.last_request_at + deadline.request_timeout <= deadline.respond_by + rounding
    assert deadline.respond_by <= now + remaining


@pytest.mark.parametrize(
    ("remaining", "records", "expected"),
    [
        pytest.param(60.0, 10, Deadline(10.0, 1048.46, 1059.5), id="enough time"),
        pytest.param(60.0, 10_000, Deadline(10.0, 1034.5, 1059.5), id="many records: SQS gets a quarter"),
        pytest.param(10.0, 10, Deadline(4.23, 1004.23, 1009.5), id="a short function still sends"),
        pytest.param(1.0, 10, Deadline(0.325, 1000.325, 1000.9), id="a very short one too"),
        pytest.param(0.4, 10, Deadline(0.13, -math.inf, 1000.36), id="too little for any request"),
        pytest.param(0.0, 10, Deadline(0.0, -math.inf, 1000.0), id="no time"),
    ],
)
def test_how_time_is_divided(remaining: float, records: int, expected: Deadline) -> None:
    deadline = Deadline.split(now=1000.0, remaining=remaining, request_timeout=10.0, records=records)
    assert deadline.request_timeout == pytest.approx(expected.request_timeout)
    assert deadline.last_request_at == pytest.approx(expected.last_request_at)
    assert deadline.respond_by == pytest.approx(expected.respond_by)
