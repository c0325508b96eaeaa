"""The virtual event loop: time passes, nobody waits."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.outage.virtualtime import StuckError, VirtualClock, VirtualLoop

DAY = 86_400.0
START = 1_767_225_600.0


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def runner(clock: VirtualClock) -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(clock)) as runner:
        yield runner


def test_a_day_passes_at_once(runner: asyncio.Runner, clock: VirtualClock) -> None:
    began = time.monotonic()
    runner.run(asyncio.sleep(DAY))
    assert clock() == pytest.approx(START + DAY, abs=1e-3)
    assert time.monotonic() - began < 1


def test_sleepers_wake_in_the_order_of_their_time(runner: asyncio.Runner, clock: VirtualClock) -> None:
    woken: list[tuple[str, float]] = []

    async def sleep(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((name, round(clock() - START, 3)))

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, seconds in (("late", 30), ("soon", 0.1), ("later", DAY)):
                tasks.create_task(sleep(name, seconds))

    runner.run(all_of_them())
    assert woken == [("soon", 0.1), ("late", 30), ("later", DAY)]


def test_timeouts_fire(runner: asyncio.Runner, clock: VirtualClock) -> None:
    async def wait() -> None:
        async with asyncio.timeout(10):
            await asyncio.sleep(DAY)

    with pytest.raises(TimeoutError):
        runner.run(wait())
    assert clock() == pytest.approx(START + 10, abs=1e-3)


def test_time_stands_still_while_there_is_work(runner: asyncio.Runner, clock: VirtualClock) -> None:
    async def work() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    runner.run(work())
    assert clock() == START


def test_it_goes_on_where_the_clock_was_put(runner: asyncio.Runner, clock: VirtualClock) -> None:
    runner.run(asyncio.sleep(1))
    clock.now = START + DAY
    runner.run(asyncio.sleep(1))
    assert clock() == pytest.approx(START + DAY + 1, abs=1e-3)


def test_what_would_hang_is_an_error(clock: VirtualClock) -> None:
    loop = VirtualLoop(clock)
    hanging = loop.create_future()
    with pytest.raises(StuckError):
        loop.run_until_complete(hanging)
    loop.close()
