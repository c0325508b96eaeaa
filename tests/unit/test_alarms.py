"""Every metric that an alarm looks at is one that is emitted, with just its dimensions."""

import re
from collections.abc import Iterator, Mapping

import pytest

from forwarder_tools.processes import ROOT
from kochava_forwarder.policy import backoff
from tests.cloudformation import PARAMETERS, Json, Stack, accepts, values
from tests.emf import Metric
from tests.template_options import EXISTING
from tests.unit.metrics import OF_AWS, emitted

TOPIC = "arn:aws:sns:us-east-1:123456789012:pager"
ALARM = "AWS::CloudWatch::Alarm"

ALARMS = {name: item["Properties"] for name, item in Stack({}).resources.items() if item["Type"] == ALARM}


def _metrics(alarm: Mapping[str, Json]) -> Iterator[Metric]:
    """Yield what an alarm looks at: one metric, or those that its expression is made of."""
    computed = [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]
    for metric in computed or [alarm]:
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        yield Metric.of(metric["Namespace"], metric["MetricName"], dimensions)


METRICS = {name: list(_metrics(alarm)) for name, alarm in ALARMS.items()}
STUCK = ALARMS["EventsStuckAlarm"]


@pytest.mark.parametrize("name", ALARMS)
def test_each_metric_of_an_alarm_is_emitted(name: str) -> None:
    assert set(METRICS[name]) <= emitted() | OF_AWS


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
        name: {value for metric in metrics for _, value in metric.dimensions}
        for name, metrics in METRICS.items()
        if metrics[0].namespace == "AWS/SQS"
    }

    assert watched == {
        "DeadLettersAlarm": {"DeadLetterQueue.QueueName"},
        "EventsInFlightAlarm": {"EventQueue.QueueName"},
        "EventsStuckAlarm": {"EventQueue.QueueName"},
        "EventsUnreadAlarm": {"EventQueue.QueueName"},
    }


def test_each_alarm_of_the_event_queue_watches_the_one_that_is_there_already() -> None:
    stack = Stack({"ExistingQueueArn": EXISTING})
    name = EXISTING.rpartition(":")[2]

    for alarm in ("EventsInFlightAlarm", "EventsStuckAlarm", "EventsUnreadAlarm"):
        assert {metric.dimensions for metric in _metrics(stack.properties(alarm))} == {(("QueueName", name),)}


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


def _leaving(visible: int | None, hidden: int | None, deleted: int | None) -> int | None:
    """Return what CloudWatch computes for a minute, None where there is no data: just as much of it as is used."""
    (expression,) = (query["Expression"] for query in STUCK["Metrics"] if "Expression" in query)
    ((condition, then, otherwise),) = re.findall(r"^IF\((.+) > 0, (FILL\(\w+, 0\)), (\d+)\)$", expression)
    minute = {"visible": visible, "hidden": hidden, "deleted": deleted}

    def value(term: str) -> int | None:
        if filled := re.fullmatch(r"FILL\((\w+), (\d+)\)", term):
            found = minute[filled[1]]
            return int(filled[2]) if found is None else found
        return minute[term]

    terms = [value(term) for term in condition.split(" + ")]
    if None in terms:
        return None
    return value(then) if sum(term or 0 for term in terms) > 0 else int(otherwise)


@pytest.mark.parametrize(
    ("visible", "hidden", "deleted", "breaches"),
    [
        pytest.param(0, 0, 0, False, id="idle"),
        pytest.param(0, None, None, False, id="idle, of which SQS tells the least"),
        pytest.param(None, None, None, False, id="idle for six hours"),
        pytest.param(7, 3, 12, False, id="delivering"),
        pytest.param(0, 0, 12, False, id="delivered"),
        pytest.param(7, 0, 0, True, id="nobody reads"),
        pytest.param(7, None, None, True, id="nobody reads, of which SQS tells the least"),
        pytest.param(7, 3, 0, True, id="stuck"),
        pytest.param(0, 3, 0, True, id="all in flight and waiting"),
    ],
)
def test_a_minute_is_stuck_if_nothing_leaves_a_queue_that_is_not_empty(
    visible: int | None, hidden: int | None, deleted: int | None, breaches: bool
) -> None:
    leaving = _leaving(visible, hidden, deleted)

    assert STUCK["ComparisonOperator"] == "LessThanThreshold"
    assert STUCK["TreatMissingData"] == "notBreaching"
    assert (leaving is not None and leaving < STUCK["Threshold"]) == breaches


def test_what_the_expression_is_made_of_has_its_name_statistic_and_period() -> None:
    queries = {query["Id"]: query["MetricStat"] for query in STUCK["Metrics"] if "MetricStat" in query}

    assert {name: (query["Metric"]["MetricName"], query["Stat"]) for name, query in queries.items()} == {
        "visible": ("ApproximateNumberOfMessagesVisible", "Maximum"),
        "hidden": ("ApproximateNumberOfMessagesNotVisible", "Maximum"),
        "deleted": ("NumberOfMessagesDeleted", "Sum"),
    }
    assert {query["Period"] for query in queries.values()} == {60}
    assert [query["Id"] for query in STUCK["Metrics"] if query.get("ReturnData", True)] == ["leaving"]


def test_events_are_stuck_after_as_many_minutes_as_the_parameter_says_and_never_with_0() -> None:
    assert STUCK["EvaluationPeriods"] == 15
    assert Stack({"AlarmStuckMinutes": 45}).properties("EventsStuckAlarm")["EvaluationPeriods"] == 45
    assert "DatapointsToAlarm" not in STUCK  # all of them
    assert "EventsStuckAlarm" not in Stack({"AlarmStuckMinutes": 0}).resources
    assert 60 * PARAMETERS["AlarmStuckMinutes"]["MaxValue"] <= 86_400  # CloudWatch's limit
