"""How an invocation's time is divided between sending and settling. Pure.

These places keep it:

    here                        none starts that cannot end: `last_request_at` is a request's time before the end
    forwarding.delivery         looks before a record is parsed, waiting for a place, and after the table's claim
    forwarding.deduplication    gives each of the table's calls up at `respond_by`
    kochava.client              reading the secret and the second signed try count towards the request's own time
    http.pool, http.connection  connecting, writing and the answer's last byte end at the request's deadline
    sqs.queues                  gives each call to SQS up at `respond_by`
    forwarding.batch            waits for SQS until `respond_by`; what is not confirmed is reported failed
"""

import math
from typing import NamedTuple, Self

MIN_REQUEST_SECONDS = 0.2  # seconds that a request needs at the least to be worth starting (OURS)


class Deadline(NamedTuple):
    """When what must end; moments on the clock of `now`, in seconds.

    Args:
        request_timeout: how long one request may take, its connection included.
        last_request_at: no request starts after this moment, so that each ends in time.
        respond_by: by when every call to SQS has been answered or given up, and the response is made.
    """

    request_timeout: float
    last_request_at: float
    respond_by: float

    @classmethod
    def split(cls, *, now: float, remaining: float, request_timeout: float, records: int) -> Self:
        """Divide the `remaining` seconds of an invocation that has `records` records.

        SQS gets a second, and more for many records, but at most a quarter. A request gets `request_timeout`,
        or half of what is left where that is less, so that a short function still gets something done; when
        that is too little for any request, none starts.
        """
        margin = min(0.5, remaining / 10)
        for_sqs = min(1 + 0.004 * records, remaining / 4)
        sending = max(0.0, remaining - margin - for_sqs)
        timeout = min(request_timeout, sending / 2)
        enough = timeout >= min(request_timeout, MIN_REQUEST_SECONDS)
        return cls(
            request_timeout=timeout,
            last_request_at=now + sending - timeout if enough else -math.inf,
            respond_by=now + remaining - margin,
        )
