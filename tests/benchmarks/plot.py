"""The picture beside the tables: wall time by memory, and throughput by requests in flight."""

from contextlib import AbstractContextManager
from pathlib import Path

import matplotlib as mpl

from tests.benchmarks import cells
from tests.benchmarks.figures import Results, wall
from tests.benchmarks.share import FULL_CORE_MB

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

COLOURS = {"ours": "#0072b2", "aiohttp_bounded": "#e69f00", "urllib3_threads": "#999999"}
"""Told apart by the colour-blind too."""


def styled() -> AbstractContextManager[None]:
    """Return the context in which a picture is drawn, so that the same figures give the same file."""
    return mpl.rc_context(
        {"svg.hashsalt": "kochava-forwarder", "axes.spines.top": False, "axes.spines.right": False}
    )


def draw(results: Results, path: Path) -> None:
    """Write the picture as SVG."""
    with styled():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
        _wall_by_memory(left, results)
        _rate_by_workers(right, results)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def _wall_by_memory(axes: Axes, results: Results) -> None:
    for contender, colour in COLOURS.items():
        row = [cells.waiting(contender, memory) for memory in cells.MEMORIES]
        run = [cell for cell in row if results.has(cell)]
        memory = [cell.setting.memory or FULL_CORE_MB for cell in run]
        seconds = [results.median(cell, wall) for cell in run]
        axes.plot(memory, seconds, "o-", color=colour, label=cells.LABELS[contender])
    axes.axhline(cells.waiting("ours", None).setting.ideal, color="black", linestyle=":", label="ideal")
    axes.set(
        title="1,000 records, 50 ms an answer, 64 in flight",
        xlabel="memory of the function, MB",
        ylabel="seconds",
        xscale="log",
        yscale="log",
    )
    axes.minorticks_off()
    for axis, ticks in (
        (axes.xaxis, [one or FULL_CORE_MB for one in cells.MEMORIES]),
        (axes.yaxis, [1, 2, 5, 10]),
    ):
        axis.set_ticks(ticks, [str(tick) for tick in ticks])
    axes.legend(frameon=False, fontsize="small")


def _rate_by_workers(axes: Axes, results: Results) -> None:
    run = [cell for cell in cells.BY_WORKERS.values() if results.has(cell)]
    workers = [cell.setting.workers for cell in run]
    axes.plot(workers, [results.rate(cell) for cell in run], "o-", color=COLOURS["ours"], label="this project")
    ideal = [cell.setting.records / cell.setting.ideal for cell in run]
    axes.plot(workers, ideal, ":", color="black", label="ideal")
    axes.set(
        title=f"one environment of {cells.DEFAULT_MEMORY} MB, 50 ms an answer",
        xlabel="requests in flight (MaxWorkers)",
        ylabel="events a second",
        xlim=(0, None),
        ylim=(0, None),
    )
    axes.legend(frameon=False, fontsize="small")
