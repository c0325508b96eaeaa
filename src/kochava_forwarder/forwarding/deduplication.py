"""Whether an event was delivered before, by an optional DynamoDB table, 25 events a call.

An event is claimed before it is sent, and its claim is completed once it is delivered, or released when it is
not. A claim that nobody settles ends with the invocation that made it, and may then be taken over. The items are
those of Powertools' idempotency layer, which reads them; it would make two calls an event, one after the other.

A table that cannot be asked must not stop delivery: the event is then sent as if the table were off, and counted.
One that answers, but throttles an event's own item, is asked again; after some tries the event waits in the queue.
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kochava_forwarder.aws import AwsClient, Batcher
from kochava_forwarder.contract.event import KochavaEvent
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

MAX_STATEMENTS = 25  # in one BatchExecuteStatement
BATCH_WINDOW_SECONDS = 0.005  # that a claim waits for others to share its call, while its event waits
THREADS = 8
KEY_PREFIX = "kochava-forwarder"
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds between the tries of an item that the table throttles
THROTTLING = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)

# A claim: the item is made, or one that has ended is taken over. ("status" and "owner" are reserved words.)
_INSERT = (
    "INSERT INTO \"{table}\" VALUE {{'id': ?, 'status': 'INPROGRESS', 'in_progress_expiration': ?, "
    "'expiration': ?, 'owner': ?}}"
)
_TAKE_OVER = (
    'UPDATE "{table}" SET "status" = \'INPROGRESS\' SET "in_progress_expiration" = ? SET "expiration" = ? '
    'SET "owner" = ? WHERE "id" = ? AND ("owner" = ? OR "expiration" < ? '
    'OR ("status" = \'INPROGRESS\' AND "in_progress_expiration" < ?))'
)
_COMPLETE = (
    'UPDATE "{table}" SET "status" = \'COMPLETED\' SET "expiration" = ? SET "data" = \'{{}}\' WHERE "id" = ?'
)
_RELEASE = 'DELETE FROM "{table}" WHERE "id" = ? AND "owner" = ? AND "status" = \'INPROGRESS\''


class Claim(Enum):
    """What the table says of an event."""

    OURS = "ours"  # nobody delivered it, and nobody else tries to
    DELIVERED = "delivered"
    ELSEWHERE = "elsewhere"  # another environment is at it
    THROTTLED = "throttled"  # the table answers, but not about this event
    UNKNOWN = "unknown"  # the table cannot be asked


class _Claimant(NamedTuple):
    """The item's id, a mark of this claim alone, and until when it holds, in seconds since 1970."""

    item: str
    owner: str
    until: float


class _Answer(NamedTuple):
    claim: Claim
    refusal: str | None = None


