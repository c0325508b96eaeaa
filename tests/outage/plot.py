"""The picture: what waits, and what is asked of Kochava, over three days."""

from pathlib import Path
from statistics import mean

import matplotlib as mpl

from tests.outage.findings import Findings
from tests.outage.simulation import EPOCH, HOUR

mpl.use("svg")

from matplotlib import pyplot as plt

STEP = 10  # minutes for which a point stands; what is shorter is not seen at this size
DARK, LIGHT, GREY, ORANGE = "#0072b2", "#9ecae1", "#999999", "#e69f00"  # told apart by the colour-blind too
QUIET = 0.1  # requests a minute that stand for none, on a logarithmic scale


def draw(found: Findings, path: Path) -> None:
    """Write the picture of one run, as SVG or PNG by the path's ending."""
    scenario, series = found.scenario, found.series
    hours = [step * STEP / 60 for step in range(int(scenario.hours * 60) // STEP)]

    def thinned(minutes: list[int]) -> list[float]:
        return [mean(minutes[at * STEP : (at + 1) * STEP] or [0]) for at in range(len(hours))]

    with mpl.rc_context(
        {"svg.hashsalt": "kochava-forwarder", "axes.titlelocation": "left", "svg.fonttype": "none"}
    ):
        figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
        depths = (thinned(series.waiting), thinned(series.visible))
        upper.stackplot(hours, *depths, colors=(DARK, LIGHT), labels=("waiting for their next try", "visible"))
        upper.set(title=f"Events in the queue, of {scenario.events:,} published evenly", ylabel="events")
        for label, colour, requests in (
            ("without breaker and backoff", GREY, series.naive_requests),
            ("this forwarder", DARK, series.requests),
        ):
            lower.plot(hours, [max(count, QUIET) for count in thinned(requests)], color=colour, label=label)
        lower.set(title="Requests to Kochava a minute", ylabel="requests a minute", xlabel="hours", yscale="log")
        lower.set(ylim=(1, None), xlim=(0, scenario.hours), xticks=range(0, int(scenario.hours) + 1, 6))
        for axes in (upper, lower):
            start, end = ((moment - EPOCH) / HOUR for moment in (scenario.outage.start, scenario.outage.end))
            axes.axvspan(start, end, color=ORANGE, alpha=0.15, linewidth=0, label="Kochava is dead")
            axes.yaxis.set_major_formatter("{x:,.0f}")
            axes.legend(loc="upper left", frameon=False, fontsize="small")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)
        plt.close(figure)
