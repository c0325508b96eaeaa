"""What `kochava-forwarder status` shows of a deployed stack."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from forwarder_tools.cli import main
from forwarder_tools.localcloud import SUPPORTED
from tests.cloudformation import Stack
from tests.e2e.conftest import new_device

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

    from tests.e2e.conftest import Forwarder

ALARMS = {name for name, item in Stack(SUPPORTED).resources.items() if item["Type"] == "AWS::CloudWatch::Alarm"}

pytestmark = pytest.mark.usefixtures("aws_settings")


def status(capsys: pytest.CaptureFixture[str], forwarder: Forwarder) -> dict[str, Any]:
    assert main(["status", "--stack", forwarder.name, "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_dead_letters_are_counted_by_reason(forwarder: Forwarder, capsys: pytest.CaptureFixture[str]) -> None:
    before = status(capsys, forwarder)["dead_letters"].get("invalid", 0)
    forwarder.wait_until_gone(*forwarder.publish("not JSON", "[]"))

    found = status(capsys, forwarder)

    assert found["dead_letters"]["invalid"] == before + 2
    assert found["queues"]["dead-letter queue"]["visible"] >= 2
    assert found["queues"]["event queue"] == {"visible": 0, "in_flight": 0}


def test_the_metrics_are_those_of_the_stack_and_of_the_last_hour(
    forwarder: Forwarder, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(metric: str, value: float, at: datetime, **dimensions: str) -> None:
        named: list[DimensionTypeDef] = [{"Name": name, "Value": text} for name, text in dimensions.items()]
        cloudwatch.put_metric_data(
            Namespace="KochavaForwarder",
            MetricData=[{"MetricName": metric, "Dimensions": named, "Timestamp": at, "Value": value}],
        )

    cloudwatch = boto3.client("cloudwatch")
    now = datetime.now(UTC)
    for minutes, number in ((5, 3), (20, 4), (90, 100)):  # the local cloud makes no metrics of log lines
        at = now - timedelta(minutes=minutes)
        put("Outcome", number, at, service=forwarder.name, outcome="delivered")
        put("Outcome", number, at, service="another", outcome="rejected")
    put("AgeAtDelivery", 2500, now - timedelta(minutes=5), service=forwarder.name)

    found = status(capsys, forwarder)

    assert found["outcomes"] == {"delivered": 7}
    assert found["age_at_delivery"] == {"p50": 2.5, "p99": 2.5}


def test_alarms_that_are_on_are_named(forwarder: Forwarder, capsys: pytest.CaptureFixture[str]) -> None:
    alarms = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{forwarder.name}-")["MetricAlarms"]
    [name] = [alarm["AlarmName"] for alarm in alarms if "NotPostponedAlarm" in alarm["AlarmName"]]
    boto3.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="for this test")

    found = status(capsys, forwarder)["alarms"]
    assert found["NotPostponedAlarm"] == "ALARM"
    on = [*found.values()].count("ALARM")  # others may be on, by other tests
    assert main(["status", "--stack", forwarder.name]) == 0
    shown = capsys.readouterr().out
    assert "NotPostponedAlarm" in shown
    assert f"{on} of {len(alarms)} on" in shown


def test_the_alarms_are_those_of_the_stack(forwarder: Forwarder, capsys: pytest.CaptureFixture[str]) -> None:
    boto3.client("cloudwatch").put_metric_alarm(
        AlarmName=f"{forwarder.name}-eu-DeadLettersAlarm-1",  # as of a stack whose name begins like this one's
        Namespace="KochavaForwarder",
        MetricName="Outcome",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
    )
    assert set(status(capsys, forwarder)["alarms"]) == ALARMS


def test_a_stack_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--stack", new_device()]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
