"""Powertools' batch processor and one requests session: record after record."""

import os
from typing import Any

import requests
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload

ENDPOINT = os.environ["KOCHAVA_ENDPOINT"]
HEADERS = {"Content-Type": "application/json"}

processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
session = requests.Session()


def record_handler(record: SQSRecord) -> None:
    """Send one record."""
    response = session.post(ENDPOINT, data=payload(record.body), headers=HEADERS, timeout=10)
    check(response.status_code, response.json())


def handler(event: dict[str, Any], context: Any) -> Any:
    """Send the batch."""
    return process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
