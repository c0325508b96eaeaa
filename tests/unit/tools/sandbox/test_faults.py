"""The notation of faults, and which event gets which."""

import json
from collections import Counter

import pytest

from forwarder_tools.sandbox import KINDS, Fault, FaultError, parse_fault
from forwarder_tools.sandbox import plan as rules
from forwarder_tools.sandbox.faults import parse_duration, parse_repeat
from forwarder_tools.sandbox.plan import ANY, OK, Match, Plan, Rule, mix


@pytest.mark.parametrize("name", KINDS)
def test_every_name_of_the_table_is_understood(name: str) -> None:
    assert parse_fault(name).name == name


def test_a_status_is_a_fault_that_kochava_does_not_count() -> None:
    fault = parse_fault("503")
    assert fault.answer is not None
    assert (fault.answer.status, fault.counted) == (503, False)


@pytest.mark.parametrize(("name", "success"), [("201", True), ("400", False)])
def test_a_2xx_says_success_and_is_counted(name: str, success: bool) -> None:
    fault = parse_fault(name)
    assert fault.answer is not None
    assert (json.loads(fault.answer.body)["success"] == "1", fault.counted) == (success, success)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("429:retry-after=2", "Retry-After: 2"),
        ("429:retry-after=Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT"),
        ("429:retry-after=99999999999999999999", "Retry-After: 99999999999999999999"),
        ("redirect:location=https://127.0.0.1:1/x", "Location: https://127.0.0.1:1/x"),
        ("500:header=Content-Type: text/plain", "Content-Type: text/plain"),
    ],
)
def test_options_become_headers(text: str, header: str) -> None:
    answer = parse_fault(text).answer
    assert answer is not None
    assert answer.head().decode().splitlines().count(header) == 1


def test_a_header_is_replaced_not_repeated() -> None:
    answer = parse_fault("redirect:location=/x").answer
    assert answer is not None
    assert [name for name, _ in answer.headers] == ["Location"]


def test_options_combine_and_values_may_hold_colons() -> None:
    fault = parse_fault('200:body={"success":true,"a":"b"}:latency=50ms:counted=no')
    assert fault.answer is not None
    assert fault.answer.body == b'{"success":true,"a":"b"}'
    assert (fault.latency, fault.counted) == (0.05, False)


def test_an_option_alone_is_ok_with_that_option() -> None:
    assert parse_fault("latency=50ms") == Fault("latency=50ms", latency=0.05)


def test_options_of_deliveries() -> None:
    assert parse_fault("drip-headers:every=5ms").tuning.every == 0.005
    assert parse_fault("drip-body:every=2").tuning.every == 2
    assert parse_fault("huge:size=1024").tuning.size == 1024
    assert parse_fault("reset-after-read:counted").counted


@pytest.mark.parametrize(("text", "seconds"), [("50ms", 0.05), ("2s", 2), ("1.5", 1.5), ("3m", 180), ("1h", 3600)])
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("nonsense", "use a status from 200 to 599 or one of ok"),
        ("", "use a status"),
        ("600", "use a status"),
        ("100", "use a status"),
        ("hang:retry-after=2", "it takes latency, counted"),
        ("503:every=1s", "it takes latency, counted, body"),
        ("503:latency=soon", "write it like 50ms"),
        ("drip-body:every=-1", "write it like 50ms"),
        ("503:counted=perhaps", "write counted or counted=no"),
        ("huge:size=big", "write it like size="),
        ("503:header=Server", "write it like header="),
        ("503:header=X: a\r\nY: b", "use printable ASCII"),
        ("503:retry-after=\u00e9", "use printable ASCII"),
        ("503*0", "write *1"),
    ],
)
def test_a_wrong_name_is_one_line_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(FaultError) as caught:
        parse_repeat(text)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("text", "times"), [("503", 1), ("503*3", 3), ("503*", None)])
def test_repeats(text: str, times: int | None) -> None:
    assert parse_repeat(text) == (parse_fault("503"), times)


def script(*names: str, match: Match = ANY) -> Rule:
    return rules.script([parse_repeat(name) for name in names], match)


def taken(plan: Plan, number: int, device: str = "KD1", event: str = "View") -> list[str]:
    return [plan.take(device, event).name for _ in range(number)]


def test_a_script_is_used_up_in_turn_and_then_all_is_ok() -> None:
    plan = Plan()
    plan.add(script("503*2", "429", "hang"))
    assert taken(plan, 6) == ["503", "503", "429", "hang", "ok", "ok"]


def test_scripts_follow_each_other_in_the_order_added() -> None:
    plan = Plan()
    plan.add(script("503"))
    plan.add(script("429"))
    assert taken(plan, 3) == ["503", "429", "ok"]


def test_a_rule_is_for_the_events_it_names() -> None:
    plan = Plan()
    plan.add(script("503*", match=Match(device="KD1")))
    plan.add(script("429*", match=Match(event="Purchase")))
    assert plan.take("KD1", "View").name == "503"
    assert plan.take("KD2", "Purchase").name == "429"
    assert plan.take("KD2", "View") is OK
    assert plan.take(None, None) is OK


def test_a_mix_is_the_same_for_the_same_seed_and_keeps_its_weights() -> None:
    def draw(seed: int) -> list[str]:
        plan = Plan()
        plan.add(mix({parse_fault("503"): 1, parse_fault("ok"): 9}, seed))
        return taken(plan, 1000)

    assert draw(7) == draw(7) != draw(8)
    assert 60 < Counter(draw(7))["503"] < 140


@pytest.mark.parametrize("weights", [{}, {"503": 0}, {"503": -1, "ok": 2}, {"503": float("nan")}])
def test_a_mix_without_sense_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(FaultError, match="needs weights"):
        mix({parse_fault(name): weight for name, weight in weights.items()}, 1)


def test_only_a_fault_that_strikes_before_reading_is_taken_early() -> None:
    plan = Plan()
    assert plan.take_early() is None
    plan.add(script("503", "reset-before-read", "429"))
    assert plan.take_early() is None
    assert taken(plan, 1) == ["503"]
    early = plan.take_early()
    assert early is not None
    assert early.name == "reset-before-read"
    assert plan.take_early() is None
    assert taken(plan, 2) == ["429", "ok"]


@pytest.mark.parametrize("match", [Match(device="KD1"), Match(event="View")])
def test_a_fault_before_reading_cannot_be_meant_for_one_event(match: Match) -> None:
    with pytest.raises(FaultError, match="use reset-after-read, or match any"):
        script("reset-before-read", match=match)
