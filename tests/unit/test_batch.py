"""How many chains of records go side by side."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.batch import workers_for
from tests.unit.strategies import examples


@pytest.mark.parametrize(
    ("chains", "most", "workers"),
    [
        (0, 64, 0),
        (1, 64, 1),
        (64, 64, 64),
        (65, 64, 33),
        (100, 64, 50),
        (100, 100, 100),
        (1000, 64, 63),
        (7, 1, 1),
    ],
)
def test_workers_share_the_waves_evenly(chains: int, most: int, workers: int) -> None:
    assert workers_for(chains, most) == workers


@examples(200)
@given(st.integers(1, 10_000), st.integers(1, 256))
def test_fewer_workers_never_cost_a_wave(chains: int, most: int) -> None:
    workers = workers_for(chains, most)
    assert 1 <= workers <= min(chains, most)
    assert ceil(chains / workers) == ceil(chains / most)
