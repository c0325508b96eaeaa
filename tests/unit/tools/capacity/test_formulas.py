"""From a rate of events to environments, pollers, calls and dollars."""

from dataclasses import replace

import pytest

from forwarder_tools.capacity.figures import Figures
from forwarder_tools.capacity.formulas import (
    Setup,
    a_month,
    dollars,
    environments_busy,
    environments_needed,
    events_an_invocation,
    invocation_seconds,
    pollers_needed,
)

# On top of the answers: 0.2 ms a record up to 10, 0.1 ms up to 1,000.
FIGURES = Figures(
    measured_on="2026-01-02",
    memory=1769,
    workers=100,
    latency=0.05,
    batches={10: 0.052, 1000: 0.6},
    cpu=50e-6,
    table_speed=0.8,
    table_cpu=2,
)
SETUP = Setup(batch=1000, window=1, workers=100, latency=0.05)


@pytest.mark.parametrize(
    ("records", "setup", "seconds"),
    [
        (10, SETUP, 0.052),
        (5, SETUP, 0.051),
        (1000, SETUP, 0.6),
        (101, SETUP, 0.1101),
        (1000, replace(SETUP, latency=1), 10.1),
        (1000, replace(SETUP, workers=50), 1.1),
        (1000, replace(SETUP, table=True), 0.75),
        (2000, SETUP, 1.2),
    ],
)
def test_a_batch_takes_waves_of_answers_and_what_was_measured_on_top(
    records: int, setup: Setup, seconds: float
) -> None:
    assert invocation_seconds(FIGURES, records, setup) == pytest.approx(seconds)


def test_a_batch_takes_no_less_than_its_cpu() -> None:
    quick = replace(SETUP, latency=0)
    slow = replace(FIGURES, cpu=1e-3, memory=1769 // 2)
    assert invocation_seconds(FIGURES, 1000, quick) == pytest.approx(0.1)
    assert invocation_seconds(slow, 1000, quick) == pytest.approx(2, rel=0.01)
    assert invocation_seconds(slow, 1000, replace(quick, table=True)) == pytest.approx(4, rel=0.01)


def test_environments_follow_from_the_time_of_a_batch_with_headroom_and_are_two_at_least() -> None:
    assert environments_busy(FIGURES, 10_000, SETUP) == pytest.approx(6)
    assert environments_needed(FIGURES, 10_001, SETUP) == 13
    assert environments_needed(FIGURES, 1, SETUP) == 2


@pytest.mark.parametrize(
    ("rate", "environments", "record_bytes", "pollers"),
    [(1000, 2, 100, 10), (1000, 500, 100, 50), (1000, 2, 50_000, 50), (1, 2, 100, 2)],
    ids=["calls", "invocations", "bytes", "at least"],
)
def test_pollers_are_as_many_as_the_first_of_their_limits_wants(
    rate: float, environments: int, record_bytes: int, pollers: int
) -> None:
    assert pollers_needed(replace(FIGURES, record_bytes=record_bytes), rate, environments) == pollers


@pytest.mark.parametrize(
    ("rate", "setup", "environments", "events"),
    [
        (100, SETUP, 2, 20),  # five read the queue at first
        (100, replace(SETUP, window=20), 2, 400),
        (100, SETUP, 10, 10),
        (1, SETUP, 2, 1),
        (100_000, SETUP, 2, 1000),
        (10, replace(SETUP, latency=2), 2, 40.2),  # what comes while a batch is under way
    ],
)
def test_events_spread_over_all_that_read_the_queue(
    rate: float, setup: Setup, environments: int, events: float
) -> None:
    assert events_an_invocation(FIGURES, rate, setup, environments) == pytest.approx(events)


def test_a_million_events_cost_what_their_parts_cost() -> None:
    figures = replace(FIGURES, memory=1024, log_bytes=400, metric_bytes=600, values_bytes=50)

    assert dollars(figures, replace(SETUP, table=True), 10) == pytest.approx(
        {
            "publishing": 0.40,
            "SQS": 2 * 0.1 * 0.40,
            "Lambda": 0.1 * 0.20 + 100_000 * (0.052 / 0.8) * 13.3334e-6,
            "logs and metrics": 100_000 * 1500 / 1e9 * 0.50,
            "to Kochava": 0.09,
            "table": 2 * 0.625 + 0.3 * 7 / 30 * 0.25,
        }
    )
    assert "table" not in dollars(figures, SETUP, 10)
    assert dollars(figures, SETUP, 11)["SQS"] == pytest.approx(2 * 2 / 11 * 0.40)
    assert dollars(figures, SETUP, 10, fifo=True)["SQS"] == pytest.approx(2 * 0.1 * 0.50)
    measured = dollars(figures, SETUP, 10, seconds=0.2)["Lambda"]
    assert measured == pytest.approx(0.1 * 0.20 + 100_000 * 0.2 * 13.3334e-6)


def test_a_month_has_thirty_days() -> None:
    assert a_month(10, 2.0) == pytest.approx(10 * 30 * 86_400 / 1e6 * 2)
