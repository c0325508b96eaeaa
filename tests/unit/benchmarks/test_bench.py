"""The benchmark's arithmetic and its programs; what they measure is in docs/performance.md."""

import http.client
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from forwarder_tools.capacity.__main__ import figures
from forwarder_tools.processes import ROOT, ToolError, base_environment
from kochava_forwarder.contract.event import parse_event
from tests.benchmarks import cells, document, growth, tables
from tests.benchmarks.contenders import models
from tests.benchmarks.figures import Results, wall
from tests.benchmarks.goals import GOALS, Figure
from tests.benchmarks.lab import Cell, Invocation, Run, Setting
from tests.benchmarks.packaging import Packaging
from tests.benchmarks.programs import program
from tests.benchmarks.share import limited, quota_us
from tests.benchmarks.worker import invoke
from tests.benchmarks.workload import body, sqs_event
from tests.outage.template import Deployment

NOW = 1_760_000_000
PACKAGING = Packaging(models=0.1, app=0.15, ratio=1.5, unwanted=(), unzipped=16 * 2**20, zipped=5 * 2**20)
ENVIRONMENT = base_environment(PYTHONPATH=f"{ROOT / 'src'}:{ROOT}")
CORE = min(os.sched_getaffinity(0)) if sys.platform == "linux" else 0
OURS = Cell("ours", Setting(1000, 0.05))
PEER = Cell("peer", Setting(1000, 0.05))


def run(*seconds: float) -> Run:
    return of(*(Invocation(wall=one, cpu=0.1, apart=0.001) for one in seconds))


def of(*invocations: Invocation) -> Run:
    return Run(invocations, imported=0.2, peak_bytes=40 * 2**20, ssl_contexts=1, unwanted=())


def figure(number: int, results: Results, packaging: Packaging = PACKAGING) -> Figure:
    return GOALS[number - 1].judged(results, packaging)


def everything() -> Results:
    return Results({cell: [run(1)] for cell in cells.plan(full=True, shares=True)})


# --- figures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "workers", "seconds"), [(1000, 64, 0.8), (64, 64, 0.05), (65, 64, 0.1), (10, 64, 0.05)]
)
def test_the_ideal_is_whole_waves_of_answers(records: int, workers: int, seconds: float) -> None:
    assert Setting(records, 0.05, workers).ideal == pytest.approx(seconds)


def test_a_figure_is_the_median_of_rounds_of_the_median_of_invocations() -> None:
    results = Results({OURS: [run(1, 2, 9), run(3, 3, 3), run(100, 100, 0)]})

    assert results.median(OURS, wall) == 3
    assert results.to_ideal(OURS) == pytest.approx(3 / 0.8)


def test_a_ratio_is_taken_within_a_round() -> None:
    results = Results({OURS: [run(1), run(10), run(2)], PEER: [run(2), run(20), run(40)]})

    assert results.ratio(OURS, PEER, wall) == 0.5


def test_cpu_is_told_for_each_record_and_the_rate_counts_every_invocation() -> None:
    results = Results({OURS: [run(1, 3)]})

    assert results.cpu_per_record(OURS) == pytest.approx(100)
    assert results.rate(OURS) == 500


# --- goals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [goal.number for goal in GOALS if goal.number != 10])
def test_a_goal_that_was_not_measured_says_so(number: int) -> None:
    assert figure(number, Results({})) == Figure("not measured", None)


@pytest.mark.parametrize(("seconds", "met"), [(0.88, True), (0.89, False)])
def test_goal_1_is_met_up_to_its_limit(seconds: float, met: bool) -> None:
    assert figure(1, Results({cells.waiting("ours", None): [run(seconds)]})).met is met


@pytest.mark.parametrize(
    ("peer", "text", "met"),
    [
        (Invocation(10, 2), "ahead in 2 of 2 figures; highest: 0.50 x, CPU", True),
        (Invocation(0.8, 2), "ahead in 1 of 2 figures; highest: 1.25 x, wall", False),
    ],
)
def test_goal_5_names_the_highest_ratio_and_leaves_out_one_that_fails(
    peer: Invocation, text: str, met: bool
) -> None:
    results = Results(
        {
            cells.compared("ours", 10): [of(Invocation(1, 1))],
            cells.compared("requests_sequential", 10): [of(peer)],
            cells.compared("httpx_gathered", 10): [of(Invocation(0.1, 0.1, failed=10))],
        }
    )

    against = "against BatchProcessor + requests.Session at N 10, HTTPS, a full core"
    assert figure(5, results) == Figure(f"{text} {against}", met)


def test_goal_8_is_missed_by_an_import_that_only_a_failure_needs() -> None:
    packaging = Packaging(models=0.1, app=0.15, ratio=1.5, unwanted=("boto3",), unzipped=0, zipped=0)

    results = Results({cells.working("ours", https=True): [run(1)]})

    assert figure(8, results, packaging) == Figure("1.50 x (150 ms to 100 ms of CPU); boto3", met=False)


