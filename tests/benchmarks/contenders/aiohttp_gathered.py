"""Powertools' asynchronous batch processor, which starts every record at once, and one aiohttp session."""

import os
from typing import Any

import aiohttp
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
sessions: list[aiohttp.ClientSession] = []  # made inside the event loop, as aiohttp wants it


async def record_handler(record: SQSRecord) -> None:
    """Send one record."""
    if not sessions:
        sessions.append(aiohttp.ClientSession(headers=HEADERS))
    async with sessions[0].post(ENDPOINT, data=payload(record.body)) as response:
        check(response.status, await response.json())


def handler(event: dict[str, Any], context: Any) -> Any:
    """Send the batch."""
    return async_process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
