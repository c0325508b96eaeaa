import pytest

from forwarder_tools.deadletters.pace import Pace


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("rate", [0.5, 1, 50, 1000])
def test_in_no_span_of_time_go_more_than_the_rate_and_one_call(rate: float) -> None:
    time = Time()
    pace = Pace(rate, lambda: time.now, time.wait)
    for _ in range(20):
        pace.take(pace.at_once)
    assert time.now - 100.0 == pytest.approx(19 * pace.at_once / rate)


def test_time_that_passed_by_itself_is_not_waited_for_and_not_saved_up() -> None:
    time = Time()
    pace = Pace(10, lambda: time.now, time.wait)
    pace.take(10)
    time.now += 60
    pace.take(10)
    assert time.now == 160.0
    pace.take(10)
    assert time.now == 161.0


@pytest.mark.parametrize(("rate", "at_once"), [(0.5, 1), (1, 1), (7.9, 7), (50, 50)])
def test_one_call_has_at_most_a_second_of_messages(rate: float, at_once: int) -> None:
    assert Pace(rate, lambda: 0.0, lambda _: None).at_once == at_once
