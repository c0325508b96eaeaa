"""How throughput and cost grow with memory, batch size and latency, with and without the table: a picture."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from forwarder_tools.capacity.figures import FULL_CORE_MB, Figures
from forwarder_tools.capacity.formulas import Setup, dollars
from tests.benchmarks import cells
from tests.benchmarks.figures import Results, wall
from tests.benchmarks.lab import Cell
from tests.benchmarks.plot import styled

COLOURS = {False: "#0072b2", True: "#d55e00"}
"""Without and with the table."""

RECOMMENDED = "#009e73"
NOT_OF_THE_FUNCTION = frozenset({"publishing", "to Kochava"})
"""Parts of the price that no setting changes."""


def draw(results: Results, figures: Figures, path: Path) -> None:
    """Write the picture as SVG."""
    columns: dict[str, tuple[Mapping[float, Cell], float | None]] = {
        "memory, MB": ({one or FULL_CORE_MB: cell for one, cell in cells.BY_MEMORY.items()}, cells.DEFAULT_MEMORY),
        "events in a batch": ({float(one): cell for one, cell in cells.BY_BATCH.items()}, cells.DEFAULT_BATCH),
        "L, ms": ({1e3 * one: cell for one, cell in cells.BY_LATENCY.items()}, None),
    }
    with styled():
        figure, rows = plt.subplots(2, len(columns), figsize=(11, 6), layout="constrained", sharey="row")
        for (name, (row, recommended)), rate, cost in zip(columns.items(), *rows, strict=True):
            _draw(rate, row, results.rate)
            _draw(cost, row, partial(price, results, figures))
            cost.set_xlabel(name)
            for axes in (rate, cost):
                if recommended:
                    axes.axvline(recommended, color=RECOMMENDED, linestyle=":", label="the template's default")
        rows[0][0].set_ylabel("events a second of one environment")
        rows[1][0].set_ylabel("dollars per million events")
        rows[0][0].legend(frameon=False, fontsize="small")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def price(results: Results, figures: Figures, cell: Cell) -> float:
    """Return the dollars per million events of Lambda, its calls of SQS, its logs, and the table."""
    setting = cell.setting
    setup = Setup(setting.records, 0, setting.workers, setting.latency, table=setting.table)
    parts = dollars(
        replace(figures, memory=setting.memory or FULL_CORE_MB),
        setup,
        setting.records,
        seconds=results.median(cell, wall),
    )
    return sum(dollars for part, dollars in parts.items() if part not in NOT_OF_THE_FUNCTION)


def _draw(axes: Axes, row: Mapping[float, Cell], figure_of: Callable[[Cell], float]) -> None:
    for table, colour in COLOURS.items():
        of = {at: cells.with_table(cell) if table else cell for at, cell in row.items()}
        label = "with the deduplication table" if table else "without the table"
        axes.plot(list(of), [figure_of(cell) for cell in of.values()], "o-", color=colour, label=label)
    axes.set(xscale="log", yscale="log")
    axes.minorticks_off()
    axes.xaxis.set_ticks(list(row), [f"{tick:,.0f}" for tick in row])