class _Settlement(NamedTuple):
    claimant: _Claimant
    delivered: bool


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
        clock: seconds since 1970.
    """

    def __init__(
        self, table: str, window: int, failed: Callable[[str], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._table = table
        self._window = window
        self._failed = failed
        self._clock = clock
        self._claimed: dict[str, _Claimant] = {}
        self._dynamodb: AwsClient[DynamoDBClient] = AwsClient("dynamodb", THREADS)
        self._claims: Batcher[DynamoDBClient, _Claimant, _Answer] = Batcher(
            self._dynamodb,
            call=self._claim,
            failed=lambda error: _Answer(Claim.UNKNOWN, aws_error(error)),
            max_entries=MAX_STATEMENTS,
            window=BATCH_WINDOW_SECONDS,
        )
        self._settlements: Batcher[DynamoDBClient, _Settlement, str | None] = Batcher(
            self._dynamodb,
            call=self._settle,
            failed=aws_error,
            max_entries=MAX_STATEMENTS,
            window=4 * BATCH_WINDOW_SECONDS,
        )

    async def claim(self, key: str, until: float) -> Claim:
        """Claim an event until the loop's time `until`, by which this invocation has ended; then others may."""
        lasting = until - asyncio.get_running_loop().time()
        claimant = _Claimant(_item_id(key), uuid.uuid4().hex, self._clock() + lasting)
        claim, refusal = await self._claims.add(claimant, until)
        for pause in PAUSES:
            if claim is not Claim.THROTTLED:
                break
            await asyncio.sleep(pause)
            claim, refusal = await self._claims.add(claimant, until)
        if claim is Claim.OURS:
            self._claimed[key] = claimant
        elif refusal:
            self._failed(refusal)
        return claim

    async def settle(self, key: str, until: float, *, delivered: bool) -> None:
        """Remember that a claimed event was delivered, or give the claim up so that it can be tried again.

        At worst a repeat is sent, or waits for the claim's end.
        """
        settlement = _Settlement(self._claimed.pop(key), delivered)
        refusal = await self._settlements.add(settlement, until)
        for pause in PAUSES:
            if refusal not in THROTTLING:
                break
            await asyncio.sleep(pause)
            refusal = await self._settlements.add(settlement, until)
        if refusal and not (
            refusal == "ConditionalCheckFailed" and not delivered
        ):  # released: it was not ours any more
            self._failed(refusal)

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._dynamodb.close()

    def _claim(self, claimants: Sequence[_Claimant], dynamodb: "DynamoDBClient") -> list[_Answer]:
        """Insert the items; of those that are there already, take over what has ended."""
        answers = [_answer(item) for item in _execute(dynamodb, map(self._insertion, claimants))]
        existing = [index for index, answer in enumerate(answers) if answer.claim is Claim.ELSEWHERE]
        if existing:
            items = _execute(dynamodb, (self._taking_over(claimants[index]) for index in existing))
            for index, item in zip(existing, items, strict=True):
                answers[index] = _answer(item)
        return answers

    def _settle(self, settlements: Sequence[_Settlement], dynamodb: "DynamoDBClient") -> list[str | None]:
        return [_refusal(item) for item in _execute(dynamodb, map(self._settlement, settlements))]

    def _settlement(self, settlement: _Settlement) -> "BatchStatementRequestTypeDef":
        claimant = settlement.claimant
        if settlement.delivered:
            return self._statement(_COMPLETE, int(self._clock() + self._window), claimant.item)
        return self._statement(_RELEASE, claimant.item, claimant.owner)

    def _insertion(self, claimant: _Claimant) -> "BatchStatementRequestTypeDef":
        return self._statement(_INSERT, claimant.item, *self._times(claimant), claimant.owner)

    def _taking_over(self, claimant: _Claimant) -> "BatchStatementRequestTypeDef":
        now = self._clock()
        return self._statement(
            _TAKE_OVER,
            *self._times(claimant),
            claimant.owner,
            claimant.item,
            claimant.owner,
            int(now),
            int(1000 * now),
        )

    def _times(self, claimant: _Claimant) -> tuple[int, int]:
        """Return when a claim ends, in milliseconds, and when its item may be removed, in seconds (Powertools)."""
        return int(1000 * claimant.until), int(claimant.until + self._window)

    def _statement(self, text: str, *values: int | str) -> "BatchStatementRequestTypeDef":
        return {
            "Statement": text.format(table=self._table),
            "Parameters": [{"N": str(value)} if isinstance(value, int) else {"S": value} for value in values],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }


def _item_id(key: str) -> str:
    """Return the item's id, as Powertools' idempotency layer would name it."""
    return f"{KEY_PREFIX}#{hashlib.sha256(json.dumps({'key': key}).encode()).hexdigest()}"


def _execute(
    dynamodb: "DynamoDBClient", statements: "Iterable[BatchStatementRequestTypeDef]"
) -> "list[BatchStatementResponseTypeDef]":
    return dynamodb.batch_execute_statement(Statements=list(statements))["Responses"]


def _refusal(item: "BatchStatementResponseTypeDef") -> str | None:
    """Return the code of the table's error about one item, if there is one."""
    return item["Error"].get("Code", "unknown") if "Error" in item else None


def _answer(item: "BatchStatementResponseTypeDef") -> _Answer:
    """Return what the table's response to an insertion, or to taking over, says of the event."""
    refusal = _refusal(item)
    if refusal is None:
        return _Answer(Claim.OURS)
    if refusal in {"ConditionalCheckFailed", "DuplicateItem"}:
        status = item["Error"].get("Item", {}).get("status", {}).get("S")
        return _Answer(Claim.DELIVERED if status == "COMPLETED" else Claim.ELSEWHERE)
    return _Answer(Claim.THROTTLED if refusal in THROTTLING else Claim.UNKNOWN, refusal)
