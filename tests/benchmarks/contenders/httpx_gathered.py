"""Powertools' asynchronous batch processor and one httpx client with its default limits and timeouts.

All records start at once and wait for a place in the client's pool, but no longer than its timeout of 5 s: a
large batch fails as a whole.
"""

import httpx
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload
from tests.benchmarks.contenders.powertools import ENDPOINT, HEADERS, asynchronous

client = httpx.AsyncClient(headers=HEADERS)


async def record_handler(record: SQSRecord) -> None:
    response = await client.post(ENDPOINT, content=payload(record.body))
    check(response.status_code, response.json())


handler = asynchronous(record_handler)
