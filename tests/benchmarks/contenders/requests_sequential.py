"""Powertools' batch processor and one requests session: record after record."""

import requests
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload
from tests.benchmarks.contenders.powertools import ENDPOINT, HEADERS, synchronous

session = requests.Session()


def record_handler(record: SQSRecord) -> None:
    response = session.post(ENDPOINT, data=payload(record.body), headers=HEADERS, timeout=10)
    check(response.status_code, response.json())


handler = synchronous(record_handler)
