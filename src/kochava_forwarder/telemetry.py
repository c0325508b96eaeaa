"""What is logged and counted: outcomes and reasons, never a payload.

Successes are counted once per batch; every record that needs attention gets its own log line, and at the level
DEBUG each of the others, too. Metrics are CloudWatch's embedded metric format, written by Powertools; each has the
dimension `service` beside its own.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from kochava_forwarder.contract.identity import Identity
from kochava_forwarder.contract.warnings import EventWarning
from kochava_forwarder.policy.outcomes import Outcome, Verdict

SERVICE = "kochava-forwarder"
NAMESPACE = "KochavaForwarder"
SAMPLES = 100  # values of a batch's latencies or ages: as many as EMF takes, and a batch has by default
QUIET = frozenset({Outcome.DELIVERED, Outcome.DEFERRED})  # outcomes without a line of their own, but for DEBUG


class Result(NamedTuple):
    """One record of a batch, as it is counted.

    Args:
        message_id: SQS's id of the message, where the record has one.
        verdict: its outcome and why.
        acknowledged: whether SQS may delete it.
        wait: seconds until its next try; 0 where it has none.
        receive_count: how often SQS has delivered it, this time included.
        queue_age: seconds from SendMessage, of a redrive its own, to this invocation, where they are known.
        identity: what the event is called, where its body says so.
        latency: seconds that the request to Kochava took, where one was made.
        age_at_delivery: seconds from publishing to Kochava's success, where there was one; redriving keeps it.
        warnings: of an event that was taken all the same.
    """

    message_id: str | None
    verdict: Verdict
    acknowledged: bool = False
    wait: int = 0
    receive_count: int = 1
    queue_age: float | None = None
    identity: Identity = Identity()
    latency: float | None = None
    age_at_delivery: float | None = None
    warnings: tuple[EventWarning, ...] = ()


def _line(result: Result) -> dict[str, Any]:
    """Return what a log line says of one record."""
    return {
        "message_id": result.message_id,
        "event_id": result.identity.event_id,
        "app_id": result.identity.app_id,
        "outcome": result.verdict.outcome,
        "attempt": result.receive_count,
        "detail": result.verdict.detail,
        "retry_in_seconds": result.wait,
    }


def _never_raises[**P](method: Callable[P, None]) -> Callable[P, None]:
    """Keep a failure to log or to count from changing what becomes of a record."""

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - stdout may be gone; no record's result depends on it
            with suppress(Exception):
                sys.stderr.write(f"telemetry failed: {type(error).__name__}\n")

    return guarded


class PowertoolsTelemetry:
    """The forwarder's logger and metrics; no method raises."""

    def __init__(self) -> None:
        self._service = os.environ.get("POWERTOOLS_SERVICE_NAME") or SERVICE
        self._namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
        self._logger = Logger(service=self._service)

    @_never_raises
    def count(self, results: Sequence[Result]) -> None:
        """Log and count the results of a batch."""
        tells_all = self._logger.log_level <= logging.DEBUG
        for result in results:
            if result.verdict.outcome not in QUIET:
                self._logger.warning("not delivered", **_line(result))
            elif tells_all:
                self._logger.debug(result.verdict.outcome, **_line(result))
        for outcome, number in Counter(result.verdict.outcome for result in results).items():
            self._emit(MetricUnit.Count, {"Outcome": [number]}, outcome=outcome)
        for warning, number in Counter(item for result in results for item in result.warnings).items():
            self._emit(MetricUnit.Count, {"Warning": [number]}, warning=warning)
        seconds = {
            "DeliveryLatency": (result.latency for result in results),
            "QueueAge": (result.queue_age for result in results),
            "AgeAtDelivery": (result.age_at_delivery for result in results),
        }
        milliseconds = {
            name: spread([1000 * value for value in values if value is not None])
            for name, values in seconds.items()
        }
        self._emit(MetricUnit.Milliseconds, milliseconds)

    @_never_raises
    def count_internal_error(self, record: Mapping[str, Any], error: BaseException) -> None:
        """Log and count an exception of our own code: its stack trace, not its text, which may quote the payload.

        Args:
            record: the SQS record, for its message id.
            error: what was raised.
        """
        textless = type(type(error).__name__, (Exception,), {})
        self._logger.error(
            "internal error: a record made the forwarder fail; it is retried, please report the stack trace",
            message_id=record.get("messageId"),
            exc_info=(textless, textless(), error.__traceback__),
        )
        self._emit(MetricUnit.Count, {"InternalError": [1]})

    @_never_raises
    def count_not_postponed(self, failures: Sequence[str]) -> None:
        """Log and count records that wait for the queue's own visibility timeout instead of their backoff."""
        if failures:
            self._logger.warning(
                "not postponed: SQS did not take the wait; the queue's visibility timeout applies",
                records=len(failures),
                errors=Counter(failures),
            )
            self._emit(MetricUnit.Count, {"NotPostponed": [len(failures)]})

    @_never_raises
    def count_refusals_not_sent(self, failures: Sequence[str]) -> None:
        """Log and count dead-lettered events of which the refusal queue was not told."""
        if failures:
            self._logger.warning(
                "refusals not sent: the refusal queue did not take them; the dead-letter queue has the events",
                records=len(failures),
                errors=Counter(failures),
            )
            self._emit(MetricUnit.Count, {"RefusalNotSent": [len(failures)]})

    @_never_raises
    def count_table_failure(self, error: str) -> None:
        """Log and count a failure of the deduplication table.

        Args:
            error: the type or AWS code of it.
        """
        self._logger.warning(
            "deduplication failed: if the table throttles, the event waits; else it is sent, perhaps again",
            error=error,
        )
        self._emit(MetricUnit.Count, {"DeduplicationFailure": [1]})

    def _emit(self, unit: MetricUnit, metrics: Mapping[str, Sequence[float]], **dimensions: str) -> None:
        # Handed over whole: added one by one, each value has Powertools format all before it for a debug line.
        metric_set = {
            name: {"Unit": unit.value, "StorageResolution": 60, "Value": [float(value) for value in values]}
            for name, values in metrics.items()
            if values
        }
        if metric_set:
            EphemeralMetrics(
                metric_set, dimension_set=dimensions, namespace=self._namespace, service=self._service
            ).flush_metrics()


def spread(values: Sequence[float]) -> list[float]:
    """Return at most 100 of `values`, evenly spaced by rank, the least and the greatest among them."""
    ranked = sorted(values)
    if len(ranked) <= SAMPLES:
        return ranked
    return [ranked[round(step * (len(ranked) - 1) / (SAMPLES - 1))] for step in range(SAMPLES)]
