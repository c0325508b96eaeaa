"""`docs/capacity.md` is what `make capacity` writes."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from forwarder_tools.capacity import __main__ as command
from forwarder_tools.capacity.page import ALARM_METRICS, RATES, TABLES, page, quotas
from tests.cloudformation import Stack

TEXT = command.DOCUMENT.read_text()


@pytest.fixture(autouse=True)
def signals_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "end_on_signals", lambda: None)


def test_the_document_is_what_is_written() -> None:
    assert page(TEXT, command.figures()) == TEXT, "run make capacity"


def test_another_figure_makes_another_document() -> None:
    assert page(TEXT, replace(command.figures(), batches={1000: 2.0})) != TEXT


def test_the_document_has_a_place_for_every_table_and_no_other() -> None:
    assert sorted(re.findall(r"<!-- capacity: (\S+) -->", TEXT)) == sorted(TABLES)


def test_the_command_writes_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "capacity.md"
    path.write_text(TEXT.replace(f"| {RATES[-1]:,} |", "| old |"))
    monkeypatch.setattr(command, "DOCUMENT", path)

    assert command.main() == 0
    assert path.read_text() == TEXT


def test_a_document_without_a_place_is_named_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capacity.md"
    path.write_text("Prose.\n")
    monkeypatch.setattr(command, "DOCUMENT", path)

    assert command.main() == 1
    assert "make capacity: no place for capacity: settings" in capsys.readouterr().err
    assert path.read_text() == "Prose.\n"


def test_a_slower_kochava_reaches_quotas_of_time_sooner_and_quotas_of_calls_not() -> None:
    reached = {quota.name: quota.reached for quota in quotas(command.figures())}

    assert reached["SQS, in flight"][0] > reached["SQS, in flight"][1] > reached["SQS, in flight"][2]
    assert reached["DynamoDB, a table"] == [20_000] * 3
    assert reached["SQS FIFO, calls of 10"] == [700_000] * 3


def test_the_alarms_look_at_as_many_metrics_as_are_paid_for() -> None:
    alarms = Stack({}).of_type("AWS::CloudWatch::Alarm")
    looked_at = (sum("MetricStat" in query for query in alarm.get("Metrics", ())) or 1 for alarm in alarms)
    assert sum(looked_at) == ALARM_METRICS
