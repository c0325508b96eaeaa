"""The cells: what is run in the short form and in the full one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tests.benchmarks.lab import Cell, Setting

LABELS = {
    "ours": "this project",
    "aiohttp_bounded": "AsyncBatchProcessor + aiohttp, 64 in flight",
    "aiohttp_gathered": "AsyncBatchProcessor + aiohttp",
    "aiohttp_idempotent": "AsyncBatchProcessor + aiohttp + Powertools' idempotency",
    "httpx_gathered": "AsyncBatchProcessor + httpx",
    "urllib3_threads": "BatchProcessor + urllib3 pool, 64 threads",
    "requests_sequential": "BatchProcessor + requests.Session",
    "floor": "validation and serialisation alone",
}
RIVALS = ("aiohttp_bounded", "urllib3_threads")
DOCUMENTED = ("requests_sequential", "aiohttp_gathered", "httpx_gathered")
"""Powertools' own ways, each with one session or client that is kept."""

NEAREST = "aiohttp_gathered"
"""The one of them that the others are far behind: it alone is compared with under every circumstance."""

SLOW_FROM = {"requests_sequential": 100, "httpx_gathered": 1000}
"""Records from which on a contender takes seconds."""

MEMORIES = (128, 256, 512, 1024, None)
PEER_BATCHES = (10, 100, 1000)
PEAK_BATCHES = (10, 1000, 4000)
DEFAULT_MEMORY = 512
"""MB; the template's default."""

DEFAULT_BATCH = 100
"""Records; the template's default."""

DEFAULT_WORKERS = 100
"""Requests in flight; the template's default."""

SLOW = 0.05
"""Seconds that an answer takes where waiting is the point (L)."""


@dataclass(frozen=True)
class Circumstance:
    """What Powertools' own ways are compared under: over TLS or not, and the MB that give a share of a core."""

    https: bool = True
    memory: int | None = None

    def __str__(self) -> str:
        return f"{'HTTPS' if self.https else 'HTTP'}, {f'{self.memory:,} MB' if self.memory else 'a full core'}"


COMMON = Circumstance()
CIRCUMSTANCES = (COMMON, Circumstance(https=False), Circumstance(memory=512), Circumstance(memory=256))


def waiting(contender: str, memory: int | None) -> Cell:
    """Return a cell of goals 1 to 3: 1,000 records, 50 ms, 64 in flight."""
    return Cell(contender, Setting(1000, SLOW, memory=memory, invocations=2))


def working(contender: str, *, https: bool) -> Cell:
    """Return a cell of goal 4: 1,000 records, answered at once."""
    return Cell(contender, Setting(1000, https=https))


def is_slow(contender: str, records: int) -> bool:
    """Tell whether an invocation takes seconds: such a one goes once, without a warm-up, which changes nothing."""
    return records >= SLOW_FROM.get(contender, records + 1)


def compared(contender: str, records: int, circumstance: Circumstance = COMMON) -> Cell:
    """Return a cell of goal 5: 10 ms, 100 in flight, as many as aiohttp's and httpx's clients allow."""
    slow = is_slow(contender, records)
    setting = Setting(
        records,
        latency=0.01,
        workers=100,
        https=circumstance.https,
        memory=circumstance.memory,
        invocations=1 if slow else 10 if records < max(PEER_BATCHES) else 3,
        warm_up=not slow,
    )
    return Cell(contender, setting)


def first(contender: str) -> Cell:
    """Return a cell of goal 6: the first invocation of an environment."""
    return Cell(contender, Setting(100, SLOW, https=True, memory=256, invocations=1, warm_up=False))


def peak(records: int) -> Cell:
    """Return a cell of goal 9."""
    return Cell("ours", Setting(records, SLOW, https=True, invocations=1))


def scaled(
    *,
    records: int = 1000,
    workers: int = DEFAULT_WORKERS,
    memory: int | None = DEFAULT_MEMORY,
    latency: float = SLOW,
) -> Cell:
    """Return a cell of the scaling: the template's defaults but for one of them."""
    invocations = 1 if latency > SLOW else {10: 30, 100: 10}.get(records, 3)
    return Cell("ours", Setting(records, latency, workers, https=True, memory=memory, invocations=invocations))


