"""The bounded one with Powertools' idempotency layer around each record.

That layer is synchronous, so that each record waits for it on a thread, and its call to Kochava goes back to the
event loop from there.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from botocore.config import Config

from tests.benchmarks.contenders import aiohttp_bounded
from tests.benchmarks.contenders.powertools import WORKERS, asynchronous

threads = ThreadPoolExecutor(WORKERS)
table = DynamoDBPersistenceLayer(
    os.environ["DEDUPLICATION_TABLE"], boto_config=Config(max_pool_connections=WORKERS)
)


@idempotent_function(  # type: ignore[untyped-decorator] # Powertools', which has no types
    data_keyword_argument="message_id",
    persistence_store=table,
    config=IdempotencyConfig(expires_after_seconds=7 * 86_400),
    key_prefix="bench",
)
def once(*, message_id: str, send: Callable[[], None]) -> None:  # noqa: ARG001 - its key
    send()


async def record_handler(record: SQSRecord) -> None:
    loop = asyncio.get_running_loop()

    def send() -> None:
        asyncio.run_coroutine_threadsafe(aiohttp_bounded.record_handler(record), loop).result()

    await loop.run_in_executor(threads, partial(once, message_id=record.message_id, send=send))


handler = asynchronous(record_handler)