@pytest.mark.parametrize(("entries", "met"), [(400, True), (0, False)])
def test_goal_12_is_missed_when_a_failure_was_not_settled(entries: int, met: bool) -> None:
    invocation = Invocation(3.5, 0.1, accepted=3600, queue_entries=entries)

    assert figure(12, Results({cells.FAILING: [of(invocation)]})).met is met


def with_and_without(with_table: Invocation, without: Invocation) -> Results:
    """What came of a batch of 100 and one of 1,000."""
    batches = [cells.BY_BATCH[records] for records in cells.TABLE_BATCHES]
    return Results(
        {cell: [of(without)] for cell in batches} | {cells.with_table(cell): [of(with_table)] for cell in batches}
    )


@pytest.mark.parametrize(
    ("cpu", "without", "met"), [(0.025, 0.01, True), (0.026, 0.01, False), (0.025, 0.006, False)]
)
def test_goal_13_is_met_by_the_cpu_of_a_record_and_by_its_ratio(cpu: float, without: float, met: bool) -> None:
    assert figure(13, with_and_without(Invocation(1, cpu), Invocation(1, without))).met is met


@pytest.mark.parametrize(("seconds", "met"), [(1.4, True), (1.5, False)])
def test_goal_14_is_met_up_to_its_limit(seconds: float, met: bool) -> None:
    assert figure(14, with_and_without(Invocation(seconds, 0.01), Invocation(1, 0.01))).met is met


@pytest.mark.parametrize(("calls", "writes", "met"), [(12, 200, True), (13, 200, False), (8, 100, False)])
def test_goal_15_counts_calls_and_is_missed_by_an_event_that_was_not_written_twice(
    calls: int, writes: int, met: bool
) -> None:
    invocation = Invocation(1, 1, table_calls=calls, table_writes=writes)

    assert figure(15, with_and_without(invocation, invocation)).met is met


@pytest.mark.parametrize(
    ("seconds", "met"), [((0.9, 1, 1, 5), True), ((1, 1, 1, 5), False), ((0.9, 1, 1, 4.9), False)]
)
def test_goal_16_compares_with_the_table_and_without(seconds: tuple[float, ...], met: bool) -> None:
    contenders = [cells.a_hundred(one, 512, table=table) for one, table in cells.TABLE_CONTENDERS]

    assert (
        figure(16, Results({cell: [run(one)] for cell, one in zip(contenders, seconds, strict=True)})).met is met
    )


def test_goal_17_counts_the_import_in() -> None:
    ours, rival = cells.first("ours"), cells.first("aiohttp_bounded")
    results = Results({ours: [replace(run(0.7), imported=0.1)], rival: [replace(run(0.6), imported=0.3)]})

    assert figure(17, results) == Figure("0.89 x (0.80 s, aiohttp 0.90 s)", met=True)


# --- cells --------------------------------------------------------------------------------------------------


def test_what_is_called_the_default_is_the_template_s() -> None:
    deployment = Deployment.from_template()

    assert deployment.settings.max_workers == cells.DEFAULT_WORKERS
    assert deployment.batch_size == cells.DEFAULT_BATCH
    assert deployment.memory * 1024 == cells.DEFAULT_MEMORY


def test_rounds_are_interleaved() -> None:
    assert cells.in_rounds({OURS: 3, PEER: 2}) == [OURS, PEER, OURS, PEER, OURS]


def test_the_full_form_measures_every_goal_and_the_short_form_is_a_part_of_it() -> None:
    assert [goal.number for goal in GOALS if goal.judged(everything(), PACKAGING).met is None] == []
    assert cells.plan(full=False, shares=True).keys() < cells.plan(full=True, shares=True).keys()


def test_shares_are_left_out_where_the_machine_has_none() -> None:
    planned = cells.plan(full=True, shares=False)

    assert planned
    assert all(cell.setting.memory is None for cell in planned)


@pytest.mark.parametrize(("memory", "quota"), [(1769, 20_000), (512, 5_789), (256, 2_894), (64, 1_000)])
def test_a_share_is_a_part_of_each_20_ms(memory: int, quota: int) -> None:
    assert quota_us(memory) == quota


def test_a_share_leaves_no_cgroup_behind() -> None:
    with limited(512) as procs:
        folder = procs.parent if procs else None

    assert folder is None or not folder.exists()


# --- tables -------------------------------------------------------------------------------------------------


def test_tables_without_a_figure_are_left_out() -> None:
    results = Results({cells.working("ours", https=True): [run(1)]})
    found = {table.name: table for table in tables.all_tables(results, PACKAGING)}

    assert set(found) == {"goals", "cpu"}
    assert found["cpu"].rows == (("this project", "-", "100"),)
    assert len(found["goals"].rows) == len(GOALS)


def test_a_peer_that_fails_is_shown_as_failed() -> None:
    results = Results({cells.compared("httpx_gathered", 1000): [of(Invocation(16.5, 1, failed=1000))]})
    found = {table.name: table for table in tables.all_tables(results, PACKAGING)}

    assert found["compared"].rows == (("AsyncBatchProcessor + httpx", "-", "-", "fails after 16.5 s"),)


