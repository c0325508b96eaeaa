"""What became of one record in one invocation. Pure."""

import asyncio
from dataclasses import dataclass, replace
from typing import Self

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from kochava_forwarder.advice import Advice
from kochava_forwarder.outcomes import Outcome, Then, Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one record.

    Args:
        record: the SQS record.
        verdict: its outcome and why.
        attempt: how often SQS has delivered the record, this time included.
        latency: seconds that the request to Kochava took, where one was made.
        queue_age: seconds from the publisher's SendMessage to this invocation.
        advice: the warnings about an event that was taken all the same.
        dead_letter: None or, for a record that goes to the dead-letter queue, why the copy could not be made;
            None in the future says that SQS confirmed it.
    """

    record: SQSRecord
    verdict: Verdict
    attempt: int = 1
    latency: float | None = None
    queue_age: float | None = None
    advice: tuple[Advice, ...] = ()
    dead_letter: asyncio.Future[str | None] | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether SQS may delete the record; of a dead letter, asked once it is settled."""
        return self.verdict.then is not Then.RETRY

    def settled(self) -> Self:
        """Returns the result once the dead-letter queue has answered, or may not be waited for any longer.

        A record whose copy SQS did not confirm is not done with: it becomes misconfigured, and is retried.
        """
        if self.dead_letter is None:
            return self
        failure = self.dead_letter.result() if self.dead_letter.done() else "no answer in time"
        if failure is None:
            return self
        ended = f"{self.verdict.outcome}: {self.verdict.detail}"
        detail = f"the dead-letter queue did not take it ({failure}); it is {ended}"
        return replace(self, verdict=Verdict(Outcome.MISCONFIGURED, detail), dead_letter=None)
