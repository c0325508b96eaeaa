"""Every metric that an alarm looks at is one that is emitted, with just its dimensions."""

import json
from collections.abc import Iterator, Mapping

import pytest

from forwarder_tools.processes import ROOT
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.telemetry import PowertoolsTelemetry, Result
from tests.cloudformation import Stack, accepts, values

TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
ALARM = "AWS::CloudWatch::Alarm"

QUEUES = ({"QueueName": "EventQueue.QueueName"}, {"QueueName": "DeadLetterQueue.QueueName"})
FUNCTION = ({"FunctionName": "ForwarderFunction"},)
OF_AWS: Mapping[tuple[str, str], tuple[dict[str, str], ...]] = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): QUEUES,
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): QUEUES,
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): QUEUES,
    ("AWS/Lambda", "Duration"): FUNCTION,
    ("AWS/Lambda", "Errors"): FUNCTION,
    ("AWS/Lambda", "Throttles"): FUNCTION,
}
"""AWS's own metrics by namespace and name, with the dimensions by which CloudWatch finds them."""

ALARMS = {name: item["Properties"] for name, item in Stack({}).resources.items() if item["Type"] == ALARM}


def _emitted(lines: str) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Yield namespace, name and dimensions of each metric in lines of the embedded metric format."""
    for tree in map(json.loads, lines.splitlines()):
        for directive in tree.get("_aws", {}).get("CloudWatchMetrics", ()):
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, tree[name]) for name in names))
                for metric in directive["Metrics"]:
                    yield directive["Namespace"], metric["Name"], dimensions


@pytest.fixture
def emitted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Return what the function emits with the deployed environment, once everything has happened."""
    environment = Stack({}).properties("ForwarderFunction")["Environment"]["Variables"]
    for name in ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"):
        monkeypatch.setenv(name, environment[name])
    telemetry = PowertoolsTelemetry()
    telemetry.count([Result("m", Verdict(outcome), latency=0.1, queue_age=1.0) for outcome in Outcome])
    telemetry.count_internal_error({"messageId": "m"}, ValueError())
    telemetry.count_not_postponed(["InternalError"])
    telemetry.count_table_failure("ThrottlingError")
    return set(_emitted(capsys.readouterr().out))


@pytest.mark.parametrize("name", ALARMS)
def test_each_metric_of_an_alarm_is_emitted(
    name: str, emitted: set[tuple[str, str, tuple[tuple[str, str], ...]]]
) -> None:
    alarm = ALARMS[name]
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}

    if alarm["Namespace"].startswith("AWS/"):
        assert dimensions in OF_AWS[alarm["Namespace"], alarm["MetricName"]]
    else:
        assert (alarm["Namespace"], alarm["MetricName"], tuple(sorted(dimensions.items()))) in emitted


def test_each_alarm_has_its_section_in_the_runbook() -> None:
    _, *sections = (ROOT / "docs" / "runbook.md").read_text().split("\n## ")

    assert {section.partition("\n")[0] for section in sections} == ALARMS.keys()
    for section in sections:
        for part in ("**Means**", "**First look**", "**Repair**", "**Over when**"):
            assert part in section, section


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_says_what_it_means_and_tells_the_topic(name: str) -> None:
    alarm = Stack({"AlarmTopicArn": TOPIC}).properties(name)

    assert f"| [`{name}`](docs/runbook.md#{name.lower()}) |" in (ROOT / "README.md").read_text()
    assert alarm["AlarmDescription"].endswith(f". See docs/runbook.md#{name.lower()}.")
    assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == []


@pytest.mark.parametrize("name", ALARMS)
def test_an_address_is_told_too_and_alone(name: str) -> None:
    alone = Stack({"AlarmEmail": "on-call@example.com"}).properties(name)
    both = Stack({"AlarmEmail": "on-call@example.com", "AlarmTopicArn": TOPIC}).properties(name)

    assert alone["AlarmActions"] == alone["OKActions"] == ["AlarmTopic"]
    assert both["AlarmActions"] == both["OKActions"] == [TOPIC, "AlarmTopic"]


@pytest.mark.parametrize(
    ("address", "accepted"), [("", True), ("on-call@example.com", True), ("on-call", False), ("a@b c@d", False)]
)
def test_an_address_is_one_of_e_mail(address: str, accepted: bool) -> None:
    assert accepts("AlarmEmail", address) == accepted


def test_the_address_has_a_topic_and_without_it_there_is_none() -> None:
    (topic,) = Stack({"AlarmEmail": "on-call@example.com"}).of_type("AWS::SNS::Topic")

    assert topic == {"Subscription": [{"Protocol": "email", "Endpoint": "on-call@example.com"}]}
    assert list(Stack({"AlarmTopicArn": TOPIC}).of_type("AWS::SNS::Topic")) == []


def test_each_queue_has_its_alarms() -> None:
    watched = {
        name: alarm["Dimensions"][0]["Value"] for name, alarm in ALARMS.items() if alarm["Namespace"] == "AWS/SQS"
    }

    assert watched == {
        "DeadLettersAlarm": "DeadLetterQueue.QueueName",
        "EventsInFlightAlarm": "EventQueue.QueueName",
        "EventsUnreadAlarm": "EventQueue.QueueName",
    }


def test_one_of_what_must_not_be_is_enough() -> None:
    counted = {name for name, alarm in ALARMS.items() if alarm["Threshold"] == 0}

    assert counted == {
        "DeadLettersAlarm",
        "FunctionErrorsAlarm",
        "FunctionThrottledAlarm",
        "InternalErrorAlarm",
        "MisconfiguredAlarm",
        "NotPostponedAlarm",
    }


def test_events_in_flight_are_told_of_before_sqs_stops() -> None:
    assert 60_000 < ALARMS["EventsInFlightAlarm"]["Threshold"] < 120_000


@pytest.mark.parametrize("name", ["InternalErrorAlarm", "MisconfiguredAlarm"])
def test_an_alarm_stays_on_until_its_record_is_tried_again(name: str) -> None:
    alarm = ALARMS[name]

    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] == backoff.STEPS[-1]


def test_the_age_of_events_is_in_the_unit_of_each_metric() -> None:
    stack = Stack({"AlarmAgeSeconds": 7200})

    assert int(stack.properties("EventsUnreadAlarm")["Threshold"]) == 7200
    assert int(stack.properties("EventsOldAlarm")["Threshold"]) == 7_200_000


@pytest.mark.parametrize("timeout", values("FunctionTimeout"))
def test_an_invocation_is_slow_just_before_the_timeout(timeout: int) -> None:
    slow = Stack({"FunctionTimeout": timeout}).properties("FunctionSlowAlarm")["Threshold"]

    assert slow == 970 * int(timeout)
