"""The forwarder that this one is compared with: no breaker, no backoff, a standard queue.

It sends every message that it receives; what fails comes back after the queue's visibility timeout. Nothing
depends on which message is which, so that counting them second by second is exact.
"""

from collections import deque
from math import ceil

from tests.outage.kochava import ANSWER_SECONDS, FAILURE_SECONDS, HANGING
from tests.outage.simulation import EPOCH, Scenario


def naive_requests(scenario: Scenario, minutes: int) -> tuple[list[int], int]:
    """Return its requests in each minute of the scenario, and those to the dead Kochava."""
    deployment, outage = scenario.deployment, scenario.outage
    timeout = deployment.settings.request_timeout if outage.failure == HANGING else FAILURE_SECONDS
    waves = ceil(deployment.batch_size / deployment.settings.max_workers)  # that a batch goes out in
    batches = deployment.concurrency * deployment.batch_size
    most_failing, most_healthy = (int(batches / (waves * wave)) for wave in (timeout, ANSWER_SECONDS[1]))
    waiting = deque([0] * deployment.queue.visibility_timeout)  # by when they failed; the first ones return next
    visible = in_flight = published = while_dead = 0
    requests = [0] * minutes
    for second in range(minutes * 60):
        returning = waiting.popleft()
        in_flight -= returning
        due = min(scenario.events, int((second + 1) * scenario.events / (scenario.hours * 3600)))
        visible += returning + due - published
        published = due
        dead = outage.covers(EPOCH + second)
        room = deployment.queue.most_in_flight - in_flight
        sent = min(visible, most_failing if dead else most_healthy, room)
        visible -= sent
        requests[second // 60] += sent
        failed = sent if dead else 0
        while_dead += failed
        in_flight += failed
        waiting.append(failed)
    return requests, while_dead
