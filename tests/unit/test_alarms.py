"""Every metric that an alarm looks at is one that is emitted, with just its dimensions."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from forwarder_tools.processes import ROOT
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.deadline import Deadline
from kochava_forwarder.policy.outcomes import Outcome
from tests.cloudformation import DEFAULTS, PARAMETERS, Json, Stack, accepts, values
from tests.emf import Metric
from tests.template_options import EXISTING
from tests.unit.metric_math import Series, alarmed, computed
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
    assert alarm["AlarmDescription"].endswith(f". See docs/runbook.md#{name.lower()}")
    assert alarm["AlarmActions"] == alarm["OKActions"] == [TOPIC]
    assert ALARMS[name]["AlarmActions"] == ALARMS[name]["OKActions"] == []


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_links_to_its_section_of_the_runbook(name: str) -> None:
    runbook = "https://wiki.example.com/kochava-runbook"
    alarm = Stack({"RunbookUrl": runbook}).properties(name)

    assert alarm["AlarmDescription"].endswith(f". See {runbook}#{name.lower()}")
    assert accepts("RunbookUrl", runbook)
    assert not accepts("RunbookUrl", "the wiki")


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
        name: {value for metric in metrics if metric.namespace == "AWS/SQS" for _, value in metric.dimensions}
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
        watched = [metric for metric in _metrics(stack.properties(alarm)) if metric.namespace == "AWS/SQS"]
        assert {metric.dimensions for metric in watched} == {(("QueueName", name),)}


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


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("EventsOldAlarm", backoff.STEPS[-1]),
        ("InternalErrorAlarm", backoff.STEPS[-1]),
        ("MisconfiguredAlarm", backoff.STEPS[-1]),
        ("FunctionErrorsAlarm", Stack({}).properties("EventQueue")["VisibilityTimeout"] + 180),
        ("DeadLettersAlarm", 300),
    ],
)
def test_an_alarm_stays_on_until_what_it_tells_of_is_seen_again(name: str, seconds: int) -> None:
    alarm = ALARMS[name]

    assert alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] * alarm["EvaluationPeriods"] == seconds


def test_the_age_of_events_is_in_the_unit_of_each_metric() -> None:
    stack = Stack({"AlarmAgeSeconds": 7200})

    assert int(stack.properties("EventsUnreadAlarm")["Threshold"]) == 7200
    assert int(stack.properties("EventsOldAlarm")["Threshold"]) == 7_200_000


@pytest.mark.parametrize("parameter", ["AlarmAgeSeconds", "RetryHorizonSeconds"])
def test_the_alarm_on_the_age_comes_before_the_dead_letter(parameter: str) -> None:
    (other,) = {"AlarmAgeSeconds", "RetryHorizonSeconds"} - {parameter}

    assert DEFAULTS["AlarmAgeSeconds"] < DEFAULTS["RetryHorizonSeconds"]
    assert f"{other}, " in PARAMETERS[parameter]["Description"]


@pytest.mark.parametrize("records", [10, 100, 1_000, 10_000])
@pytest.mark.parametrize("timeout", values("FunctionTimeout"))
def test_an_invocation_that_sends_to_the_end_of_its_time_is_slow(timeout: int, records: int) -> None:
    deadline = Deadline.split(
        now=0, remaining=timeout, request_timeout=DEFAULTS["RequestTimeoutSeconds"], records=records
    )
    slow = Stack({"FunctionTimeout": timeout}).properties("FunctionSlowAlarm")["Threshold"]

    assert timeout / 2 < slow / 1000 < deadline.last_request_at + deadline.request_timeout


HOUR = range(60)
"""The minutes that are looked at; of the newest one SQS has not told yet, when an alarm looks."""


def _is_stuck(visible: Mapping[int, float], hidden: Mapping[int, float], delivered: Mapping[int, float]) -> bool:
    """Return whether the alarm is on after an hour of these values, by minute."""
    (expression,) = (query["Expression"] for query in STUCK["Metrics"] if "Expression" in query)
    metrics = {"visible": Series(visible), "hidden": Series(hidden), "delivered": Series(delivered)}
    return alarmed(
        computed(expression, metrics), below=STUCK["Threshold"], periods=int(STUCK["EvaluationPeriods"])
    )


def _each(value: float, minutes: Iterable[int] = HOUR[:-1]) -> dict[int, float]:
    return dict.fromkeys(minutes, value)


@pytest.mark.parametrize(
    ("visible", "hidden", "delivered", "on"),
    [
        pytest.param({}, {}, {}, False, id="idle for six hours: SQS tells nothing"),
        pytest.param(_each(0), {}, {}, False, id="idle, of which SQS tells the least"),
        pytest.param(_each(0), _each(0), {}, False, id="idle"),
        pytest.param(_each(7), _each(3), _each(12), False, id="delivering"),
        pytest.param(_each(7), _each(3), {20: 1}, False, id="one event was delivered"),
        pytest.param(_each(7), _each(3), {59: 1}, True, id="delivered in a minute of which SQS has not told"),
        pytest.param(_each(7), {}, {}, True, id="the function is dead or throttled, and SQS tells the least"),
        pytest.param(_each(7), _each(0), {}, True, id="the function is dead or throttled"),
        pytest.param(_each(7), _each(0, HOUR), {}, True, id="it tells first what is in flight"),
        pytest.param(_each(0), _each(7), {}, True, id="a wrong key: all of them wait"),
        pytest.param(_each(7), _each(3), {}, True, id="everything is refused and dead-lettered"),
        pytest.param(_each(7), _each(3), _each(12, range(10)), True, id="Kochava went down at minute ten"),
        pytest.param(_each(7), _each(3), _each(12, range(20)), False, id="it went down less than 45 minutes ago"),
        pytest.param(
            _each(0),
            {**_each(0), **_each(1, range(10, 50))},
            {50: 1},
            False,
            id="a single event was delivered at its fifth try",
        ),
    ],
)
def test_events_are_stuck_if_none_is_delivered_of_a_queue_that_is_not_empty(
    visible: dict[int, float], hidden: dict[int, float], delivered: dict[int, float], on: bool
) -> None:
    assert STUCK["ComparisonOperator"] == "LessThanThreshold"
    assert STUCK["TreatMissingData"] == "notBreaching"
    assert _is_stuck(visible, hidden, delivered) == on


def test_what_the_expression_is_made_of_has_its_name_statistic_and_period() -> None:
    queries = {query["Id"]: query["MetricStat"] for query in STUCK["Metrics"] if "MetricStat" in query}

    assert {name: (query["Metric"]["MetricName"], query["Stat"]) for name, query in queries.items()} == {
        "visible": ("ApproximateNumberOfMessagesVisible", "Maximum"),
        "hidden": ("ApproximateNumberOfMessagesNotVisible", "Maximum"),
        "delivered": ("Outcome", "Sum"),
    }
    assert {"Name": "outcome", "Value": Outcome.DELIVERED} in queries["delivered"]["Metric"]["Dimensions"]
    assert {query["Period"] for query in queries.values()} == {60}
    assert [query["Id"] for query in STUCK["Metrics"] if query.get("ReturnData", True)] == ["delivering"]


def test_a_single_event_that_waits_for_its_fifth_try_is_not_stuck() -> None:
    assert STUCK["EvaluationPeriods"] * 60 > sum(backoff.STEPS)


def test_events_are_stuck_after_as_many_minutes_as_the_parameter_says_and_never_with_0() -> None:
    assert STUCK["EvaluationPeriods"] == 45
    assert Stack({"AlarmStuckMinutes": 90}).properties("EventsStuckAlarm")["EvaluationPeriods"] == 90
    assert "DatapointsToAlarm" not in STUCK  # all of them
    assert "EventsStuckAlarm" not in Stack({"AlarmStuckMinutes": 0}).resources
    assert 60 * PARAMETERS["AlarmStuckMinutes"]["MaxValue"] <= 86_400  # CloudWatch's limit
