"""The tables of `docs/capacity.md`. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from forwarder_tools.capacity import prices
from forwarder_tools.capacity.figures import Figures
from forwarder_tools.capacity.formulas import (
    HEADROOM,
    MILLION,
    MONTH_DAYS,
    Setup,
    a_month,
    dollars,
    environments_busy,
    environments_needed,
    events_an_invocation,
    invocation_seconds,
    pollers_needed,
)
from forwarder_tools.capacity.prices import PRICES
from forwarder_tools.markdown import put, table
from kochava_forwarder.contract.warnings import EventWarning
from kochava_forwarder.policy.outcomes import Outcome

RATES = (1, 10, 100, 1_000, 10_000, 100_000)
LATENCIES = (0.05, 0.2, 1.0)
WINDOWS = (1, 5, 20, 60)
BATCH, LARGE_BATCH, LARGE_FROM = 100, 1_000, 1_000  # records, records, events a second
FIFO_BATCH = 10
ALARM_METRICS = 13  # AWS asks for each that an alarm looks at
METRICS = 4  # that a month without failures has: delivered, DeliveryLatency, QueueAge, AgeAtDelivery
FAILURE_METRICS = 5  # with no dimension but the service


class Quota(NamedTuple):
    """A quota, and the events a second that reach it at each of `LATENCIES`."""

    name: str
    default: str
    reached: Sequence[float]
    remedy: str


def page(text: str, figures: Figures) -> str:
    """Return the document with its tables as the figures want them.

    Raises:
        LookupError: the document has no place for one of them.
    """
    for name, write in TABLES.items():
        text = put(text, f"capacity: {name}", write(figures))
    return text


def setup_for(figures: Figures, rate: float, latency: float | None = None) -> Setup:
    """Return what is recommended for a rate; the latency is the measured one unless another is given."""
    batch = LARGE_BATCH if rate >= LARGE_FROM else BATCH
    return Setup(batch, window=1, workers=figures.workers, latency=latency or figures.latency)


def quotas(figures: Figures) -> Iterator[Quota]:
    """Yield the quotas that a rate can reach."""
    setups = [setup_for(figures, LARGE_FROM, one) for one in LATENCIES]
    fifo = [replace(one, batch=FIFO_BATCH, window=0) for one in setups]
    in_flight = [prices.IN_FLIGHT / (one.window + invocation_seconds(figures, one.batch, one)) for one in setups]

    def concurrency(setups: Sequence[Setup]) -> list[float]:
        return [prices.CONCURRENCY / HEADROOM / environments_busy(figures, 1, one) for one in setups]

    environments = f"{prices.CONCURRENCY:,} environments"
    calls = f"{prices.FIFO_CALLS:,} calls a second and action"
    more = "more concurrency; for one queue, pollers or another stack"
    yield Quota("SQS, in flight", f"{prices.IN_FLIGHT:,} messages", in_flight, "more, or another queue")
    yield Quota("Lambda, concurrency", environments, concurrency(setups), more)
    yield Quota("Lambda, FIFO, ten an invocation", environments, concurrency(fifo), more)
    one_each = [replace(one, batch=1) for one in fifo]
    yield Quota("Lambda, FIFO, one an invocation", environments, concurrency(one_each), more)
    for size, remedy in ((1, "publish in tens; then more"), (prices.MESSAGES_A_CALL, "more, or another queue")):
        yield Quota(f"SQS FIFO, calls of {size}", calls, _same(size * prices.FIFO_CALLS), remedy)
    for what, writes, remedy in (
        ("a table", prices.TABLE_WRITES, "more writes for a table"),
        ("a new table", prices.NEW_TABLE_WRITES, "nothing: double it every 30 minutes, or warm the table"),
    ):
        reached = _same(writes / figures.table_writes)
        yield Quota(f"DynamoDB, {what}", f"{writes:,} writes a second", reached, remedy)


def _same(rate: float) -> list[float]:
    return [rate] * len(LATENCIES)


def _settings(figures: Figures) -> str:
    def row(rate: float) -> Iterator[str]:
        usual = setup_for(figures, rate)
        yield from (
            f"{rate:,}",
            f"{figures.memory} MB",
            f"{usual.workers}",
            f"{usual.batch:,}",
            f"{usual.window:g} s",
        )
        setups = [setup_for(figures, rate, one) for one in LATENCIES]
        for setup in (*setups, replace(usual, table=True)):
            yield f"{environments_needed(figures, rate, setup):,}"
        environments = environments_needed(figures, rate, usual)
        yield f"{pollers_needed(figures, rate, environments):,}"
        yield f"{environments * usual.workers:,}"

    chosen = ("events a second", "MemorySize", "MaxWorkers", "BatchSize", "BatchingWindow")
    concurrency = (f"MaximumConcurrency, {_latency(LATENCIES[0])}", *map(_latency, LATENCIES[1:]))
    header = (*chosen, *concurrency, f"{_latency(figures.latency)}, table", "or pollers", "connections at most")
    return table(header, [list(row(rate)) for rate in RATES])


def _fifo(figures: Figures) -> str:
    full = Setup(FIFO_BATCH, 0, figures.workers, figures.latency)
    both = (full, replace(full, batch=1))
    rows = [(f"{rate:,}", *(f"{environments_needed(figures, rate, one):,}" for one in both)) for rate in RATES]
    costs = (f"{sum(dollars(figures, one, one.batch, fifo=True).values()):.2f}" for one in both)
    header = ("events a second", "MaximumConcurrency, ten an invocation", "one an invocation")
    return table(header, [*rows, ("dollars a million", *costs)])


def _cost(figures: Figures) -> str:
    header: list[str] = []
    rows = []
    for rate in RATES:
        setup = setup_for(figures, rate)
        events = _events(figures, rate, setup)
        parts, with_table = (dollars(figures, replace(setup, table=one), events) for one in (False, True))
        total, total_with = sum(parts.values()), sum(with_table.values())
        months = (f"{a_month(rate, one):,.0f}" for one in (total, total_with))
        sums = (f"**{total:.2f}**", f"{total_with - total:.2f}", f"**{total_with:.2f}**")
        rows.append((f"{rate:,}", f"{events:,.0f}", *(f"{one:.3f}" for one in parts.values()), *sums, *months))
        header = [
            "events a second",
            "an invocation",
            *parts,
            "sum",
            "table",
            "sum with it",
            "a month",
            "with table",
        ]
    return table(header, rows)


def _windows(figures: Figures) -> str:
    def cell(rate: float, window: float) -> str:
        setup = replace(setup_for(figures, rate), window=window)
        return f"{sum(dollars(figures, setup, _events(figures, rate, setup)).values()):.2f}"

    rows = [(f"{rate:,}", *(cell(rate, window) for window in WINDOWS)) for rate in RATES if rate <= LARGE_FROM]
    return table(("dollars a million, at events a second", *(f"{one} s" for one in WINDOWS)), rows)


def _events(figures: Figures, rate: float, setup: Setup) -> float:
    return events_an_invocation(figures, rate, setup, environments_needed(figures, rate, setup))


def _fixed(_: Figures) -> str:
    polls = prices.FIRST_INVOCATIONS * MONTH_DAYS * 86_400 / prices.LONG_POLL_SECONDS
    most = len(Outcome) + len(EventWarning) + METRICS - 1 + FAILURE_METRICS
    rows = [
        (f"{ALARM_METRICS} metrics that alarms look at", ALARM_METRICS * PRICES.alarm.dollars),
        ("the dashboard, beyond three in the account", PRICES.dashboard.dollars),
        (f"{METRICS} metrics, without failures", METRICS * PRICES.metric.dollars),
        (f"{most} metrics, if every outcome and warning occurs", most * PRICES.metric.dollars),
        (f"{polls:,.0f} long polls of an empty queue", polls * PRICES.request.dollars),
    ]
    return table(("a month", "dollars"), [(what, f"{each:.2f}") for what, each in rows])


def _quotas(figures: Figures) -> str:
    ranked = sorted(quotas(figures), key=lambda one: one.reached[0])
    rows = [(one.name, one.default, *map(_rounded, one.reached), one.remedy) for one in ranked]
    columns = (f"reached at events a second, {_latency(LATENCIES[0])}", *map(_latency, LATENCIES[1:]))
    return table(("quota", "default", *columns, "ask AWS for"), rows)


def _figures(figures: Figures) -> str:
    performance = f"[performance.md](performance.md), {figures.measured_on}"
    batches = ", ".join(f"{size:,}: {1e3 * seconds:,.0f} ms" for size, seconds in figures.batches.items())
    condition = f"{figures.memory} MB, W {figures.workers}, {_latency(figures.latency)}, HTTPS"
    effects = (
        f"{figures.table_speed} times the speed, {figures.table_cpu} times the CPU, {figures.table_writes} writes"
    )
    metrics = (
        f"{figures.metric_bytes} bytes and {figures.values_bytes} a record, of {figures.values} records at most"
    )
    measured_here = "what the code writes, by a test"
    rows = [
        (f"a batch of so many records ({condition})", batches, performance),
        ("CPU of a record", f"{1e6 * figures.cpu:.0f} µs", performance),
        ("a batch of 1,000 with the table", effects, performance),
        ("metrics of an invocation", metrics, measured_here),
        (
            "a record; what its request sends",
            f"{figures.record_bytes:,}; {figures.request_bytes:,} bytes",
            measured_here,
        ),
        (
            "Lambda's own log lines; an item of the table",
            f"{figures.log_bytes}; {figures.item_bytes} bytes",
            "reckoned",
        ),
    ]
    return table(("what", "figure", "from"), rows)


def _prices(_: Figures) -> str:
    def amount(dollars: float) -> str:
        return f"{dollars:.2f}" if dollars > 1 / MILLION * 100 else f"{dollars * MILLION:g} a million"

    rows = [(one.unit, amount(one.dollars), one.page) for one in PRICES]
    return f"{prices.REGION}, {prices.AS_OF}:\n\n" + table(("one", "dollars", "AWS's page"), rows)


def _latency(seconds: float) -> str:
    return f"L {1e3 * seconds:,.0f} ms"


def _rounded(rate: float) -> str:
    return f"{float(f'{rate:.2g}'):,.0f}"


TABLES: Mapping[str, Callable[[Figures], str]] = {
    "settings": _settings,
    "cost": _cost,
    "windows": _windows,
    "fixed": _fixed,
    "quotas": _quotas,
    "fifo": _fifo,
    "figures": _figures,
    "prices": _prices,
}
