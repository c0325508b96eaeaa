"""Whether an event was delivered before: Powertools' idempotency records in an optional DynamoDB table.

Powertools' decorator runs the function it wraps to its end, one record at a time; requests here are side by
side, so that its persistence layer is used directly, with the same records and the same conditional writes. Two
calls a record (claim, then complete or release), made on threads.

A table that fails must not stop delivery: the event is then sent as if the table were off, and counted.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

from kochava_forwarder.contract.event import KochavaEvent
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

THREADS = 16
KEY_PREFIX = "kochava-forwarder"


class Claim(Enum):
    """What the table says of an event."""

    OURS = "ours"  # nobody delivered it, and nobody else tries to
    DELIVERED = "delivered"
    ELSEWHERE = "elsewhere"  # another environment, or another record of this batch, is at it
    UNKNOWN = "unknown"  # the table failed


def key(event: KochavaEvent, message_id: str) -> str:
    """Return what makes an event the same: the publisher's ``event_id`` within its app, else the message id.

    The message id alone is not kept by a redrive: a redriven message without an ``event_id`` is a new event.
    """
    if event.event_id is None:
        return f"message {message_id}"
    return f"event {event.kochava_app_id} {event.event_id}"


class Deduplication:
    """The table's calls.

    Args:
        table: the DynamoDB table's name.
        window: seconds for which a delivered event is remembered.
        failed: told the type or AWS code of each failure of the table.
    """

    def __init__(self, table: str, window: int, failed: Callable[[str], None]) -> None:
        self._table = table
        self._window = window
        self._failed = failed
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="deduplication")
        self._opening = threading.Lock()

    async def claim(self, key: str, until: float) -> Claim:
        """Claim an event until the loop's time `until`, by which this invocation has ended; then others may."""
        try:
            return await self._on_thread(until, self._claim, key, until - asyncio.get_running_loop().time())
        except Exception as error:  # noqa: BLE001 - whatever the table does, the event is delivered
            self._failed(aws_error(error))
            return Claim.UNKNOWN

    async def settle(self, key: str, until: float, *, delivered: bool) -> None:
        """Remember that the event was delivered, or give the claim up so that it can be tried again."""
        try:
            await self._on_thread(until, self._complete if delivered else self._release, key)
        except Exception as error:  # noqa: BLE001 - the same; at worst a repeat is sent, or waits for the claim's end
            self._failed(aws_error(error))

    def close(self) -> None:
        """End the threads; the object is not used afterwards."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _on_thread[*P, R](self, until: float, function: Callable[[*P], R], *arguments: *P) -> R:
        async with asyncio.timeout_at(until):
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    def _claim(self, key: str, seconds: float) -> Claim:
        from aws_lambda_powertools.utilities.idempotency.exceptions import (  # noqa: PLC0415 - imports boto3
            IdempotencyItemAlreadyExistsError,
        )

        try:
            self._records().save_inprogress({"key": key}, remaining_time_in_millis=int(1000 * seconds))
        except IdempotencyItemAlreadyExistsError as error:
            known = error.old_data_record
            return Claim.DELIVERED if known and known.status == "COMPLETED" else Claim.ELSEWHERE
        return Claim.OURS

    def _complete(self, key: str) -> None:
        self._records().save_success({"key": key}, {})

    def _release(self, key: str) -> None:
        self._records().delete_record({"key": key}, NotDeliveredError())

    def _records(self) -> "BasePersistenceLayer":
        with self._opening:
            return self._opened

    @cached_property
    def _opened(self) -> "BasePersistenceLayer":
        from aws_lambda_powertools.utilities.idempotency import (  # noqa: PLC0415 - imports boto3
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
        )
        from botocore.config import Config  # noqa: PLC0415 - the same

        records = DynamoDBPersistenceLayer(
            self._table,
            boto_config=Config(
                connect_timeout=1,
                read_timeout=2,
                max_pool_connections=THREADS,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
        )
        config = IdempotencyConfig(expires_after_seconds=self._window, hash_function="sha256")
        records.configure(config, key_prefix=KEY_PREFIX)
        return records


class NotDeliveredError(Exception):
    """Why a claim is given up."""
