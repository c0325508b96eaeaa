"""What was measured, read from the tables of `docs/performance.md`. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from forwarder_tools.markdown import block

FULL_CORE_MB = 1769
"""Memory for which Lambda gives a whole core; less gets its share."""


@dataclass(frozen=True)
class Figures:
    """What the function's arithmetic starts from; times in seconds.

    Args:
        measured_on: when.
        memory: MB, and with it the share of a core, under which batches were measured.
        workers: requests in flight under which they were.
        latency: Kochava's answer under which they were.
        batches: wall time of a batch, by its records.
        cpu: that a record takes, of a whole core.
        table_speed: with the deduplication table, of the speed without.
        table_cpu: CPU of a record with the table, of that without.
        table_writes: that DynamoDB counts an event.
        record_bytes: of a record as Lambda hands it over.
        request_bytes: that leave for Kochava for an event, with head, TLS, TCP and acknowledgements.
        log_bytes: of an invocation without failures, by Lambda (START, END, REPORT) and by CloudWatch's counting.
        metric_bytes: of its two lines of metrics, without values.
        values_bytes: of a record's values of three metrics.
        values: of each metric at most.
        item_bytes: of an event in the deduplication table, as it is billed.
    """

    measured_on: str
    memory: int
    workers: int
    latency: float
    batches: Mapping[int, float]
    cpu: float
    table_speed: float
    table_cpu: float
    table_writes: int = 2
    record_bytes: int = 1_500
    request_bytes: int = 1_000
    log_bytes: int = 500
    metric_bytes: int = 600
    values_bytes: int = 55
    values: int = 100
    item_bytes: int = 300

    @classmethod
    def read(cls, performance: str) -> Self:
        """Read the document.

        Raises:
            LookupError: it does not say what is needed.
        """
        by_batch = block(performance, "bench: by-batch")
        memory, workers, milliseconds = _found(r"\((\d+) MB, W (\d+), .*L (\d+) ms", by_batch)
        rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+) \|", by_batch, re.MULTILINE)
        (cpu,) = _found(r"\| this project \| \d+ \| (\d+) \|", block(performance, "bench: cpu"))
        speed, table_cpu = _found(
            r"\| 1,000 \|[^|]*\|[^|]*\| ([\d.]+) x \|[^|]*\|[^|]*\| ([\d.]+) x \|",
            block(performance, "bench: table"),
        )
        return cls(
            measured_on=_found(r"Measured on ([\d-]+)", block(performance, "bench: conditions"))[0],
            memory=int(memory),
            workers=int(workers),
            latency=int(milliseconds) / 1e3,
            batches={_number(records): _number(records) / _number(rate) for records, rate in rows},
            cpu=int(cpu) / 1e6,
            table_speed=float(speed),
            table_cpu=float(table_cpu),
        )

    @property
    def share(self) -> float:
        """The share of a core."""
        return min(1, self.memory / FULL_CORE_MB)


def _number(text: str) -> int:
    return int(text.replace(",", ""))


def _found(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, " ".join(text.split()))
    if not found:
        raise LookupError(f"nothing like {pattern!r} in {text[:60]!r}...")
    return found.groups()
