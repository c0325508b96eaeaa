"""How long a record waits in the queue before its next try, and when it has waited long enough. Pure.

The steps are those of Kochava's own SDKs (SDK). Jitter spreads what failed together.
"""

import math

from kochava_forwarder.policy.outcomes import Outcome, Verdict

STEPS = (7, 30, 300, 1800)  # seconds by receive count; the last one repeats (SDK)
SHORT_WAIT = 5  # seconds, for what was merely not reached
MAX_WAIT = 12 * 3600 - 15 * 60  # SQS counts its 12 hours from the receive, and a function may run for 15 minutes


def wait(verdict: Verdict, receive_count: int, jitter: float) -> int:
    """Return the seconds until the record's next try, as SQS takes them: whole, within its 12 hours.

    Args:
        verdict: what became of the record; one that is to be retried.
        receive_count: how often SQS has delivered it, this time included; 1 at least.
        jitter: from 0 to 1, where in the second half of the step the wait ends.
    """
    if verdict.retry_after is not None:
        return math.ceil(min(max(verdict.retry_after, 1), MAX_WAIT))
    step = _step(verdict, receive_count)
    return math.ceil(step / 2 + step / 2 * jitter)


def _step(verdict: Verdict, receive_count: int) -> int:
    match verdict.outcome:
        case Outcome.MISCONFIGURED:
            return STEPS[-1]
        case Outcome.DEFERRED if not verdict.outage:
            return SHORT_WAIT
        case _:
            return STEPS[min(receive_count, len(STEPS)) - 1]


def is_past_horizon(sent_at: float, now: float, horizon: float) -> bool:
    """Tell whether a message that SQS took at `sent_at` is too old to be tried at `now`; all in seconds."""
    return now - sent_at > horizon
