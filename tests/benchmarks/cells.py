"""The cells: what is run in the short form and in the full one."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.lab import Cell, Setting

LABELS = {
    "ours": "this project",
    "aiohttp_bounded": "AsyncBatchProcessor + aiohttp, 64 in flight",
    "aiohttp_gathered": "AsyncBatchProcessor + aiohttp",
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
BATCHES = (10, 100, 1000, 4000)
WORKERS = (16, 32, 64, 100, 256)
DEFAULT_MEMORY = 512
"""MB; the template's default."""

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
        """Say it in a few words."""
        return f"{'HTTPS' if self.https else 'HTTP'}, {f'{self.memory:,} MB' if self.memory else 'a full core'}"


COMMON = Circumstance()
CIRCUMSTANCES = (COMMON, Circumstance(https=False), Circumstance(memory=512), Circumstance(memory=256))


@dataclass(frozen=True)
class Planned:
    """A cell and in how many rounds it is run."""

    cell: Cell
    rounds: int


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


TELEMETRY = Cell("ours_telemetry", Setting(1000))
FAILING = Cell("ours", Setting(4000, SLOW, https=True, invocations=1, faults=(("503", 5), ("400", 5), ("ok", 90))))


def by_memory(memory: int | None) -> Cell:
    """Return a cell of the scaling over memory."""
    return Cell("ours", Setting(1000, SLOW, DEFAULT_WORKERS, https=True, memory=memory))


def by_batch(records: int) -> Cell:
    """Return a cell of the scaling over the batch size."""
    invocations = {10: 30, 100: 10}.get(records, 2)
    setting = Setting(records, SLOW, DEFAULT_WORKERS, https=True, memory=DEFAULT_MEMORY, invocations=invocations)
    return Cell("ours", setting)


def by_workers(workers: int) -> Cell:
    """Return a cell of the scaling over the requests in flight."""
    return Cell("ours", Setting(1000, SLOW, workers, https=True, memory=DEFAULT_MEMORY))


DRAIN = Cell("ours", Setting(1000, SLOW, DEFAULT_WORKERS, https=True, invocations=100, warm_up=False))
"""A backlog of 100,000 events, through one environment."""


def plan(*, full: bool, shares: bool) -> list[Planned]:
    """Return what is run, contenders of one setting side by side.

    Args:
        full: the full form.
        shares: whether this machine can limit a program's share of a core.
    """
    rounds: dict[Cell, int] = {}
    for one in _full() if full else _short():
        if shares or one.cell.setting.memory is None:
            rounds[one.cell] = max(one.rounds, rounds.get(one.cell, 0))
    return [Planned(cell, number) for cell, number in rounds.items()]


def _short() -> Iterator[Planned]:
    for memory in (None, 512, 256):
        for contender in ("ours", "aiohttp_bounded"):
            yield Planned(waiting(contender, memory), 1)
    for https in (False, True):
        for contender in ("ours", *RIVALS, "floor"):
            yield Planned(working(contender, https=https), 1)
    for records in (10, 100):
        for contender in ("ours", *DOCUMENTED):
            yield Planned(compared(contender, records), 1)
    for contender in ("ours", NEAREST):
        yield Planned(compared(contender, 100, Circumstance(memory=256)), 1)
    for contender in ("ours", *RIVALS):
        yield Planned(first(contender), 1)
    yield from (Planned(peak(records), 1) for records in (10, 1000))
    yield Planned(TELEMETRY, 1)
    yield Planned(FAILING, 1)


def _full() -> Iterator[Planned]:
    for memory in reversed(MEMORIES):
        yield Planned(waiting("ours", memory), 3)
        yield Planned(waiting("aiohttp_bounded", memory), 3)
        yield Planned(waiting("urllib3_threads", memory), 1)
    for https in (False, True):
        for contender in ("ours", *RIVALS, "floor"):
            yield Planned(working(contender, https=https), 5)
        for contender in ("aiohttp_gathered", "requests_sequential"):
            yield Planned(working(contender, https=https), 1)
    for records in PEER_BATCHES:
        for contender in ("ours", *DOCUMENTED):
            yield Planned(compared(contender, records), 1 if is_slow(contender, records) else 5)
        for circumstance in CIRCUMSTANCES[1:]:
            for contender in ("ours", NEAREST):
                yield Planned(compared(contender, records, circumstance), 5)
    for contender in ("ours", *RIVALS):
        yield Planned(first(contender), 5)
    yield from (Planned(peak(records), 2) for records in PEAK_BATCHES)
    yield Planned(TELEMETRY, 3)
    yield Planned(FAILING, 2)
    yield from (Planned(by_memory(memory), 1) for memory in MEMORIES)
    yield from (Planned(by_batch(records), 1) for records in BATCHES)
    yield from (Planned(by_workers(workers), 1) for workers in WORKERS)
    yield Planned(DRAIN, 1)


def in_rounds(planned: list[Planned]) -> list[Cell]:
    """Return the cells in the order in which they are run: each once in a round, as long as it has rounds left."""
    rounds = max((one.rounds for one in planned), default=0)
    return [one.cell for number in range(rounds) for one in planned if number < one.rounds]
