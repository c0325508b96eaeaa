"""Metrics as the function writes them: lines of CloudWatch's embedded metric format."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Self


class Metric(NamedTuple):
    """A metric as CloudWatch finds it."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> Self:
        return cls(namespace, name, tuple(sorted(dimensions.items())))


class Sample(NamedTuple):
    """A value of a metric, and when it was measured in seconds since 1970."""

    metric: Metric
    at: float
    value: float


def samples(lines: Iterable[str]) -> Iterator[Sample]:
    """Yield the values in the lines of a log; those that have no metric are left out."""
    for line in lines:
        try:
            tree = json.loads(line)
        except ValueError:
            continue
        for directive in tree.get("_aws", {}).get("CloudWatchMetrics", ()) if isinstance(tree, dict) else ():
            for names in directive["Dimensions"]:
                dimensions = {name: tree[name] for name in names}
                for name in (metric["Name"] for metric in directive["Metrics"]):
                    metric = Metric.of(directive["Namespace"], name, dimensions)
                    for value in tree[name] if isinstance(tree[name], list) else [tree[name]]:
                        yield Sample(metric, tree["_aws"]["Timestamp"] / 1000, value)
