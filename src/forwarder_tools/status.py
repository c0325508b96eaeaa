"""The command `kochava-forwarder status`: what is in the queues, and how the last hour went, at one look."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import click
from rich.table import Table
from rich.text import Text

from forwarder_tools.console import open_console
from forwarder_tools.deadletters.aws import CONFIG, errors_in_one_line, queues_of_stack, sqs_client
from forwarder_tools.deadletters.groups import Groups
from forwarder_tools.deadletters.queues import DeadLetterQueue
from forwarder_tools.deadletters.views import say_remarks
from forwarder_tools.deadletters.walk import Walk
from kochava_forwarder.policy.outcomes import Outcome
from kochava_forwarder.telemetry import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef
    from mypy_boto3_sqs import SQSClient

HOUR = 3600
PERCENTILES = ("p50", "p99")


@dataclass(frozen=True)
class QueueStatus:
    """How many messages a queue has: to be received, and received or waiting for their next try."""

    visible: int
    in_flight: int


@dataclass(frozen=True)
class Status:
    """What there is to know of a deployed stack.

    Args:
        queues: the event queue and the dead-letter queue, by what they are called.
        dead_letters: how many there are, by reason.
        outcomes: how many records had each outcome in the last hour.
        age_at_delivery: seconds from publishing to Kochava's success in the last hour, by percentile.
        alarms: the state of each alarm, by its name in the template.
    """

    queues: Mapping[str, QueueStatus]
    dead_letters: Mapping[str, int]
    outcomes: Mapping[str, int]
    age_at_delivery: Mapping[str, float]
    alarms: Mapping[str, str]


@click.command("status")
@click.option("--stack", metavar="NAME", required=True, help="The deployed stack.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status(*, stack: str, as_json: bool) -> int:
    """Show a stack's queues, its dead letters by reason, the outcomes of the last hour, and its alarms.

    SQS can be looked at by receiving only: dead letters are hidden from others for some seconds.
    """
    with errors_in_one_line():
        queues = queues_of_stack(stack)
        sqs = sqs_client()
        cloudwatch = boto3.Session().client("cloudwatch", config=CONFIG)
        walk = Walk(DeadLetterQueue(sqs, queues.dead_letters))
        found = Status(
            queues={
                "event queue": _queue(sqs, queues.events or ""),
                "dead-letter queue": _queue(sqs, queues.dead_letters),
            },
            dead_letters=_reasons(walk),
            outcomes={name: round(sum(values)) for name, values in _outcomes(cloudwatch, stack).items()},
            age_at_delivery=_ages(cloudwatch, stack),
            alarms=_alarms(cloudwatch, stack),
        )
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        _show(found)
    say_remarks(walk)
    return 0


def _queue(sqs: SQSClient, url: str) -> QueueStatus:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return QueueStatus(
        visible=int(attributes["ApproximateNumberOfMessages"]),
        in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
    )


def _reasons(walk: Walk) -> dict[str, int]:
    groups = Groups()
    with walk:
        for letters in walk.letters():
            for letter in letters:
                groups.add(letter)
    return {reason: group.count for reason, group in groups.largest_first()}


def _outcomes(cloudwatch: CloudWatchClient, stack: str) -> dict[str, list[float]]:
    queries = [
        _query(f"outcome{number}", "Outcome", "Sum", 60, service=stack, outcome=outcome)
        for number, outcome in enumerate(Outcome)
    ]
    values = _last_hour(cloudwatch, queries)
    named = {str(outcome): values[f"outcome{number}"] for number, outcome in enumerate(Outcome)}
    return {name: found for name, found in named.items() if found}


def _ages(cloudwatch: CloudWatchClient, stack: str) -> dict[str, float]:
    queries = [_query(percentile, "AgeAtDelivery", percentile, HOUR, service=stack) for percentile in PERCENTILES]
    values = _last_hour(cloudwatch, queries)
    return {name: max(found) / 1000 for name, found in values.items() if found}


def _query(name: str, metric: str, statistic: str, period: int, **dimensions: str) -> MetricDataQueryTypeDef:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Period": period,
            "Stat": statistic,
        },
    }


def _last_hour(cloudwatch: CloudWatchClient, queries: Sequence[MetricDataQueryTypeDef]) -> dict[str, list[float]]:
    now = datetime.now(UTC)
    start = now - timedelta(seconds=HOUR)
    answer = cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=now)
    return {result["Id"]: list(result["Values"]) for result in answer["MetricDataResults"]}


def _alarms(cloudwatch: CloudWatchClient, stack: str) -> dict[str, str]:
    resources = boto3.Session().client("cloudformation", config=CONFIG).describe_stack_resources(StackName=stack)
    names = {
        resource["PhysicalResourceId"]: resource["LogicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    }
    alarms = cloudwatch.describe_alarms(AlarmNames=list(names))["MetricAlarms"]
    return {names[alarm["AlarmName"]]: alarm["StateValue"] for alarm in alarms}


def _show(found: Status) -> None:
    table = Table("what", "now", "", box=None, pad_edge=False, show_header=False)
    for name, queue in found.queues.items():
        table.add_row(name, str(queue.visible), f"and {queue.in_flight} in flight")
    for reason, count in found.dead_letters.items():
        table.add_row(Text(f"  {reason}"), str(count), "")
    table.add_section()
    if not found.outcomes:
        table.add_row("the last hour", "no metrics", "")
    for outcome, count in found.outcomes.items():
        table.add_row(f"{outcome} in the last hour", f"{count:,}", "")
    for percentile, age in found.age_at_delivery.items():
        table.add_row(f"age at delivery, {percentile}", f"{age:.1f} s", "")
    table.add_section()
    on = sorted(name for name, state in found.alarms.items() if state == "ALARM")
    table.add_row("alarms", f"{len(on)} of {len(found.alarms)} on", Text(", ".join(on), "red"))
    table.columns[1].justify = "right"
    open_console().print(table, highlight=False)
