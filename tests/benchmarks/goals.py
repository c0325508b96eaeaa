"""The goals, and how each is judged from the results. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from tests.benchmarks import cells
from tests.benchmarks.figures import Measure, NotMeasuredError, Results, cpu, wall
from tests.benchmarks.packaging import Packaging
from tests.benchmarks.worker import FUNCTION_TIMEOUT

MIB = 2**20


@dataclass(frozen=True)
class Figure:
    """What was measured, and whether that meets the goal; None: not measured."""

    text: str
    met: bool | None


@dataclass(frozen=True)
class Goal:
    """One goal: what is measured, what is aimed at, and how one tells."""

    number: int
    measure: str
    aim: str
    verdict_for: Callable[[Results, Packaging], Figure]

    def judged(self, results: Results, packaging: Packaging) -> Figure:
        """Return the figure; one that was not measured says so."""
        try:
            return self.verdict_for(results, packaging)
        except NotMeasuredError:
            return Figure("not measured", None)


def _to_ideal(memory: int | None, most: float) -> Callable[[Results, Packaging], Figure]:
    def verdict_for(results: Results, _packaging: Packaging) -> Figure:
        cell = cells.waiting("ours", memory)
        times = results.to_ideal(cell)
        return Figure(f"{times:.2f} x ({results.median(cell, wall):.2f} s)", times <= most)

    return verdict_for


def _at_256_mb(results: Results, _packaging: Packaging) -> Figure:
    ours, rival = cells.waiting("ours", 256), cells.waiting("aiohttp_bounded", 256)
    ratio = results.ratio(ours, rival, wall)
    text = f"{ratio:.2f} x ({results.median(ours, wall):.2f} s, aiohttp {results.median(rival, wall):.2f} s)"
    return Figure(text, ratio < 1)


def _cpu(results: Results, _packaging: Packaging) -> Figure:
    texts, met = [], True
    for https in (False, True):
        ours = cells.working("ours", https=https)
        threads = results.ratio(ours, cells.working("urllib3_threads", https=https), cpu)
        aiohttp = results.ratio(ours, cells.working("aiohttp_bounded", https=https), cpu)
        met = met and threads <= 0.60 and aiohttp < 1
        name = "HTTPS" if https else "HTTP"
        texts.append(
            f"{name}: {results.cpu_per_record(ours):.0f} µs, {threads:.2f} x threads, {aiohttp:.2f} x aiohttp"
        )
    return Figure("; ".join(texts), met)


def _against_documented(results: Results, _packaging: Packaging) -> Figure:
    ratios = list(_ratios(results))
    if not ratios:
        raise NotMeasuredError("no peer")
    ratio, what = max(ratios)
    ahead = sum(one < 1 for one, _ in ratios)
    return Figure(f"ahead in {ahead} of {len(ratios)} figures; highest: {ratio:.2f} x, {what}", ratio < 1)


def _ratios(results: Results) -> Iterator[tuple[float, str]]:
    """Yield ours to each peer's, wall and CPU; a peer that fails the batch is no rival."""
    measures: tuple[tuple[str, Measure], ...] = (("wall", wall), ("CPU", cpu))
    for records, circumstance in product(cells.PEER_BATCHES, cells.CIRCUMSTANCES):
        ours = cells.compared("ours", records, circumstance)
        for contender in cells.DOCUMENTED:
            peer = cells.compared(contender, records, circumstance)
            if results.has(peer) and not results.failed(peer):
                for name, measure in measures:
                    what = f"{name} against {cells.LABELS[contender]} at N {records}, {circumstance}"
                    yield results.ratio(ours, peer, measure), what


def _first(results: Results, _packaging: Packaging) -> Figure:
    seconds = results.median(cells.first("ours"), wall)
    others = ", ".join(
        f"{name} {results.median(cells.first(rival), wall):.2f} s"
        for rival, name in zip(cells.RIVALS, ("aiohttp", "threads"), strict=True)
    )
    return Figure(f"{seconds:.2f} s ({others})", seconds <= 0.6)


