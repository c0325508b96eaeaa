"""The tables behind the goals, and how they are written. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from tests.benchmarks import cells
from tests.benchmarks.figures import Results, cpu, wall
from tests.benchmarks.goals import GOALS
from tests.benchmarks.lab import Cell
from tests.benchmarks.packaging import Packaging
from tests.benchmarks.share import FULL_CORE_MB

VERDICTS = {True: "met", False: "missed", None: "-"}
HEADROOM = 2
"""How many times the environments that the arithmetic asks for: redeliveries, bursts, a slower Kochava."""


@dataclass(frozen=True)
class Table:
    """A table of text; the first row of cells is the header."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return it as Markdown, without the title."""
        lines = [self.header, tuple("---" for _ in self.header), *self.rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def goals(results: Results, packaging: Packaging) -> Table:
    """Return the goals with what was measured."""
    figures = [(goal, goal.judged(results, packaging)) for goal in GOALS]
    rows = tuple(
        (str(goal.number), goal.measure, goal.aim, figure.text, VERDICTS[figure.met]) for goal, figure in figures
    )
    return Table("goals", "Goals", ("#", "measure", "goal", "measured", ""), rows)


def all_tables(results: Results, packaging: Packaging) -> list[Table]:
    """Return every table that has a figure."""
    tables = (
        goals(results, packaging),
        _wall_by_memory(results),
        _cpu_per_record(results),
        _compared(results),
        _nearest(results),
        _first(results),
        _scaling(results, "by-memory", "memory", {_megabytes(one): cell for one, cell in cells.BY_MEMORY.items()}),
        _scaling(results, "by-batch", "batch size", {f"{one:,}": cell for one, cell in cells.BY_BATCH.items()}),
        _scaling(results, "by-workers", "workers", {str(one): cell for one, cell in cells.BY_WORKERS.items()}),
        _recommended(results),
    )
    return [table for table in tables if table.rows]


def _row(results: Results, contender: str, row: Iterable[Cell], text: Callable[[Cell], str]) -> tuple[str, ...]:
    """Return a contender's row: the text for each cell that was run."""
    return cells.LABELS[contender], *(text(cell) if results.has(cell) else "-" for cell in row)


def _measured(rows: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the rows that have a figure beside their name."""
    return tuple(row for row in rows if set(row[1:]) != {"-"})


def _megabytes(memory: int | None) -> str:
    return f"{memory:,} MB" if memory else f"{FULL_CORE_MB:,} MB (a full core)"


def _wall_by_memory(results: Results) -> Table:
    def row(contender: str) -> tuple[str, ...]:
        row = [cells.waiting(contender, memory) for memory in cells.MEMORIES]
        return _row(results, contender, row, lambda cell: f"{results.median(cell, wall):.2f}")

    ideal = cells.waiting("ours", None).setting.ideal
    title = f"Wall time of 1,000 records, L 50 ms, W 64, HTTP, by memory (ideal {ideal:.2f} s)"
    header = ("seconds", *map(_megabytes, cells.MEMORIES))
    return Table("wall", title, header, _measured(map(row, ("ours", *cells.RIVALS))))


def _cpu_per_record(results: Results) -> Table:
    def row(contender: str) -> tuple[str, ...]:
        row = [cells.working(contender, https=https) for https in (False, True)]
        return _row(results, contender, row, lambda cell: f"{results.cpu_per_record(cell):.0f}")

    contenders = ("floor", "ours", "aiohttp_gathered", *cells.RIVALS, "requests_sequential")
    return Table("cpu", "CPU per record, N 1,000, L 0", ("µs", "HTTP", "HTTPS"), _measured(map(row, contenders)))


def _compared(results: Results) -> Table:
    def text(cell: Cell) -> str:
        if results.failed(cell):
            return f"fails after {results.median(cell, wall):.1f} s"
        return f"{1e3 * results.median(cell, wall):.0f} ms / {results.cpu_per_record(cell):.0f} µs"

    def row(contender: str) -> tuple[str, ...]:
        return _row(results, contender, [cells.compared(contender, number) for number in cells.PEER_BATCHES], text)

    header = ("wall / CPU per record", *(f"N {number:,}" for number in cells.PEER_BATCHES))
    title = "Against Powertools' processors, L 10 ms, W 100, HTTPS"
    return Table("compared", title, header, _measured(map(row, ("ours", *cells.DOCUMENTED))))


def _nearest(results: Results) -> Table:
    def ratios(records: int, circumstance: cells.Circumstance) -> str:
        ours, peer = (cells.compared(one, records, circumstance) for one in ("ours", cells.NEAREST))
        if not results.has(ours) or not results.has(peer):
            return "-"
        return f"{results.ratio(ours, peer, wall):.2f} x / {results.ratio(ours, peer, cpu):.2f} x"

    rows = ((str(one), *(ratios(records, one) for records in cells.PEER_BATCHES)) for one in cells.CIRCUMSTANCES)
    header = ("wall / CPU", *(f"N {number:,}" for number in cells.PEER_BATCHES))
    title = f"This project to {cells.LABELS[cells.NEAREST]}, L 10 ms, W 100"
    return Table("nearest", title, header, _measured(rows))


def _first(results: Results) -> Table:
    rows = tuple(
        (
            cells.LABELS[contender],
            f"{results.median(cell, wall):.2f}",
            f"{1e3 * results.median(cell, cpu):.0f}",
            f"{results.median(cell, lambda one: one.connections):.0f}",
        )
        for contender in ("ours", *cells.RIVALS)
        if results.has(cell := cells.first(contender))
    )
    title = "First invocation, N 100, L 50 ms, HTTPS, 256 MB"
    return Table("first", title, ("", "wall, s", "CPU, ms", "connections"), rows)


def _scaling(results: Results, name: str, what: str, settings: Mapping[str, Cell]) -> Table:
    rows = []
    for text, cell in settings.items():
        if results.has(cell):
            rate, ideal = results.rate(cell), cell.setting.records / cell.setting.ideal
            rows.append((text, f"{rate:,.0f}", f"{ideal:,.0f}", f"{rate / ideal:.0%}"))
    common = f"{cells.DEFAULT_MEMORY} MB, W {cells.DEFAULT_WORKERS}, batches of 1,000, L 50 ms, HTTPS"
    title = f"Events a second from one environment ({common}), by {what}"
    return Table(name, title, (what, "events a second", "ideal", "of ideal"), tuple(rows))


def environments(rate: float, batch: int, seconds: float) -> int:
    """Return how many environments are busy at once when `rate` events a second come, with headroom."""
    return max(1, ceil(HEADROOM * rate * seconds / batch))


def _recommended(results: Results) -> Table:
    rows = []
    for rate, batch in ((10, 10), (1_000, 1_000), (10_000, 1_000)):
        cell = cells.BY_BATCH[batch]
        if results.has(cell):
            seconds = results.median(cell, wall)
            needed = environments(rate, batch, seconds)
            arithmetic = f"{HEADROOM} x {rate:,} x {seconds:.2f} s / {batch:,} = {needed}"
            chosen = (f"{batch:,}", "1", f"{cell.setting.workers}", f"{cells.DEFAULT_MEMORY} MB")
            rows.append((f"{rate:,}", *chosen, str(max(2, needed)), arithmetic))
    settings = ("BatchSize", "BatchingWindow", "MaxWorkers", "MemorySize", "MaximumConcurrency")
    return Table("recommended", "Recommended settings", ("events a second", *settings, "arithmetic"), tuple(rows))
