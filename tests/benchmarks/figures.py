"""From runs to figures: medians, and ratios within a round. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median

from tests.benchmarks.lab import Cell, Invocation, Run

type Measure = Callable[[Invocation], float]

wall: Measure = attrgetter("wall")
cpu: Measure = attrgetter("cpu")


class NotMeasuredError(Exception):
    """The cell was not run: it belongs to the full form, or this machine cannot run it."""


@dataclass(frozen=True)
class Results:
    """The runs of every cell, in the order of the rounds."""

    runs: Mapping[Cell, Sequence[Run]]

    def of(self, cell: Cell) -> Sequence[Run]:
        """Return a cell's runs.

        Raises:
            NotMeasuredError: there are none.
        """
        if not self.runs.get(cell):
            raise NotMeasuredError(cell.contender)
        return self.runs[cell]

    def has(self, cell: Cell) -> bool:
        """Tell whether the cell was run."""
        return bool(self.runs.get(cell))

    def median(self, cell: Cell, measure: Measure) -> float:
        """Return the median over the rounds of a run's median over its invocations."""
        return median(_of_run(run, measure) for run in self.of(cell))

    def ratio(self, cell: Cell, other: Cell, measure: Measure) -> float:
        """Return the median over the rounds of the ratio between two cells of the same round."""
        pairs = zip(self.of(cell), self.of(other), strict=False)
        return median(_of_run(one, measure) / _of_run(two, measure) for one, two in pairs)

    def from_import(self, cell: Cell) -> float:
        """Return the seconds of the import and the first invocation after it."""
        return median(map(_from_import, self.of(cell)))

    def from_import_ratio(self, cell: Cell, other: Cell) -> float:
        """Return the same as the median over the rounds of the ratio between two cells of the same round."""
        pairs = zip(self.of(cell), self.of(other), strict=False)
        return median(_from_import(one) / _from_import(two) for one, two in pairs)

    def failed(self, cell: Cell) -> bool:
        """Tell whether records failed that should not have."""
        return not cell.setting.faults and any(one.failed for run in self.of(cell) for one in run.invocations)

    def to_ideal(self, cell: Cell) -> float:
        """Return the wall time as a multiple of the ideal one."""
        return self.median(cell, wall) / cell.setting.ideal

    def cpu_per_record(self, cell: Cell) -> float:
        """Return the microseconds of CPU that a record takes."""
        return 1e6 * self.median(cell, cpu) / cell.setting.records

    def rate(self, cell: Cell) -> float:
        """Return the records that one function gets through in a second."""
        return median(
            cell.setting.records * len(run.invocations) / sum(one.wall for one in run.invocations)
            for run in self.of(cell)
        )

    def peak_megabytes(self, cell: Cell) -> float:
        """Return the peak memory, in MB as Lambda counts them."""
        return median(run.peak_bytes for run in self.of(cell)) / 2**20


def _from_import(run: Run) -> float:
    return run.imported + run.invocations[0].wall


def _of_run(run: Run, measure: Measure) -> float:
    return median(map(measure, run.invocations))