def _connections(results: Results, _packaging: Packaging) -> Figure:
    warm = [cells.working("ours", https=True), *(cells.compared("ours", number) for number in cells.PEER_BATCHES)]
    runs = [run for cell in warm if results.has(cell) for run in results.of(cell)]
    if not runs:
        raise NotMeasuredError("no invocation after the first")
    opened = max(run.invocations[0].connections for run in runs)
    contexts = max(run.ssl_contexts for run in runs)
    return Figure(f"{opened}; SSLContexts: {contexts}", opened == 0 and contexts == 1)


def _import(results: Results, packaging: Packaging) -> Figure:
    runs = results.of(cells.working("ours", https=True))
    found = sorted({*packaging.unwanted, *(name for run in runs for name in run.unwanted)})
    text = f"{packaging.ratio:.2f} x ({1e3 * packaging.app:.0f} ms to {1e3 * packaging.models:.0f} ms of CPU)"
    met = packaging.ratio <= 1.85 and not found
    return Figure(f"{text}; {', '.join(found) or 'none of them'}", met)


def _memory(results: Results, _packaging: Packaging) -> Figure:
    limits = dict(zip(map(cells.peak, cells.PEAK_BATCHES), (45, 55, 80), strict=True))
    peaks = {cell: results.peak_megabytes(cell) for cell in limits if results.has(cell)}
    if not peaks:
        raise NotMeasuredError("peak memory")
    text = " / ".join(f"{peaks[cell]:.0f}" if cell in peaks else "-" for cell in limits)
    return Figure(f"{text} MB", all(peak <= limits[cell] for cell, peak in peaks.items()))


def _size(_results: Results, packaging: Packaging) -> Figure:
    unzipped, zipped = packaging.unzipped / MIB, packaging.zipped / MIB
    met = unzipped <= 18 and zipped <= 6.5
    return Figure(f"{unzipped:.1f} MiB, {zipped:.1f} MiB", met)


def _telemetry(results: Results, _packaging: Packaging) -> Figure:
    each = 1e6 * results.median(cells.TELEMETRY, lambda one: one.apart) / cells.TELEMETRY.setting.records
    return Figure(f"{each:.1f} µs", each <= 5)


def _failing(results: Results, _packaging: Packaging) -> Figure:
    cell = cells.FAILING
    times = results.to_ideal(cell)
    seconds = results.median(cell, wall)
    settled = all(
        one.accepted + one.queue_entries == cell.setting.records
        for run in results.of(cell)
        for one in run.invocations
    )
    what = "every failure settled with SQS" if settled else "failures without a call to SQS"
    met = settled and times <= 1.3 and seconds < FUNCTION_TIMEOUT
    return Figure(f"{times:.2f} x ({seconds:.2f} s of {FUNCTION_TIMEOUT:.0f} s); {what}", met)


def _table_cpu(results: Results, _packaging: Packaging) -> Figure:
    texts, met = [], True
    for records in cells.TABLE_BATCHES:
        off = cells.BY_BATCH[records]
        on = cells.with_table(off)
        each, times = results.cpu_per_record(on), results.ratio(on, off, cpu)
        met = met and each <= 250 and times <= 4
        texts.append(f"N {records:,}: {each:.0f} µs, {times:.2f} x")
    return Figure("; ".join(texts), met)


def _table_rate(results: Results, _packaging: Packaging) -> Figure:
    batches = {records: cells.BY_BATCH[records] for records in cells.TABLE_BATCHES}
    shares = {records: 1 / results.ratio(cells.with_table(off), off, wall) for records, off in batches.items()}
    text = "; ".join(f"N {records:,}: {share:.2f} x" for records, share in shares.items())
    return Figure(text, min(shares.values()) >= 0.7)


