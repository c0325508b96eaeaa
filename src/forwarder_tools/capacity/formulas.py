"""From a rate of events to environments, calls and dollars. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from forwarder_tools.capacity import prices
from forwarder_tools.capacity.figures import Figures
from forwarder_tools.capacity.prices import PRICES

HEADROOM = 2
"""How many times the environments that are busy: bursts, redeliveries, a slower Kochava."""

LEAST_CONCURRENCY = 2
"""That Lambda takes for `MaximumConcurrency`."""

DEDUPLICATION_DAYS = 7
"""For which a delivered event is remembered, by default."""

MILLION = 1_000_000
MONTH_DAYS = 30


@dataclass(frozen=True)
class Setup:
    """How the queue feeds the function; the parameters of the template.

    Args:
        batch: `BatchSize`.
        window: `BatchingWindow`, seconds; 0 on a FIFO queue.
        workers: `MaxWorkers`.
        latency: seconds that Kochava takes to answer.
        table: whether there is a deduplication table.
    """

    batch: int
    window: float
    workers: int
    latency: float
    table: bool = False


def invocation_seconds(figures: Figures, records: float, setup: Setup) -> float:
    """Return how long a batch of so many records takes: waves of answers and what was measured on top of them.

    On top is, for each record, what it was in the smallest batch measured that holds as many. A batch takes no
    less than its CPU at the function's share of a core.
    """
    measured = min((size for size in figures.batches if size >= records), default=max(figures.batches))
    waves = ceil(measured / figures.workers) * figures.latency
    extra = max(0, figures.batches[measured] - waves) / measured
    seconds = ceil(records / setup.workers) * setup.latency + records * extra
    cpu = records * figures.cpu / figures.share
    if setup.table:
        return max(seconds / figures.table_speed, cpu * figures.table_cpu)
    return max(seconds, cpu)


def environments_busy(figures: Figures, rate: float, setup: Setup) -> float:
    """Return how many are busy on average when batches are full: rate x seconds of a batch / its records."""
    return rate * invocation_seconds(figures, setup.batch, setup) / setup.batch


def environments_needed(figures: Figures, rate: float, setup: Setup) -> int:
    """Return what to set as `MaximumConcurrency`."""
    return max(LEAST_CONCURRENCY, ceil(HEADROOM * environments_busy(figures, rate, setup)))


def pollers_needed(figures: Figures, rate: float, environments: int) -> int:
    """Return what to set as `ProvisionedPollersMaximum`: whichever of a poller's three limits is reached first."""
    by_calls = rate / prices.MESSAGES_A_CALL / prices.POLLER_CALLS
    by_bytes = rate * figures.record_bytes / prices.POLLER_BYTES
    by_invocations = environments / prices.POLLER_INVOCATIONS
    return max(prices.LEAST_POLLERS, ceil(max(by_calls, by_bytes, by_invocations)))


def events_an_invocation(figures: Figures, rate: float, setup: Setup, environments: int) -> float:
    """Return how full batches are when events spread over all that Lambda polls with: the fewest there may be."""
    sharing = max(prices.FIRST_INVOCATIONS, environments)
    gathering = max(setup.window, invocation_seconds(figures, setup.batch, setup))
    return min(float(setup.batch), max(1, rate * gathering / sharing))


def dollars(
    figures: Figures, setup: Setup, events: float, *, seconds: float | None = None, fifo: bool = False
) -> Mapping[str, float]:
    """Return the list price of a million events by part, with `events` in each invocation.

    Publishers send one event a call; calls of Lambda's take ten where there are as many.

    Args:
        figures: what was measured; its `memory` is the function's.
        setup: how the queue feeds the function.
        events: of an invocation.
        seconds: that an invocation takes, where it was measured; else it is reckoned.
        fifo: on a FIFO queue.
    """
    invocations = MILLION / events
    seconds = invocation_seconds(figures, events, setup) if seconds is None else seconds
    request = (PRICES.fifo_request if fifo else PRICES.request).dollars
    logged = figures.log_bytes + figures.metric_bytes + figures.values_bytes * min(events, figures.values)
    parts = {
        "publishing": MILLION * request,
        "SQS": 2 * invocations * ceil(events / prices.MESSAGES_A_CALL) * request,
        "Lambda": invocations
        * (PRICES.invocation.dollars + seconds * figures.memory / 1024 * PRICES.gb_second.dollars),
        "logs and metrics": invocations * logged / 1e9 * PRICES.log_gb.dollars,
        "to Kochava": MILLION * figures.request_bytes / 1e9 * PRICES.transfer_gb.dollars,
    }
    if setup.table:
        kept = MILLION * figures.item_bytes / 1e9 * DEDUPLICATION_DAYS / MONTH_DAYS
        writes = MILLION * figures.table_writes * PRICES.write.dollars
        parts["table"] = writes + kept * PRICES.stored_gb.dollars
    return parts


def a_month(rate: float, dollars_a_million: float) -> float:
    """Return the dollars of a month at that rate."""
    return rate * 86_400 * MONTH_DAYS / MILLION * dollars_a_million
