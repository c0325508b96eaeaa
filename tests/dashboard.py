"""The picture of the dashboard: the template's widgets, filled with what the demo measures.

`python -m tests.dashboard docs/dashboard.svg` takes some four minutes. It plays the demo's events again and again
to the deployed function, with Kochava down for a while, and draws what the function's own metrics and the queues
say. Six seconds stand for a minute of CloudWatch's. The local cloud measures no invocations: widgets without data
are left out.
"""

import json
import math
import re
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import matplotlib as mpl
import numpy as np

from forwarder_tools.console import open_console
from forwarder_tools.demo.__main__ import Stage, publish, stage, watch
from forwarder_tools.demo.cast import cast
from forwarder_tools.localcloud import function_log, peek
from forwarder_tools.processes import end_on_signals
from tests.cloudformation import Stack
from tests.emf import Metric, Sample, samples

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

STACK_NAME = "forwarder"
SECONDS, ROUND_SECONDS, PERIOD = 150, 3, 6
OUTAGE = (50, 75)  # seconds
ROW_INCHES, WIDTH_INCHES = 2.7, 12
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000", "#999999", "#f0e442")
"""Told apart by the colour-blind too."""

STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Sum": sum,
    "Maximum": max,
    "p50": lambda values: float(np.percentile(values, 50)),
    "p99": lambda values: float(np.percentile(values, 99)),
}
_SEARCH = re.compile(r"""SEARCH\('\{(\w+),([\w,]+)} MetricName="(\w+)" (\w+)="([^"]+)"', '(\w+)', 60\)""")


@dataclass(frozen=True)
class Line:
    """What a widget shows of a metric, or of every metric that is like it.

    Args:
        metric: the metric; with `others`, the part of it that they share.
        statistic: of the values in a period.
        label: what the legend says; with `others` each has its own.
        others: names of the dimensions that may have any value.
    """

    metric: Metric
    statistic: str
    label: str
    others: tuple[str, ...] = ()

    def matches(self, metric: Metric) -> bool:
        """Tell whether this line, or one of these, is the metric's."""
        names = {name for name, _ in metric.dimensions}
        kept = tuple(item for item in metric.dimensions if item[0] not in self.others)
        return names >= set(self.others) and metric._replace(dimensions=kept) == self.metric


@dataclass(frozen=True)
class Widget:
    """A widget of metrics: where it is in a grid of 24 columns, and its lines."""

    title: str
    x: int
    y: int
    width: int
    lines: tuple[Line, ...]

    @classmethod
    def read(cls, widget: Mapping[str, Any]) -> Self:
        """Return the widget as the dashboard's JSON says it."""
        properties = widget["properties"]
        lines = (_line(entry, properties.get("stat", "")) for entry in properties["metrics"])
        return cls(properties["title"], widget["x"], widget["y"], widget["width"], tuple(lines))


def _line(entry: Sequence[Any], statistic: str) -> Line:
    *words, options = entry if isinstance(entry[-1], dict) else (*entry, {})
    if words:
        namespace, name, *dimensions = words
        metric = Metric.of(namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True)))
        label = options.get("label") or (name if len(dimensions) == 2 else dimensions[-1])
        return Line(metric, options.get("stat", statistic), label)
    if not (search := _SEARCH.fullmatch(options["expression"])):
        raise ValueError(f"{options['expression']}: not a search that can be drawn; teach {__name__} this form")
    namespace, schema, name, dimension, value, statistic = search.groups()
    others = tuple(each for each in schema.split(",") if each != dimension)
    return Line(Metric.of(namespace, name, {dimension: value}), statistic, options["label"], others)


def dashboard(stack: Stack) -> list[dict[str, Any]]:
    """Return the widgets of a stack's dashboard, as its JSON says them."""
    widgets: list[dict[str, Any]] = json.loads(stack.properties("ForwarderDashboard")["DashboardBody"])["widgets"]
    return widgets


def play() -> tuple[float, list[Sample]]:
    """Play the demo's events to a deployed function; returns when it began, and what was measured."""
    console, found = open_console(), list[Sample]()
    with stage(console) as running:
        watch(console, running, publish(running, cast()))  # until as many functions run as there are to run
        start = time.time()
        for second in range(SECONDS):
            if second == OUTAGE[0]:
                running.sandbox.always("503")
            elif second == OUTAGE[1]:
                running.sandbox.clear()
            if second % ROUND_SECONDS == 0:
                publish(running, cast())
            found += _depths(running)
            time.sleep(max(0.0, start + second + 1 - time.time()))
        return start, [*found, *samples(function_log(running.cloud, running.stack.function_name))]


