"""The simulated outage: the laws hold, and the simulation would notice if they did not."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.forwarding import batch, delivery
from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.http.response import Response
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.breaker import Breaker, Permit
from tests.outage import __main__ as command
from tests.outage import events
from tests.outage.findings import Findings, findings
from tests.outage.kochava import FAILURES, HANGING, REFUSING, WRONG_KEY, Outage
from tests.outage.naive import naive_requests
from tests.outage.report import row
from tests.outage.simulation import EPOCH, HOUR, Scenario, simulate
from tests.outage.template import Deployment

ROOT = Path(__file__).parents[3]


def scenario(
    failure: str = REFUSING,
    *,
    published: int = 300,
    outage_hours: float = 3,
    capacity_after: int | None = None,
    **parameters: str | int,
) -> Scenario:
    """As many hours before the outage as it lasts, and as many after it."""
    start = EPOCH + outage_hours * HOUR
    return Scenario(
        events=published,
        hours=3 * outage_hours,
        outage=Outage(failure, start, start + outage_hours * HOUR, capacity_after),
        deployment=Deployment.from_template(parameters),
        seed=3,
        groups=100,
    )


def dense(*, hours: float = 0.1) -> Scenario:
    """So much traffic that each batch is a full one."""
    return scenario(published=round(60_000 * hours), outage_hours=hours, BatchingWindow=20)


def run(of: Scenario) -> Findings:
    with events.read_once():
        return findings(simulate(of))


@pytest.fixture(scope="module")
def a_day() -> Findings:
    """24 hours without Kochava, with the contract and the wire format as they are."""
    return findings(simulate(scenario(outage_hours=24)))


def test_after_a_day_without_kochava_every_event_is_delivered_once(a_day: Findings) -> None:
    assert (a_day.delivered, a_day.dead_lettered, a_day.lost, a_day.duplicates) == (300, 0, 0, 0)
    assert a_day.broken_laws == []


def test_a_day_spends_few_receives(a_day: Findings) -> None:
    rules = a_day.scenario.deployment.queue
    steps_of_a_day = 24 * HOUR / (1800 / 2)
    assert 24 * HOUR / 1800 <= a_day.most_receives <= steps_of_a_day + 5
    assert a_day.most_receives < rules.max_receive_count / 5


def test_the_backlog_of_a_day_drains_within_the_longest_wait(a_day: Findings) -> None:
    assert a_day.drained is not None
    assert a_day.drained <= 1800 + 60


def test_even_the_sparsest_traffic_asks_less_than_a_naive_retrier(a_day: Findings) -> None:
    assert a_day.share is not None
    assert a_day.share < 0.4


def test_dense_traffic_costs_the_dead_kochava_next_to_nothing() -> None:
    found = run(dense())
    assert found.broken_laws == []
    opening = 10 * found.scenario.deployment.settings.max_workers  # what opens ten breakers
    assert found.requests <= opening + 10 * (360 / 10)  # a probe in ten seconds each
    assert found.requests < found.receives / 10


@pytest.mark.parametrize("queue", ["standard", "fifo"])
@pytest.mark.parametrize("failure", FAILURES)
def test_it_does_not_matter_how_kochava_dies(failure: str, queue: str) -> None:
    found = run(scenario(failure, QueueType=queue))
    assert found.broken_laws == []
    assert (found.delivered, found.dead_lettered) == (300, 0)
    assert (found.duplicates > 0) == (failure == HANGING)


@pytest.mark.parametrize("queue", ["standard", "fifo"])
@pytest.mark.parametrize("failure", [REFUSING, HANGING, "503, Retry-After: 1"])
def test_nor_with_a_timeout_that_a_single_request_can_use_up(failure: str, queue: str) -> None:
    found = run(scenario(failure, QueueType=queue, FunctionTimeout=30, RequestTimeoutSeconds=15))
    assert found.broken_laws == []
    assert (found.delivered, found.dead_lettered) == (300, 0)


@pytest.mark.parametrize("queue", ["standard", "fifo"])
def test_on_a_busy_queue_every_event_is_delivered_too(queue: str) -> None:
    found = run(scenario(published=3000, outage_hours=1, QueueType=queue))
    assert found.broken_laws == []
    assert found.delivered == 3000


@pytest.mark.parametrize("queue", ["standard", "fifo"])
def test_a_kochava_that_comes_back_with_little_capacity_is_not_lost_either(queue: str) -> None:
    found = run(scenario(published=3000, outage_hours=1, capacity_after=1, QueueType=queue))
    assert found.broken_laws == []
    assert found.delivered == 3000
    assert found.throttled > 0


def test_a_wrong_key_costs_hardly_more_requests_than_a_dead_kochava() -> None:
    found = run(replace(dense(), outage=replace(dense().outage, failure=WRONG_KEY)))
    assert found.requests <= 1.5 * run(dense()).requests


def test_the_same_seed_tells_the_same_story() -> None:
    small = scenario(outage_hours=1)
    assert run(small) == run(small)


def test_swapping_numbers_makes_what_the_wire_format_makes() -> None:
    def payload(number: int) -> bytes:
        parse, encode = (
            vars(delivery)["parse_event"],
            vars(delivery)["encode_payload"],
        )  # what the simulation replaces
        sent: bytes = encode(parse(events.body(number), sent_at=0, default_app_id=None), DeviceUaEncoding.PERCENT)
        return sent

    real = payload(123_456)
    with events.read_once():
        assert payload(123_456) == real
    assert events.number_in(real) == 123_456


def test_the_naive_retrier_asks_once_in_each_visibility_timeout() -> None:
    # All that is published in the first hour is tried every 420 s of the second one; of what comes in the second
    # itself, on average half as often.
    of = scenario(published=3000, outage_hours=1)
    _, tried = naive_requests(of, 180)
    assert tried == pytest.approx(1000 * 3600 / 420 / 2, rel=0.15)


# A simulation that cannot fail proves nothing: what it says of an engine with a part taken out.


def broken(of: Scenario) -> set[str]:
    return set(run(of).broken_laws)


def test_failures_that_are_acknowledged_show_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ForwardingProcessor, "_report", lambda self, record, _: self.success_handler(record, None))
    assert "nothing is lost" in broken(scenario(outage_hours=1))


def test_a_missing_breaker_shows_in_the_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Breaker, "begin", lambda breaker, _: Permit(breaker, probe=False))
    assert "one probe in ten seconds an environment, once it is open" in broken(dense())


def test_missing_waits_show_in_the_receives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "wait", lambda *_: 420)
    assert "waiting saves receives" in broken(scenario(outage_hours=6))


def test_a_horizon_within_the_outage_shows_in_the_dead_letters() -> None:
    short = scenario()
    settings = short.deployment.settings.model_copy(update={"retry_horizon": 3600})
    deployment = replace(short.deployment, settings=settings)
    found = run(replace(short, deployment=deployment))
    assert found.lost == 0
    assert found.dead_lettered > 0
    assert found.broken_laws == ["nothing is dead-lettered"]


def test_a_group_out_of_order_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "in_chains", lambda records: [[record] for record in records])
    assert "FIFO keeps the order of each group" in broken(
        scenario(published=3000, QueueType="fifo", outage_hours=1)
    )


def test_too_few_receives_show_in_the_dead_letters() -> None:
    short = scenario()
    deployment = replace(short.deployment, queue=replace(short.deployment.queue, max_receive_count=5))
    found = run(replace(short, deployment=deployment))
    assert found.dead_lettered > 0
    assert "nothing is dead-lettered" in found.broken_laws


def test_a_refusing_gateway_shows_in_the_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAILURES, "405", Response(405, b""))
    found = run(scenario("405", published=3000, outage_hours=1))
    assert found.broken_laws == ["nothing is dead-lettered"]
    assert found.dead_lettered <= 9 * found.environments


def test_the_command_reports_and_draws(tmp_path: Path) -> None:
    picture = tmp_path / "outage.svg"
    asked = ["--quick", "--events", "100", "--hours", "26", "--failure", REFUSING]
    command = [sys.executable, "-m", "tests.outage", *asked, "--plot", str(picture)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == ["standard", "FIFO"]
    assert len({line.count("|") for line in lines}) == 1, "a table"
    assert picture.read_text().startswith("<?xml")


def test_the_command_fails_when_a_law_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(scenario(published=30, outage_hours=1))
    monkeypatch.setattr(command, "findings", lambda _: replace(found, delivered=found.delivered - 1))
    monkeypatch.setattr(command, "simulate", lambda *_: None)
    monkeypatch.setattr(command, "end_on_signals", lambda: None)  # the handlers of this process are the tests'
    assert command.main(["--quick", "--failure", REFUSING, "--queue", "standard"]) == 1
    assert "broken: nothing is lost" in capsys.readouterr().err


def test_an_interrupted_command_ends_without_a_stack_trace() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.outage"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as outage:
        assert outage.stdout is not None
        outage.stdout.readline()
        outage.send_signal(signal.SIGINT)
        _, errors = outage.communicate(timeout=10)
    assert (errors, outage.returncode) == ("", 128 + signal.SIGINT)


def test_the_table_says_what_is_not_deployed_by_default() -> None:
    of = scenario(published=30, outage_hours=1, capacity_after=100, FunctionTimeout=30, RequestTimeoutSeconds=15)
    expected = f"| {REFUSING}, then 100 requests a second; timeouts 30 s, 15 s a request | standard | 30 | 0 |"
    assert row(run(of)).startswith(expected)
