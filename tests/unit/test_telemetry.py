import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.telemetry import SAMPLES, spread

NUMBERS = st.lists(st.floats(0, 1e6), max_size=3000)


@given(NUMBERS)
def test_a_spread_has_the_ends_and_the_middle_of_its_values(values: list[float]) -> None:
    found = spread(values)
    assert len(found) == min(len(values), SAMPLES)
    assert found == sorted(found)
    assert set(found) <= set(values)
    if values:
        assert (found[0], found[-1]) == (min(values), max(values)), "a p99 of the lowest would be a lie"


def test_a_spread_is_even() -> None:
    assert spread(list(range(1000))) == pytest.approx([step * 999 / 99 for step in range(100)], abs=0.5)
