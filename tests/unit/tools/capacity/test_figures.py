"""The figures are those of the documents, and of what the code writes."""

import json
import random
import time

import pytest

from forwarder_tools.capacity.__main__ import PERFORMANCE, figures
from forwarder_tools.capacity.figures import Figures
from forwarder_tools.processes import ROOT
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.kochava import client
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.telemetry import PowertoolsTelemetry, Result
from tests.benchmarks.workload import body, sqs_event

FIGURES = figures()
AROUND_A_REQUEST = 22 + 2 * 52  # bytes: a TLS record, and TCP over IP for it and for the answer's acknowledgement

PAGE = """\
<!-- bench: conditions -->
Measured on 2026-01-02 with Python.
<!-- end -->
<!-- bench: cpu -->
| this project | 83 | 95 |
<!-- end -->
<!-- bench: by-batch -->
Events a second from one environment (256 MB, W 64, batches of 1,000, L 20 ms, HTTPS), by batch size:

| batch size | events a second | ideal | of ideal |
| --- | --- | --- | --- |
| 10 | 200 | 200 | 95% |
| 1,000 | 2,000 | 2,000 | 88% |
<!-- end -->
<!-- bench: table -->
| 100 | 1,000 | 900 | 0.90 x | 100 µs | 250 µs | 2.50 x | 8 |
| 1,000 | 2,000 | 1,600 | 0.80 x | 95 µs | 190 µs | 2.10 x | 80 |
<!-- end -->
"""


def test_they_are_read_from_the_document() -> None:
    assert Figures.read(PAGE) == Figures(
        measured_on="2026-01-02",
        memory=256,
        workers=64,
        latency=0.02,
        batches={10: 0.05, 1000: 0.5},
        cpu=95e-6,
        table_speed=0.8,
        table_cpu=2.1,
    )


def test_what_the_document_does_not_say_is_an_error() -> None:
    with pytest.raises(LookupError, match="bench: by-batch"):
        Figures.read("")
    with pytest.raises(LookupError, match="1,000"):
        Figures.read(PAGE.replace("2.10 x", "-"))
    with pytest.raises(LookupError, match="this project"):
        Figures.read(PAGE.replace("this project", "another"))


def test_the_documents_say_them() -> None:
    assert "Two writes an event" in (ROOT / "docs" / "reliability.md").read_text()
    assert f"Measured on {FIGURES.measured_on}" in PERFORMANCE.read_text()


@pytest.mark.parametrize("records", [1, 10, 1000])
def test_the_metrics_of_an_invocation_have_so_many_bytes(records: int, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(1)  # noqa: S311 - values as long as real ones, the same each time
    delivered = Verdict(Outcome.DELIVERED, "")
    results = [
        Result("m", delivered, latency=chance.random(), queue_age=chance.random(), age_at_delivery=chance.random())
        for _ in range(records)
    ]
    PowertoolsTelemetry().count(results)

    expected = FIGURES.metric_bytes + FIGURES.values_bytes * min(records, FIGURES.values)
    assert len(capsys.readouterr().out) == pytest.approx(expected, rel=0.1)


def test_a_record_and_its_request_have_so_many_bytes() -> None:
    event = parse_event(body(1, int(time.time())), sent_at=0, default_app_id=None)
    payload = encode_payload(event, DeviceUaEncoding.PERCENT)
    head = vars(client)["_request_head"]("/track/json", "control.kochava.com")
    (record,) = sqs_event(1, time.time())["Records"]

    sent = len(head) + len(f"Content-Length: {len(payload)}\r\n\r\n") + len(payload) + AROUND_A_REQUEST
    assert sent == pytest.approx(FIGURES.request_bytes, rel=0.1)
    assert len(json.dumps(record)) == pytest.approx(FIGURES.record_bytes, rel=0.1)
