"""The ten lines that are the fair yardstick: Powertools' processor, a thread pool, urllib3 with one SSLContext."""

import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from aws_lambda_powertools.utilities.batch import BatchProcessor
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload
from tests.benchmarks.contenders.powertools import ENDPOINT, HEADERS, WORKERS, synchronous

pool = urllib3.PoolManager(
    maxsize=WORKERS, ssl_context=ssl.create_default_context(), timeout=10, retries=False, headers=HEADERS
)
threads = ThreadPoolExecutor(WORKERS)


class SideBySide(BatchProcessor):
    def process(self) -> list[Any]:
        return list(threads.map(self._process_record, self.records))


def record_handler(record: SQSRecord) -> None:
    response = pool.request("POST", ENDPOINT, body=payload(record.body))
    check(response.status, response.json())


handler = synchronous(record_handler, SideBySide)
