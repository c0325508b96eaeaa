"""Logger and metrics, and what may be shown: outcomes and reasons, never a payload.

What went well is said once per batch, by the metrics' own lines; a line of its own goes to each record that a
person may have to look into. Metrics are CloudWatch's embedded metric format, written by Powertools.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.contract.warnings import EventWarning
from kochava_forwarder.policy.outcomes import Outcome, Verdict

SERVICE = "kochava-forwarder"
NAMESPACE = "KochavaForwarder"
SAMPLES = 20  # values that stand for a batch's latencies or ages
QUIET = frozenset({Outcome.DELIVERED, Outcome.DEFERRED})  # outcomes without a line of their own


class Result(NamedTuple):
    """What became of one record.

    Args:
        record: the SQS record.
        verdict: its outcome and why.
        acknowledged: whether SQS may delete it.
        attempt: how often SQS has delivered it, this time included.
        wait: seconds until its next try; 0 where it has none.
        latency: seconds that the request to Kochava took, where one was made.
        queue_age: seconds from the publisher's SendMessage to this invocation, where they are known.
        advice: the warnings about an event that was taken all the same.
    """

    record: SQSRecord
    verdict: Verdict
    acknowledged: bool
    attempt: int = 1
    wait: int = 0
    latency: float | None = None
    queue_age: float | None = None
    advice: tuple[EventWarning, ...] = ()


class Telemetry:
    """The forwarder's logger and metrics."""

    def __init__(self) -> None:
        service = os.environ.get("POWERTOOLS_SERVICE_NAME") or SERVICE
        namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
        self._logger = Logger(service=service)
        self._metrics = EphemeralMetrics(namespace=namespace, service=service)

    def log_bug(self, record: Mapping[str, Any], error: BaseException) -> None:
        """Log an exception of our own code: its stack trace, but not its text, which may quote the payload."""
        textless = type(type(error).__name__, (Exception,), {})
        self._logger.error(
            "bug: a record made the forwarder fail; the record is retried, please report the stack trace",
            message_id=record.get("messageId"),
            exc_info=(textless, textless(), error.__traceback__),
        )

    def count_not_postponed(self, failures: Sequence[str]) -> None:
        """Log and count records that wait for the queue's own visibility timeout instead of their backoff."""
        if failures:
            self._logger.warning(
                "not postponed: SQS did not take the wait; the queue's visibility timeout applies",
                records=len(failures),
                errors=Counter(failures),
            )
            self._emit({"NotPostponed": [len(failures)]}, MetricUnit.Count, {})

    def count_table_failure(self, error: str) -> None:
        """Log and count a failure of the deduplication table; the event is delivered all the same."""
        self._logger.warning("deduplication failed: a repeat of this event may be sent", error=error)
        self._emit({"DeduplicationFailure": [1]}, MetricUnit.Count, {})

    def count(self, results: Sequence[Result]) -> None:
        """Log and count what became of a batch."""
        outcomes = Counter(result.verdict.outcome for result in results)
        advice = Counter(item for result in results for item in result.advice)
        for result in results:
            if result.verdict.outcome not in QUIET:
                self._logger.warning(
                    "not delivered",
                    message_id=result.record.message_id,
                    outcome=result.verdict.outcome,
                    attempt=result.attempt,
                    detail=result.verdict.detail,
                    retry_in_seconds=result.wait,
                )
        for outcome, number in outcomes.items():
            self._emit({"Outcome": [number]}, MetricUnit.Count, {"outcome": outcome})
        for kind, number in advice.items():
            self._emit({"Warning": [number]}, MetricUnit.Count, {"warning": kind})
        latencies = [1000 * result.latency for result in results if result.latency is not None]
        ages = [1000 * result.queue_age for result in results if result.queue_age is not None]
        self._emit({"DeliveryLatency": spread(latencies), "QueueAge": spread(ages)}, MetricUnit.Milliseconds, {})

    def _emit(
        self, metrics: Mapping[str, Sequence[float]], unit: MetricUnit, dimensions: Mapping[str, str]
    ) -> None:
        values = {
            name: {"Unit": unit.value, "StorageResolution": 60, "Value": list(numbers)}
            for name, numbers in metrics.items()
            if numbers
        }
        if values:
            self._metrics.metric_set = values  # at once: add_metric takes 8 us a number
            self._metrics.dimension_set = dict(dimensions)
            self._metrics.flush_metrics()


def spread(values: Sequence[float]) -> list[float]:
    """Return at most 20 of `values`, evenly spaced by rank: percentiles at a batch's cost, not a record's."""
    ranked = sorted(values)
    if len(ranked) <= SAMPLES:
        return ranked
    return [ranked[round(step * (len(ranked) - 1) / (SAMPLES - 1))] for step in range(SAMPLES)]
