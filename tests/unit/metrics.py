"""The metrics there are, so that what alarms and the dashboard look at can be compared with them."""

import io
import os
from contextlib import redirect_stdout
from functools import cache
from unittest import mock

from kochava_forwarder.contract.warnings import EventWarning
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.telemetry import PowertoolsTelemetry, Result
from tests.cloudformation import Stack
from tests.emf import Metric, samples

EVENT_QUEUE, DEAD_LETTER_QUEUE = ({"QueueName": f"{name}.QueueName"} for name in ("EventQueue", "DeadLetterQueue"))
FUNCTION = {"FunctionName": "ForwarderFunction"}


OF_AWS = {
    *(
        Metric.of("AWS/SQS", name, queue)
        for name in (
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        )
        for queue in (EVENT_QUEUE, DEAD_LETTER_QUEUE)
    ),
    *(
        Metric.of("AWS/Lambda", name, FUNCTION)
        for name in ("ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles")
    ),
}
"""AWS's own metrics of what the template deploys."""


@cache
def emitted() -> frozenset[Metric]:
    """Return what the function emits with the deployed environment, once everything has happened."""
    environment = Stack({}).properties("ForwarderFunction")["Environment"]["Variables"]
    names = ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE")
    lines = io.StringIO()
    with mock.patch.dict(os.environ, {name: environment[name] for name in names}), redirect_stdout(lines):
        telemetry = PowertoolsTelemetry()
        result = Result(
            "m",
            Verdict(Outcome.DELIVERED),
            queue_age=1.0,
            latency=0.1,
            age_at_delivery=1.0,
            warnings=tuple(EventWarning),
        )
        telemetry.count([result._replace(verdict=Verdict(outcome)) for outcome in Outcome])
        telemetry.count_internal_error({"messageId": "m"}, ValueError())
        telemetry.count_not_postponed(["InternalError"])
        telemetry.count_refusals_not_sent(["InternalError"])
        telemetry.count_table_failure("ThrottlingError")
    return frozenset(sample.metric for sample in samples(lines.getvalue().splitlines()))
