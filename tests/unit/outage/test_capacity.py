"""The simulation and the formulas of `forwarder_tools.capacity` agree on how many environments a rate needs.

What is checked is concurrency x latency: batches, pollers, MaxWorkers and Kochava's answers, with the function's
own code. The virtual clock stands still while the CPU works, so that CPU is not. Kochava is slow and a batch takes
two waves, so that a rate that is quick to simulate needs more environments than one.
"""

from dataclasses import replace
from math import ceil

import pytest

from forwarder_tools.capacity.__main__ import figures
from forwarder_tools.capacity.formulas import Setup, environments_busy, invocation_seconds
from tests.outage import events, kochava
from tests.outage.kochava import REFUSING, Outage
from tests.outage.simulation import EPOCH, HOUR, SAMPLE_SECONDS, Run, Scenario, simulate
from tests.outage.template import Deployment

MINUTES = 1
RATES = (10, 50, 200)  # events a second
FIGURES = figures()
SETUP = Setup(batch=10, window=1, workers=5, latency=1.0)


@pytest.fixture(autouse=True)
def answers_take_as_long_as_the_setup_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kochava, "ANSWER_SECONDS", (SETUP.latency, SETUP.latency))


def deployed(environments: int) -> Deployment:
    deployment = Deployment.from_template(
        {"BatchSize": SETUP.batch, "BatchingWindow": SETUP.window, "MaxWorkers": SETUP.workers}
    )
    return replace(deployment, concurrency=environments)


def delivered(scenario: Scenario) -> Run:
    with events.read_once():
        run = simulate(scenario)
    assert sum(run.kochava.confirmed) == scenario.events
    return run


def backlog(rate: int, environments: int) -> int:
    """Return what waits in the queue when events have come at this rate for `MINUTES`, without an outage."""
    scenario = Scenario(
        events=rate * (MINUTES * SAMPLE_SECONDS + 1),
        hours=(MINUTES * SAMPLE_SECONDS + 1) / HOUR,
        outage=Outage(REFUSING, EPOCH, EPOCH),
        deployment=deployed(environments),
        seed=3,
    )
    return delivered(scenario).course.visible[MINUTES]


@pytest.mark.parametrize("rate", RATES)
def test_the_environments_of_the_formula_keep_up(rate: int) -> None:
    needed = ceil(environments_busy(FIGURES, rate, SETUP))

    assert backlog(rate, needed) < rate * invocation_seconds(FIGURES, SETUP.batch, SETUP)


@pytest.mark.parametrize("rate", RATES)
def test_half_of_them_do_not_and_the_backlog_grows_as_the_formula_says(rate: int) -> None:
    half = ceil(environments_busy(FIGURES, rate, SETUP)) // 2
    taken = half * SETUP.batch / invocation_seconds(FIGURES, SETUP.batch, SETUP)

    assert backlog(rate, half) == pytest.approx((rate - taken) * MINUTES * SAMPLE_SECONDS, rel=0.1)


def test_a_backlog_is_drained_as_quickly_as_answers_and_environments_allow() -> None:
    environments, backlog = 10, 10_000
    just_after = EPOCH + 0.001  # all are published
    scenario = Scenario(
        events=backlog,
        hours=0,
        outage=Outage(REFUSING, just_after, just_after),
        deployment=deployed(environments),
        seed=3,
    )

    drained_at = delivered(scenario).course.drained_at

    assert drained_at
    allowed = environments * SETUP.workers / SETUP.latency
    assert backlog / (drained_at - EPOCH) >= 0.9 * allowed
