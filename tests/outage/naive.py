"""The forwarder that this one is compared with: no breaker, no backoff, the same queue.

It sends every message that it receives; what fails comes back after the queue's visibility timeout. Nothing
depends on which message is which, so that counting them second by second is exact.
"""

from collections import deque
from dataclasses import dataclass
from math import ceil

from tests.outage.kochava import ANSWER_SECONDS, FAILURE_SECONDS, Failure
from tests.outage.simulation import EPOCH, SAMPLE_SECONDS, Scenario


@dataclass(frozen=True, slots=True)
class NaiveRun:
    """What it does.

    Args:
        requests: in each minute.
        requests_while_dead: in the whole outage.
    """

    requests: list[int]
    requests_while_dead: int


def simulate_naive(scenario: Scenario, minutes: int) -> NaiveRun:
    """Runs the naive retrier through a scenario for some minutes."""
    deployment, outage = scenario.deployment, scenario.outage
    timeout = deployment.settings.request_timeout if outage.failure is Failure.HANGING else FAILURE_SECONDS
    waves = ceil(deployment.batch_size / deployment.settings.max_workers)  # that a batch goes out in
    batches = deployment.concurrency * deployment.batch_size
    most_failing, most_healthy = (int(batches / (waves * wave)) for wave in (timeout, ANSWER_SECONDS[1]))
    waiting = deque([0] * deployment.queue.visibility_timeout)  # by when they failed; the first ones return next
    visible = in_flight = published = while_dead = 0
    requests = [0] * minutes
    for second in range(minutes * SAMPLE_SECONDS):
        returning = waiting.popleft()
        in_flight -= returning
        due = min(scenario.events, int((second + 1) * scenario.events / (scenario.hours * 3600)))
        visible += returning + due - published
        published = due
        dead = outage.covers(EPOCH + second)
        room = deployment.queue.most_in_flight - in_flight
        sent = min(visible, most_failing if dead else most_healthy, room)
        visible -= sent
        requests[second // SAMPLE_SECONDS] += sent
        failed = sent if dead else 0
        while_dead += failed
        in_flight += failed
        waiting.append(failed)
    return NaiveRun(requests, while_dead)
