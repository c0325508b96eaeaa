"""How long a record waits in the queue before its next try. Pure.

The steps are those of Kochava's own SDKs (SDK). Jitter spreads what failed together.

Each wait spends a receive, of which a message has as many as the queue's ``maxReceiveCount``; whatever Kochava
answers, for however long, the retry horizon has to come first. So Retry-After can only lengthen a step (a server
may say ``Retry-After: 1`` for a day), and a record that was not reached very often waits like one that failed.
"""

import math

from kochava_forwarder.policy.outcomes import Outcome, Verdict

STEPS = (7, 30, 300, 1800)  # seconds by receive count; the last one repeats (SDK)
SHORT_WAIT = 5  # seconds, for records that this invocation did not get to
MAX_SHORT_WAITS = 100  # receives after which such a record waits like one that failed (OURS)
MAX_WAIT = 12 * 3600 - 15 * 60  # SQS counts its 12 hours from the receive, and a function may run for 15 minutes


def wait(verdict: Verdict, receive_count: int, jitter: float) -> int:
    """Return the seconds until the record's next try, as SQS takes them: whole, within its 12 hours.

    Args:
        verdict: what became of the record; one that is to be retried.
        receive_count: how often SQS has delivered it, this time included; 1 at least.
        jitter: from 0 to 1, where in the second half of the step the wait ends.
    """
    step = _step(verdict, receive_count)
    jittered = step / 2 + step / 2 * jitter
    return math.ceil(min(max(jittered, verdict.retry_after or 0), MAX_WAIT))


def _step(verdict: Verdict, receive_count: int) -> int:
    match verdict.outcome:
        case Outcome.MISCONFIGURED:
            return STEPS[-1]
        case Outcome.DEFERRED if not verdict.outage and receive_count <= MAX_SHORT_WAITS:
            return SHORT_WAIT
        case _:
            return STEPS[min(receive_count, len(STEPS)) - 1]
