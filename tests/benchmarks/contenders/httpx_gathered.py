"""Powertools' asynchronous batch processor and one httpx client with its default limits and timeouts.

All records start at once and wait for a place in the client's pool, but no longer than its timeout of 5 s: a
large batch fails as a whole.
"""

import os
from typing import Any

import httpx
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    EventType,
    async_process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload

ENDPOINT = os.environ["KOCHAVA_ENDPOINT"]
HEADERS = {"Content-Type": "application/json"}

processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
client = httpx.AsyncClient(headers=HEADERS)


async def record_handler(record: SQSRecord) -> None:
    """Send one record."""
    response = await client.post(ENDPOINT, content=payload(record.body))
    check(response.status_code, response.json())


def handler(event: dict[str, Any], context: Any) -> Any:
    """Send the batch."""
    return async_process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
