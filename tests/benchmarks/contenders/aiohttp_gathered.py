"""Powertools' asynchronous batch processor and one aiohttp session."""

import aiohttp
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload
from tests.benchmarks.contenders.powertools import ENDPOINT, HEADERS, asynchronous

sessions: list[aiohttp.ClientSession] = []  # made inside the event loop, as aiohttp wants it


async def record_handler(record: SQSRecord) -> None:
    if not sessions:
        sessions.append(aiohttp.ClientSession(headers=HEADERS))
    async with sessions[0].post(ENDPOINT, data=payload(record.body)) as response:
        check(response.status, await response.json())


handler = asynchronous(record_handler)
