"""The dashboard shows what is emitted, in every deployment, and the picture of it what the template says."""

import json
from pathlib import Path
from typing import Any

import pytest

from kochava_forwarder.policy.outcomes import Outcome
from tests.cloudformation import Stack
from tests.dashboard import PERIOD, Line, Widget, dashboard, draw
from tests.emf import Metric, Sample, samples
from tests.template_options import EXISTING, OPTIONS, TOGETHER
from tests.unit.metrics import OF_AWS, emitted

CASES = {"default": {}, **OPTIONS, **TOGETHER}
WATCHED = {name: given for name, given in CASES.items() if given.get("Dashboard") != "false"}
SERVICE = ("service", "AWS::StackName")


def _of_type(stack: Stack, kind: str) -> list[dict[str, Any]]:
    return [widget for widget in dashboard(stack) if widget["type"] == kind]


def _lines(stack: Stack) -> list[Line]:
    return [line for widget in _of_type(stack, "metric") for line in Widget.read(widget).lines]


LINES = _lines(Stack({}))


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.metric.name} {line.label}")
def test_each_line_is_of_a_metric_that_is_emitted(line: Line) -> None:
    assert [metric for metric in emitted() | OF_AWS if line.matches(metric)]


def test_each_metric_of_the_function_is_shown_but_the_age_that_the_delivery_shows_better() -> None:
    missing = {metric.name for metric in emitted() if not any(line.matches(metric) for line in LINES)}

    assert missing == {"QueueAge"}


def test_what_is_delivered_and_each_other_outcome_are_shown_apart() -> None:
    shown = {
        widget["properties"]["title"]: {dict(line.metric.dimensions).get("outcome") for line in lines}
        for widget in _of_type(Stack({}), "metric")
        if (lines := [line for line in Widget.read(widget).lines if line.metric.name == "Outcome"])
    }
    done = {Outcome.DELIVERED, Outcome.DUPLICATE}

    assert shown == {"Delivered": done, "Not delivered, by outcome": set(Outcome) - done}


def test_percentiles_are_the_statistics_that_their_labels_say() -> None:
    percentiles = [line for line in LINES if line.metric.name in {"AgeAtDelivery", "DeliveryLatency"}]

    assert [line.label for line in percentiles] == ["p50", "p99"] * 2
    assert all(line.statistic == line.label for line in percentiles)


@pytest.mark.parametrize("given", WATCHED.values(), ids=WATCHED)
def test_in_each_deployment_the_alarms_and_the_queues_are_its_own(given: dict[str, str]) -> None:
    stack = Stack(given)
    alarms = {f"{name}.Arn" for name, item in stack.resources.items() if item["Type"] == "AWS::CloudWatch::Alarm"}
    (widget,) = _of_type(stack, "alarm")
    queues = {value for line in _lines(stack) for name, value in line.metric.dimensions if name == "QueueName"}
    _, _, events = given.get("ExistingQueueArn", "EventQueue.QueueName").rpartition(":")

    assert sorted(widget["properties"]["alarms"]) == sorted(alarms)
    assert queues == {events, "DeadLetterQueue.QueueName"}
    assert "${" not in json.dumps(dashboard(stack))


def test_the_queue_that_is_there_already_is_named_as_sqs_names_it() -> None:
    assert "app-events" in json.dumps(dashboard(Stack({"ExistingQueueArn": EXISTING})))


def test_an_alarm_that_is_not_there_is_not_shown() -> None:
    (widget,) = _of_type(Stack({"AlarmStuckMinutes": "0"}), "alarm")

    assert "EventsStuckAlarm.Arn" not in widget["properties"]["alarms"]


def test_an_invocation_is_shown_beside_its_limit() -> None:
    (limit,) = (
        widget["properties"]["annotations"]["horizontal"]
        for widget in dashboard(Stack({"FunctionTimeout": 120}))
        if "annotations" in widget["properties"]
    )

    assert limit == [{"label": "FunctionTimeout", "value": 120_000}]


def test_widgets_fill_the_grid_and_none_lies_on_another() -> None:
    places = [
        (x, y)
        for widget in dashboard(Stack({}))
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]

    assert len(places) == len(set(places))
    assert set(places) == {(x, y) for x in range(24) for y in range(max(y for _, y in places) + 1)}


def test_a_dashboard_is_named_after_stack_and_region_and_its_address_is_told() -> None:
    stack = Stack({"AWS::StackName": "forwarder", "AWS::Region": "eu-west-1"})

    assert stack.properties("ForwarderDashboard")["DashboardName"] == "forwarder-eu-west-1"
    assert stack.outputs["DashboardUrl"]["Value"].endswith(
        "?region=eu-west-1#dashboards/dashboard/ForwarderDashboard"
    )


def test_it_can_be_left_out() -> None:
    stack = Stack({"Dashboard": "false"})

    assert "ForwarderDashboard" not in stack.resources
    assert "DashboardUrl" not in stack.outputs


def test_the_picture_shows_the_widgets_that_have_data(tmp_path: Path) -> None:
    log = [
        "START",
        '{"message": "not delivered"}',
        json.dumps(
            {
                "_aws": {
                    "Timestamp": 1_000_000,
                    "CloudWatchMetrics": [
                        {
                            "Namespace": "KochavaForwarder",
                            "Dimensions": [["service", "warning"]],
                            "Metrics": [{"Name": "Warning", "Unit": "Count"}],
                        }
                    ],
                },
                "service": "AWS::StackName",
                "warning": "att_missing",
                "Warning": [3],
            }
        ),
    ]
    warned = Metric("KochavaForwarder", "Warning", (SERVICE, ("warning", "att_missing")))
    delivered = Metric("KochavaForwarder", "Outcome", (("outcome", "delivered"), SERVICE))
    measured = [*samples(log), Sample(delivered, 1000.0 + PERIOD, 1.0)]
    picture = tmp_path / "dashboard.svg"

    draw(dashboard(Stack({})), measured, 1000.0, picture)

    assert measured[0] == Sample(warned, 1000.0, 3)
    drawn = picture.read_text()
    assert all(f">{text}<" in drawn for text in ("Events", "Delivered", "delivered", "att_missing"))
    assert not any(f">{text}<" in drawn for text in ("System", "Dead letters", "duplicate"))


def test_the_picture_in_the_documents_has_the_titles_of_the_template() -> None:
    drawn = (Path(__file__).parents[2] / "docs" / "dashboard.svg").read_text()
    titles = [widget["properties"]["title"] for widget in _of_type(Stack({}), "metric")]

    assert [title for title in titles if f">{title.replace("'", '&#x27;')}<" not in drawn] == [
        "Oldest event in the queue, s",
        "Invocations",
        "Invocations at the same time",
        "Longest invocation, ms",
        "Failures of the forwarder's own",
    ]