def test_tables_are_put_between_their_markers(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(
        "Prose.\n<!-- bench: t -->\nold\n<!-- end -->\nMore.\n<!-- bench: conditions --><!-- end -->\n"
    )

    document.write(path, [tables.Table("t", "New", ("a", "b"), (("1", "2"),))], "Today.")

    assert path.read_text() == (
        "Prose.\n<!-- bench: t -->\n\nNew:\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n<!-- end -->\nMore.\n"
        "<!-- bench: conditions -->\n\nToday.\n\n<!-- end -->\n"
    )


def test_a_table_without_a_place_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text("Prose.\n")

    with pytest.raises(ToolError, match="bench: t"):
        document.write(path, [tables.Table("t", "New", ("a",), (("1",),))], "Today.")


def test_the_document_has_a_place_for_every_table_and_no_other() -> None:
    names = {table.name for table in tables.all_tables(everything(), PACKAGING)}

    places = re.findall(r"<!-- bench: (\S+) -->", document.DOCUMENT.read_text())
    assert set(places) == {*names, "conditions"}


# --- the picture --------------------------------------------------------------------------------------------


def test_a_million_events_cost_what_the_measured_seconds_and_the_table_cost() -> None:
    off = cells.BY_BATCH[100]
    results = Results({off: [run(0.1)], cells.with_table(off): [run(0.2)]})
    without, with_table = (growth.price(results, figures(), cell) for cell in (off, cells.with_table(off)))

    lambda_seconds = 10_000 * 0.1 * 0.5 * 13.3334e-6  # of an invocation of 100 at 512 MB
    logs = 10_000 * 6600 / 1e9 * 0.50
    assert without == pytest.approx(10_000 * 0.2e-6 + lambda_seconds + 0.08 + logs, abs=0.001)
    assert with_table - without == pytest.approx(1.25 + lambda_seconds, abs=0.03)


def test_the_picture_of_growth_is_drawn(tmp_path: Path) -> None:
    growth.draw(everything(), figures(), tmp_path / "cost.svg")

    assert (tmp_path / "cost.svg").read_text().startswith("<?xml")


# --- programs -----------------------------------------------------------------------------------------------


def test_the_workload_is_valid_to_us_and_to_the_peers() -> None:
    text = body(7, NOW)

    event = parse_event(text, sent_at=NOW, default_app_id=None)

    assert json.loads(models.payload(text))["kochava_device_id"] == event.kochava_device_id
    assert 690 < len(text) < 720


def test_every_record_is_of_a_device_of_its_own() -> None:
    records = sqs_event(100, NOW)["Records"]

    assert len({json.loads(record["body"])["kochava_device_id"] for record in records}) == 100
    assert len({record["messageId"] for record in records}) == 100


def post(url: str, payload: bytes) -> dict[str, object]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("POST", urlsplit(url).path or "/", payload)
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def test_the_stand_in_counts_what_it_gets() -> None:
    wish = json.dumps({"latency": 0.0, "mix": {}, "certificate": None})
    with program(sys.executable, "stand_in", wish, ENVIRONMENT, CORE) as stand_in:
        urls = stand_in.ask("urls")
        post(urls["kochava"], b"{}")
        answer = post(urls["sqs"], json.dumps({"Entries": [{"Id": "0"}, {"Id": "1"}]}).encode())
        written = post(urls["dynamodb"], json.dumps({"Statements": [{"Statement": "INSERT"}] * 3}).encode())
        put = post(urls["dynamodb"], json.dumps({"TableName": "t", "Item": {}}).encode())
        counts = stand_in.ask("counts")

    assert answer["Failed"] == []
    assert (written, put) == ({"Responses": [{}, {}, {}]}, {})
    assert counts == {
        "requests": 1,
        "accepted": 1,
        "connections": 1,
        "queue_entries": 2,
        "table_calls": 2,
        "table_writes": 4,
    }


def test_the_worker_calls_the_contender() -> None:
    with program(sys.executable, "worker", "floor", ENVIRONMENT, CORE) as worker:
        told = worker.ask("invoke 10")
        state = worker.ask("state")

    assert (told["failed"], told["error"]) == (0, "")
    assert told["cpu"] > 0
    assert state["peak_bytes"] > 10 * 2**20


def test_a_contender_that_gives_up_has_failed_every_record() -> None:
    def give_up(*_: object) -> None:
        raise LookupError

    told = invoke(SimpleNamespace(handler=give_up), "3")

    assert (told["failed"], told["error"]) == (3, "LookupError")


def test_a_program_that_ends_shows_its_last_words() -> None:
    with (
        program(sys.executable, "worker", "no_such_contender", ENVIRONMENT, CORE) as worker,
        pytest.raises(ToolError, match="no_such_contender"),
    ):
        worker.ask("state")
