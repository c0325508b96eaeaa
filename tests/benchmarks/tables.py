"""The tables behind the goals, and how they are written. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from forwarder_tools import markdown
from tests.benchmarks import cells
from tests.benchmarks.figures import NotMeasuredError, Results, cpu, wall
from tests.benchmarks.goals import GOALS
from tests.benchmarks.lab import Cell
from tests.benchmarks.packaging import Packaging
from tests.benchmarks.share import FULL_CORE_MB

_COMMON = f"{cells.DEFAULT_MEMORY} MB, W {cells.DEFAULT_WORKERS}, batches of 1,000, L 50 ms, HTTPS"

VERDICTS = {True: "met", False: "missed", None: "-"}


@dataclass(frozen=True)
class Table:
    """A table of text; the first row of cells is the header."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """Return it as Markdown, without the title."""
        return markdown.table(self.header, self.rows)


def all_tables(results: Results, packaging: Packaging) -> list[Table]:
    """Return every table that has a figure."""
    tables = (
        _goals(results, packaging),
        _wall_by_memory(results),
        _cpu_per_record(results),
        _compared(results),
        _nearest(results),
        _first(results),
        _scaling(results, "by-memory", "memory", {_megabytes(one): cell for one, cell in cells.BY_MEMORY.items()}),
        _scaling(results, "by-batch", "batch size", {f"{one:,}": cell for one, cell in cells.BY_BATCH.items()}),
        _scaling(
            results, "by-latency", "L", {f"{1e3 * one:,.0f} ms": cell for one, cell in cells.BY_LATENCY.items()}
        ),
        _scaling(results, "by-workers", "workers", {str(one): cell for one, cell in cells.BY_WORKERS.items()}),
        _table(results),
        _rivals_with_table(results),
    )
    return [table for table in tables if table.rows]


def _goals(results: Results, packaging: Packaging) -> Table:
    judged = ((goal, goal.judged(results, packaging)) for goal in GOALS)
    rows = tuple((str(goal.number), goal.measure, goal.aim, one.text, VERDICTS[one.met]) for goal, one in judged)
    return Table("goals", "Goals", ("#", "measure", "goal", "measured", ""), rows)


def _grid(
    name: str, title: str, corner: str, rows: Mapping[str, Mapping[str, Cell]], text: Callable[[Cell], str]
) -> Table:
    """Return a table of cells by row and column, without the rows in which none was measured."""

    def write(cell: Cell) -> str:
        try:
            return text(cell)
        except NotMeasuredError:
            return "-"

    written = [(label, *map(write, row.values())) for label, row in rows.items()]
    (columns, *_) = rows.values()
    return Table(name, title, (corner, *columns), tuple(row for row in written if set(row[1:]) != {"-"}))


def _megabytes(memory: int | None) -> str:
    return f"{memory:,} MB" if memory else f"{FULL_CORE_MB:,} MB (a full core)"


def _wall_by_memory(results: Results) -> Table:
    rows = {
        cells.LABELS[one]: {_megabytes(memory): cells.waiting(one, memory) for memory in cells.MEMORIES}
        for one in ("ours", *cells.RIVALS)
    }
    ideal = cells.waiting("ours", None).setting.ideal
    title = f"Wall time of 1,000 records, L 50 ms, W 64, HTTP, by memory (ideal {ideal:.2f} s)"
    return _grid("wall", title, "seconds", rows, lambda cell: f"{results.median(cell, wall):.2f}")


def _cpu_per_record(results: Results) -> Table:
    rows = {
        cells.LABELS[one]: {"HTTP": cells.working(one, https=False), "HTTPS": cells.working(one, https=True)}
        for one in ("floor", "ours", "aiohttp_gathered", *cells.RIVALS, "requests_sequential")
    }
    title = "CPU per record, N 1,000, L 0"
    return _grid("cpu", title, "µs", rows, lambda cell: f"{results.cpu_per_record(cell):.0f}")


def _by_batch(contender: str, circumstance: cells.Circumstance = cells.COMMON) -> dict[str, Cell]:
    return {f"N {number:,}": cells.compared(contender, number, circumstance) for number in cells.PEER_BATCHES}


def _compared(results: Results) -> Table:
    def text(cell: Cell) -> str:
        if results.failed(cell):
            return f"fails after {results.median(cell, wall):.1f} s"
        return f"{1e3 * results.median(cell, wall):.0f} ms / {results.cpu_per_record(cell):.0f} µs"

    rows = {cells.LABELS[one]: _by_batch(one) for one in ("ours", *cells.DOCUMENTED)}
    title = "Against Powertools' processors, L 10 ms, W 100, HTTPS"
    return _grid("compared", title, "wall / CPU per record", rows, text)


def _nearest(results: Results) -> Table:
    def text(ours: Cell) -> str:
        peer = replace(ours, contender=cells.NEAREST)
        return f"{results.ratio(ours, peer, wall):.2f} x / {results.ratio(ours, peer, cpu):.2f} x"

    rows = {str(one): _by_batch("ours", one) for one in cells.CIRCUMSTANCES}
    title = f"This project to {cells.LABELS[cells.NEAREST]}, L 10 ms, W 100"
    return _grid("nearest", title, "wall / CPU", rows, text)


def _first(results: Results) -> Table:
    rows = tuple(
        (
            cells.LABELS[contender],
            f"{results.median(cell, wall):.2f}",
            f"{1e3 * results.median(cell, cpu):.0f}",
            f"{results.median(cell, lambda one: one.connections):.0f}",
            f"{results.from_import(cell):.2f}",
        )
        for contender in ("ours", *cells.RIVALS)
        if results.has(cell := cells.first(contender))
    )
    title = "First invocation, N 100, L 50 ms, HTTPS, 256 MB"
    return Table("first", title, ("", "wall, s", "CPU, ms", "connections", "with the import, s"), rows)


def _table(results: Results) -> Table:
    rows = []
    for records, off in cells.BY_BATCH.items():
        on = cells.with_table(off)
        if results.has(off) and results.has(on):
            rows.append(
                (
                    f"{records:,}",
                    f"{results.rate(off):,.0f}",
                    f"{results.rate(on):,.0f}",
                    f"{1 / results.ratio(on, off, wall):.2f} x",
                    f"{results.cpu_per_record(off):.0f} µs",
                    f"{results.cpu_per_record(on):.0f} µs",
                    f"{results.ratio(on, off, cpu):.2f} x",
                    f"{results.median(on, lambda one: one.table_calls):.0f}",
                )
            )
    title = f"With the deduplication table, whose calls take 5 ms ({_COMMON})"
    header = (
        "batch size",
        "events a second",
        "with it",
        "of that",
        "CPU per record",
        "with it",
        "of that",
        "calls",
    )
    return Table("table", title, header, tuple(rows))


def _rivals_with_table(results: Results) -> Table:
    rows = {
        f"{cells.LABELS[contender]}, with the table" if table else cells.LABELS[contender]: {
            f"{memory} MB": cells.a_hundred(contender, memory, table=table) for memory in cells.TABLE_MEMORIES
        }
        for contender, table in cells.TABLE_CONTENDERS
    }
    title = "Wall time and CPU of 100 records, L 50 ms, W 100, HTTPS"

    def text(cell: Cell) -> str:
        return f"{1e3 * results.median(cell, wall):.0f} ms / {results.cpu_per_record(cell):.0f} µs a record"

    return _grid("rivals-with-table", title, "", rows, text)


def _scaling(results: Results, name: str, what: str, settings: Mapping[str, Cell]) -> Table:
    rows = []
    for text, cell in settings.items():
        if results.has(cell):
            rate, ideal = results.rate(cell), cell.setting.records / cell.setting.ideal
            rows.append((text, f"{rate:,.0f}", f"{ideal:,.0f}", f"{rate / ideal:.0%}"))
    title = f"Events a second from one environment ({_COMMON}), by {what}"
    return Table(name, title, (what, "events a second", "ideal", "of ideal"), tuple(rows))
