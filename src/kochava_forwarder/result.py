"""What became of one record in one invocation. Pure."""

from typing import NamedTuple

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.advice import Advice
from kochava_forwarder.outcomes import Verdict


class Result(NamedTuple):
    """What became of one record.

    Args:
        record: the SQS record.
        verdict: its outcome and why.
        acknowledged: whether SQS may delete it.
        attempt: how often SQS has delivered it, this time included.
        wait: seconds until its next try; 0 where it has none.
        latency: seconds that the request to Kochava took, where one was made.
        queue_age: seconds from the publisher's SendMessage to this invocation, where they are known.
        advice: the warnings about an event that was taken all the same.
    """

    record: SQSRecord
    verdict: Verdict
    acknowledged: bool
    attempt: int = 1
    wait: int = 0
    latency: float | None = None
    queue_age: float | None = None
    advice: tuple[Advice, ...] = ()
