"""What an answer of Kochava's means (docs/kochava-api.md section 8), as one table. Pure.

    answer                                            outcome
    ------------------------------------------------  ----------------------------------------------
    2xx and the body says success, even if cut short  delivered
    2xx, cut short before that                        ambiguous
    2xx, anything else                                unconfirmed
    429                                               throttled
    408, 425, 5xx except 501 and 505                  throttled with a Retry-After, else unavailable
    401, 403, 404, 407, 3xx                           misconfigured
    any other 4xx, 501, 505                           rejected
    a status that HTTP does not define                unconfirmed

The first row that fits. After a whole JSON object that says success only white space can be missing: Kochava has
counted the event, and to send it again would count it twice, or at every receive if a server ends no body well.

OURS unless tagged: no failure body, rate limit or Retry-After of Kochava's is documented. That success is
judged by the body and that anything else on a 2xx is tried again is what Kochava's own SDKs do (SDK).
"""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType

from kochava_forwarder.http.response import Response
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from kochava_forwarder.redaction import redact

DELIVERED = Verdict(Outcome.DELIVERED)
_PLAIN_SUCCESS = frozenset({b'{"success":"1"}', b'{"success":1}', b'{"success":true}'})  # told without parsing
BY_STATUS = MappingProxyType(
    dict.fromkeys(range(300, 400), Outcome.MISCONFIGURED)
    | dict.fromkeys(range(400, 500), Outcome.REJECTED)
    | dict.fromkeys(range(500, 600), Outcome.UNAVAILABLE)
    | dict.fromkeys((401, 403, 404, 407), Outcome.MISCONFIGURED)
    | dict.fromkeys((408, 425), Outcome.UNAVAILABLE)
    | dict.fromkeys((501, 505), Outcome.REJECTED)
    | {429: Outcome.THROTTLED}
)


def verdict_for(answer: Response, payload: bytes, now: datetime) -> Verdict:
    """Return what `answer` means for the record that was sent as `payload`; `now` is when it came.

    The detail names the status and quotes the body, without a word of the record's own values.
    """
    if answer.status in range(200, 300):
        return _verdict_for_accepted(answer, payload)
    outcome = BY_STATUS.get(answer.status, Outcome.UNCONFIRMED)
    wait = None
    if outcome in (Outcome.UNAVAILABLE, Outcome.THROTTLED) and answer.retry_after is not None:
        outcome = Outcome.THROTTLED
        wait = seconds_to_wait(answer.retry_after, now)
    return Verdict(outcome, _quote(answer, payload), wait)


def _verdict_for_accepted(answer: Response, payload: bytes) -> Verdict:
    if answer.body in _PLAIN_SUCCESS or says_success(answer.body):
        return DELIVERED
    if not answer.complete:
        return Verdict(Outcome.AMBIGUOUS, f"HTTP {answer.status}, but the answer was cut short")
    return Verdict(Outcome.UNCONFIRMED, f"no success in the answer: {_quote(answer, payload)}")


def says_success(body: bytes) -> bool:
    """Tell whether the body is a JSON object whose ``success`` is ``"1"``, ``1`` or ``true`` (SDK)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and answer.get("success") in ("1", 1)


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date (RFC 9110 section 10.2.3).

    Returns the seconds from `now`, not below 0, or None when the header is neither.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for years and zones beyond what a computer counts in
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _quote(answer: Response, payload: bytes) -> str:
    body = redact(answer.body.decode("ascii", errors="replace"), payload)
    return f"HTTP {answer.status}: {body}" if body else f"HTTP {answer.status}, empty body"
