"""The picture: what waits, and what is asked of Kochava, over three days."""

from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib as mpl

from tests.outage.findings import Findings
from tests.outage.simulation import EPOCH, HOUR

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import StrMethodFormatter

STEP = 5  # minutes for which a point stands; what is shorter is not seen at this size
BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#999999"  # told apart by the colour-blind too
QUIET = 0.1  # requests a minute that stand for none, on a logarithmic scale


def draw(found: Findings, path: Path) -> None:
    """Write the picture of one run, as SVG or PNG by the path's ending."""
    style: dict[Any, Any] = {
        "svg.hashsalt": "kochava-forwarder",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "axes.axisbelow": True,
        "grid.color": "#e6e6e6",
    }
    with mpl.rc_context(style):
        figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
        _depth(upper, found)
        _requests(lower, found)
        for axes in (upper, lower):
            _shade(axes, found)
            axes.grid(axis="y")
        _say_when(lower, found)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)
        plt.close(figure)


def _depth(axes: Axes, found: Findings) -> None:
    waiting, visible = (_thinned(found, depth) for depth in (found.series.waiting, found.series.visible))
    axes.stackplot(
        _hours(waiting),
        waiting,
        visible,
        colors=(BLUE, "#9ecae1"),
        labels=("waiting for their next try", "visible, to be received"),
    )
    scenario = found.scenario
    title = f"Events in the queue, of {scenario.events:,} published evenly over {scenario.hours:g} hours"
    axes.set(title=title, ylabel="events", ylim=(0, None))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.legend(loc="upper left", frameon=False, fontsize="small")


def _requests(axes: Axes, found: Findings) -> None:
    naive = ("without breaker and backoff", GREY, found.series.naive_requests)
    ours = ("this forwarder", BLUE, found.series.requests)
    for label, colour, requests in (naive, ours) if found.series.naive_requests else (ours,):
        means = _thinned(found, requests)
        axes.plot(_hours(means), [max(one, QUIET) for one in means], color=colour, label=label, linewidth=1.4)
    axes.set(title="Requests to Kochava a minute", yscale="log", ylabel="requests a minute", ylim=(1, None))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.legend(loc="upper left", frameon=False, fontsize="small")


def _shade(axes: Axes, found: Findings) -> None:
    start, end = ((moment - EPOCH) / HOUR for moment in (found.scenario.outage.start, found.scenario.outage.end))
    axes.axvspan(start, end, color=ORANGE, alpha=0.15, linewidth=0, zorder=0)
    half_way = (start + end) / 2
    axes.text(half_way, 0.94, "Kochava is dead", transform=axes.get_xaxis_transform(), ha="center", va="top")


def _say_when(axes: Axes, found: Findings) -> None:
    hours = found.scenario.hours
    axes.set(xlabel="hours", xlim=(0, hours))
    axes.set_xticks(range(0, int(hours) + 1, 6))


def _thinned(found: Findings, minutes: list[int]) -> list[float]:
    """Return the mean of each few minutes, as long as events are published."""
    steps = int(found.scenario.hours * 60) // STEP
    return [mean(minutes[at * STEP : (at + 1) * STEP] or [0]) for at in range(steps)]


def _hours(points: list[float]) -> list[float]:
    return [index * STEP / 60 for index in range(len(points))]