def with_table(cell: Cell) -> Cell:
    """Return the same cell with the deduplication table."""
    return replace(cell, setting=replace(cell.setting, table=True))


TELEMETRY = Cell("ours_telemetry", Setting(1000))
FAILING = Cell("ours", Setting(4000, SLOW, https=True, invocations=1, faults=(("503", 5), ("400", 5), ("ok", 90))))


def a_hundred(contender: str, memory: int, *, table: bool) -> Cell:
    """Return a cell of goal 16: 100 records, 50 ms, 100 in flight, with or without the table."""
    cell = replace(scaled(records=100, memory=memory), contender=contender)
    return with_table(cell) if table else cell


TABLE_MEMORIES = (512, 256)
TABLE_CONTENDERS = (("ours", False), ("aiohttp_bounded", False), ("ours", True), ("aiohttp_idempotent", True))
"""Who is compared, and whether with the table."""

TABLE_BATCHES = (100, 1000)

BY_MEMORY = {memory: scaled(memory=memory) for memory in MEMORIES}
BY_BATCH = {records: scaled(records=records) for records in (10, 100, 1000, 4000)}
BY_LATENCY = {latency: scaled(latency=latency) for latency in (0.01, SLOW, 0.2, 1.0)}
BY_WORKERS = {workers: scaled(workers=workers) for workers in (16, 32, 64, 100, 256)}


def plan(*, full: bool, shares: bool) -> dict[Cell, int]:
    """Return what is run and in how many rounds, contenders of one setting side by side.

    Args:
        full: the full form.
        shares: whether this machine can limit a program's share of a core.
    """
    rounds: dict[Cell, int] = {}
    for cell, in_short, in_full in _rounds():  # a cell may belong to several goals and plots
        rounds[cell] = max(rounds.get(cell, 0), in_full if full else in_short)
    return {cell: number for cell, number in rounds.items() if number and (shares or not cell.setting.memory)}


def _rounds() -> Iterator[tuple[Cell, int, int]]:
    """Yield each cell with its rounds in the short form and in the full one."""
    for memory in reversed(MEMORIES):
        short = int(memory in {None, 512, 256})
        yield waiting("ours", memory), short, 3
        yield waiting("aiohttp_bounded", memory), short, 3
        yield waiting("urllib3_threads", memory), 0, 1
    for https in (False, True):
        for contender in ("ours", *RIVALS, "floor"):
            yield working(contender, https=https), 1, 5
        for contender in ("aiohttp_gathered", "requests_sequential"):
            yield working(contender, https=https), 0, 1
    yield from _rounds_compared()
    for contender in ("ours", *RIVALS):
        yield first(contender), 1, 5
    for records in PEAK_BATCHES:
        yield peak(records), int(records < max(PEAK_BATCHES)), 2
    yield TELEMETRY, 1, 3
    yield FAILING, 1, 2
    yield from _rounds_with_table()
    yield from ((cell, 0, 1) for cell in BY_WORKERS.values())


def _rounds_with_table() -> Iterator[tuple[Cell, int, int]]:
    for records in TABLE_BATCHES:
        yield BY_BATCH[records], 1, 3
        yield with_table(BY_BATCH[records]), 1, 3
    for memory in TABLE_MEMORIES:
        for contender, table in TABLE_CONTENDERS:
            yield a_hundred(contender, memory, table=table), int(memory == DEFAULT_MEMORY), 5
    for cell in (*BY_MEMORY.values(), *BY_BATCH.values(), *BY_LATENCY.values()):
        yield cell, 0, 1
        yield with_table(cell), 0, 1


def _rounds_compared() -> Iterator[tuple[Cell, int, int]]:
    for records in PEER_BATCHES:
        for contender in ("ours", *DOCUMENTED):
            rounds = 1 if is_slow(contender, records) else 5
            yield compared(contender, records), int(records < max(PEER_BATCHES)), rounds
        for circumstance in CIRCUMSTANCES[1:]:
            short = int(records == 100 and circumstance.memory == 256)
            for contender in ("ours", NEAREST):
                yield compared(contender, records, circumstance), short, 5


def in_rounds(plan: Mapping[Cell, int]) -> list[Cell]:
    """Return the cells in the order in which they are run: each once in a round, as long as it has rounds left."""
    return [cell for number in range(max(plan.values())) for cell, rounds in plan.items() if number < rounds]