def _table_calls(results: Results, _packaging: Packaging) -> Figure:
    cell = cells.with_table(cells.BY_BATCH[100])
    most = max(one.table_calls for run in results.of(cell) for one in run.invocations)
    written = {one.table_writes for run in results.of(cell) for one in run.invocations}
    return Figure(
        f"{most} at most, of {', '.join(map(str, sorted(written)))} writes", most <= 12 and written == {200}
    )


def _against_idempotency(results: Results, _packaging: Packaging) -> Figure:
    off, rival, on, idempotent = (
        cells.a_hundred(contender, cells.DEFAULT_MEMORY, table=table)
        for contender, table in cells.TABLE_CONTENDERS
    )
    without = results.ratio(off, rival, wall)
    times = 1 / results.ratio(on, idempotent, wall)
    text = f"without the table {without:.2f} x aiohttp's; with it {times:.1f} times as fast"
    return Figure(text, without < 1 and times >= 5)


def _first_with_import(results: Results, _packaging: Packaging) -> Figure:
    ours, rival = cells.first("ours"), cells.first("aiohttp_bounded")
    ratio = results.from_import_ratio(ours, rival)
    text = f"{ratio:.2f} x ({results.from_import(ours):.2f} s, aiohttp {results.from_import(rival):.2f} s)"
    return Figure(text, ratio < 1)


GOALS = (
    Goal(1, "wall, N 1,000, L 50 ms, W 64, full core", "<= 1.10 x ideal", _to_ideal(None, 1.10)),
    Goal(2, "the same at a 512 MB share of a core", "<= 1.20 x ideal", _to_ideal(512, 1.20)),
    Goal(3, "the same at 256 MB", "faster than bounded aiohttp", _at_256_mb),
    Goal(
        4,
        "CPU per record, N 1,000, L 0",
        "<= 0.60 x urllib3 pool + threads, and below bounded aiohttp",
        _cpu,
    ),
    Goal(
        5,
        "against Powertools' processors with a kept session, N 10, 100, 1,000, L 10 ms, W 100, HTTP and HTTPS, "
        "a full core, 512 and 256 MB",
        "ahead in every cell, wall and CPU",
        _against_documented,
    ),
    Goal(6, "first invocation, N 100, L 50 ms, HTTPS, 256 MB share", "<= 0.6 s", _first),
    Goal(
        7,
        "connections opened by the second invocation, N 10, 100, 1,000, HTTPS",
        "0, and one SSLContext per process",
        _connections,
    ),
    Goal(
        8,
        "import of the built artifact, to its pydantic models alone",
        "<= 1.85 x; no boto3, botocore, requests, aws_xray_sdk until a failure needs SQS",
        _import,
    ),
    Goal(9, "peak memory, N 10 / 1,000 / 4,000, HTTPS", "<= 45 / 55 / 80 MB", _memory),
    Goal(10, "artifact unzipped, zipped", "<= 18 MiB, <= 6.5 MiB", _size),
    Goal(11, "logs and metrics of a record that is delivered", "<= 5 µs of CPU", _telemetry),
    Goal(
        12,
        "4,000 records, 10 % failing, L 50 ms, HTTPS, calls to SQS included",
        "<= 1.3 x ideal, inside the deadline",
        _failing,
    ),
    Goal(
        13,
        "CPU per record with the deduplication table, N 100 and 1,000, L 50 ms, W 100, HTTPS, 512 MB",
        "<= 250 µs, and <= 4 x without it",
        _table_cpu,
    ),
    Goal(14, "events a second with it, the same", ">= 0.7 x without it", _table_rate),
    Goal(15, "calls of DynamoDB for 100 new events", "<= 12", _table_calls),
    Goal(
        16,
        "wall, N 100, L 50 ms, W 100, HTTPS, 512 MB, against bounded aiohttp, with the table with Powertools' "
        "idempotency",
        "ahead; with the table 5 times",
        _against_idempotency,
    ),
    Goal(
        17,
        "import and first invocation, as in goal 6",
        "faster than bounded aiohttp",
        _first_with_import,
    ),
)