def _depths(running: Stage) -> Iterator[Sample]:
    """Yield what SQS would say of both queues."""
    for queue, url in (
        ("EventQueue", running.stack.event_queue_url),
        ("DeadLetterQueue", running.stack.dead_letter_queue_url),
    ):
        messages, at = peek(running.cloud, url), time.time()
        visible = sum(message.visible for message in messages)
        for name, count in (("Visible", visible), ("NotVisible", len(messages) - visible)):
            dimensions = {"QueueName": f"{queue}.QueueName"}
            yield Sample(Metric.of("AWS/SQS", f"ApproximateNumberOfMessages{name}", dimensions), at, count)


def draw(widgets: Iterable[Mapping[str, Any]], measured: Collection[Sample], start: float, path: Path) -> None:
    """Write the picture as SVG.

    Args:
        widgets: the dashboard's; those of which nothing was measured are left out.
        measured: what they show.
        start: where their time begins, in seconds since 1970.
        path: the file.
    """
    titles: dict[int, str] = {}
    rows: dict[int, list[tuple[Widget, dict[str, Series]]]] = {}
    for each in widgets:
        if each["type"] == "text":
            titles[each["y"] + each["height"]] = each["properties"]["markdown"].lstrip("# ")
        elif each["type"] == "metric" and (series := _series(widget := Widget.read(each), measured, start)):
            rows.setdefault(widget.y, []).append((widget, series))
    with mpl.rc_context({"svg.hashsalt": "kochava-forwarder", "svg.fonttype": "none", "axes.titlesize": "medium"}):
        figure = plt.figure(figsize=(WIDTH_INCHES, ROW_INCHES * len(rows)), layout="constrained")
        parts = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
        for part, (y, row) in zip(parts, rows.items(), strict=True):
            part.suptitle(titles.get(y, ""), x=0.01, horizontalalignment="left", weight="bold")
            panels = part.subplots(1, len(row), width_ratios=[widget.width for widget, _ in row], squeeze=False)[0]
            for axes, (widget, series) in zip(panels, row, strict=True):
                _panel(axes, widget, series)
        figure.supxlabel("seconds of the demo; orange: Kochava is down", fontsize="medium")
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


type Series = list[float]
"""A line's values, one for each period; not a number where there is none."""


def _series(widget: Widget, measured: Collection[Sample], start: float) -> dict[str, Series]:
    """Return each line of a widget that has values, by its label."""
    found: dict[str, Series] = {}
    for line in widget.lines:
        for metric in dict.fromkeys(sample.metric for sample in measured if line.matches(sample.metric)):
            periods: dict[int, list[float]] = {}
            for sample in measured:
                if sample.metric == metric and sample.at >= start:
                    periods.setdefault(int((sample.at - start) // PERIOD), []).append(sample.value)
            label = dict(metric.dimensions)[line.others[0]] if line.others else line.label
            nothing = 0.0 if line.statistic == "Sum" else math.nan
            if periods:
                found[label] = [
                    STATISTICS[line.statistic](periods[period]) if period in periods else nothing
                    for period in range(SECONDS // PERIOD)
                ]
    return found


def _panel(axes: Axes, widget: Widget, found: Mapping[str, Series]) -> None:
    for colour, (label, values) in zip(COLOURS, sorted(found.items()), strict=False):
        axes.plot(range(0, SECONDS, PERIOD), values, color=colour, label=label)
    axes.axvspan(*OUTAGE, color=COLOURS[1], alpha=0.15, linewidth=0)
    axes.set(title=widget.title, ylim=(0, None), xlim=(0, SECONDS))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.spines[["top", "right"]].set_visible(False)
    columns = widget.width // 4
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=columns, frameon=False, fontsize="small")


def main() -> None:
    """Play and draw."""
    end_on_signals()
    start, measured = play()
    draw(dashboard(Stack({"AWS::StackName": STACK_NAME})), measured, start, Path(sys.argv[1]))


if __name__ == "__main__":
    main()
