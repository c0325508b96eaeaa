"""Several runs side by side, each in a process of its own, with a bar that says how far it is."""

import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from multiprocessing.managers import DictProxy

from rich.console import Console
from rich.progress import Progress

from tests.outage.events import read_once
from tests.outage.findings import Findings, findings
from tests.outage.kochava import Failure
from tests.outage.simulation import Scenario, simulate

LOOK_SECONDS = 0.5
"""Between two looks at how far the runs are."""

type Reached = DictProxy[Failure, float]


def simulate_all(console: Console, scenarios: Sequence[Scenario], *, quick: bool) -> list[Findings]:
    """Run each scenario; `quick` leaves the contract and the wire format as they are."""
    fresh = get_context("forkserver")  # a fork would take the progress bar's thread with it
    with (
        fresh.Manager() as manager,
        ProcessPoolExecutor(min(len(scenarios), os.process_cpu_count() or 1), fresh) as processes,
        Progress(console=console, transient=True) as progress,
    ):
        reached: Reached = manager.dict()
        runs: list[Future[Findings]] = []
        tasks = {}
        for scenario in scenarios:
            failure = scenario.outage.failure
            tasks[failure] = progress.add_task(failure, total=scenario.hours)
            runs.append(processes.submit(_simulate, scenario, reached, quick=quick))
        while not all(run.done() for run in runs):
            time.sleep(LOOK_SECONDS)
            for failure, hours in reached.items():
                progress.update(tasks[failure], completed=hours)
        return [run.result() for run in runs]


def _simulate(scenario: Scenario, reached: Reached, *, quick: bool) -> Findings:
    def tell(hours: float) -> None:
        reached[scenario.outage.failure] = hours

    with nullcontext() if quick else read_once():
        return findings(simulate(scenario, tell))
