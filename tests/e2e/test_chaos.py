"""A short chaos run on each type of queue, side by side: the ledger holds, and the storm was one."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from forwarder_tools.chaos.ledger import Evidence, Ledger
from forwarder_tools.chaos.storm import Wish, run
from forwarder_tools.localcloud import LocalCloud

EVENTS = 300
QUEUES = ("standard", "fifo")


@pytest.fixture(scope="module")
def runs(cloud: LocalCloud, template: Path) -> Iterator[dict[str, Future[Evidence]]]:
    with ThreadPoolExecutor(len(QUEUES)) as threads:
        yield {
            queue: threads.submit(run, cloud, template, Wish(queue, EVENTS, seed=1), lambda _: None)
            for queue in QUEUES
        }


@pytest.mark.parametrize("queue", QUEUES)
def test_every_event_is_accounted_for(runs: dict[str, Future[Evidence]], queue: str) -> None:
    seen = runs[queue].result()
    ledger = Ledger(seen)

    assert {line.text: line.wrong for line in ledger.lines if line.wrong} == {}
    assert ledger.holds
    assert len(set(seen.messages.values())) == EVENTS
    assert len(seen.messages) > EVENTS  # some were published twice
    _was_a_storm(seen)


def _was_a_storm(seen: Evidence) -> None:
    assert len(seen.crashes) > 1
    assert len(seen.struck) > 1
    assert {letter.attributes["reason"] for letter in seen.dead} == {"invalid", "rejected"}
    unlucky = [request for request in seen.requests if not request.answer.startswith("200 success")]
    assert len(unlucky) > EVENTS / 20
    counted = [request.device for request in seen.requests if request.accepted]
    assert len(counted) > len(set(counted))
