"""The same with at most 64 records in flight."""

import asyncio

import aiohttp
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from tests.benchmarks.contenders.models import check, payload
from tests.benchmarks.contenders.powertools import ENDPOINT, HEADERS, WORKERS, asynchronous

places = asyncio.Semaphore(WORKERS)
sessions: list[aiohttp.ClientSession] = []


async def record_handler(record: SQSRecord) -> None:
    if not sessions:
        connector = aiohttp.TCPConnector(limit=WORKERS)
        sessions.append(aiohttp.ClientSession(headers=HEADERS, connector=connector))
    async with places, sessions[0].post(ENDPOINT, data=payload(record.body)) as response:
        check(response.status, await response.json())


handler = asynchronous(record_handler)
