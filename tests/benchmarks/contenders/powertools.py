"""What the peers have in common: settings, and a batch processor of Powertools around their record handler."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

ENDPOINT = os.environ["KOCHAVA_ENDPOINT"]
WORKERS = int(os.environ["MAX_WORKERS"])
HEADERS = {"Content-Type": "application/json"}

type Handler = Callable[[dict[str, Any], Any], Any]


def synchronous(
    record_handler: Callable[[SQSRecord], None], processor: type[BatchProcessor] = BatchProcessor
) -> Handler:
    kept = processor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return lambda event, context: process_partial_response(event, record_handler, kept, context)


def asynchronous(record_handler: Callable[[SQSRecord], Awaitable[None]]) -> Handler:
    """Make a handler that starts every record at once."""
    kept = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    return lambda event, context: async_process_partial_response(event, record_handler, kept, context)
