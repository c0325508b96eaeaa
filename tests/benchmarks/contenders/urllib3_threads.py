"""The ten lines that are the fair yardstick: Powertools' processor, a thread pool, urllib3 with one SSLContext."""

import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload

ENDPOINT = os.environ["KOCHAVA_ENDPOINT"]
WORKERS = int(os.environ["MAX_WORKERS"])
HEADERS = {"Content-Type": "application/json"}

pool = urllib3.PoolManager(
    maxsize=WORKERS, ssl_context=ssl.create_default_context(), timeout=10, retries=False, headers=HEADERS
)
threads = ThreadPoolExecutor(WORKERS)


class SideBySide(BatchProcessor):
    """Powertools' processor with the records side by side."""

    def process(self) -> list[Any]:
        """Process every record on a thread."""
        return list(threads.map(self._process_record, self.records))


processor = SideBySide(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


def record_handler(record: SQSRecord) -> None:
    """Send one record."""
    response = pool.request("POST", ENDPOINT, body=payload(record.body))
    check(response.status, response.json())


def handler(event: dict[str, Any], context: Any) -> Any:
    """Send the batch."""
    return process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
