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
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kochava_forwarder.aws import AwsClient, Batcher
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

MAX_STATEMENTS = 25  # in one BatchExecuteStatement
BATCH_WINDOW_SECONDS = 0.005  # that a claim waits for others to share its call, while its event waits
THREADS = 8
PAUSES = (0.05, 0.1, 0.2, 0.4)  # seconds between the tries of an item that the table throttles
THROTTLING = frozenset(
    ("InternalServerError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError")
)

# What is filled in is a table's name, hexadecimal digits and numbers, so that no parameters are needed: botocore
# spends as much on those as on the rest of a call. A claim makes the item, or takes over one that has ended: given
# up with its invocation, or older than the window.
_INSERT = (
    "INSERT INTO \"{table}\" VALUE {{'id': '{item}', 'status': 'INPROGRESS', "
    "'in_progress_expiration': {ends}, 'expiration': {expires}, 'owner': '{owner}'}}"
)
_CLAIM = (
    'UPDATE "{table}" SET "status" = \'INPROGRESS\' SET "in_progress_expiration" = {ends} '
    'SET "expiration" = {expires} SET "owner" = \'{owner}\' WHERE "id" = \'{item}\' AND '
)
_TAKE_OVER = _CLAIM + '"status" = \'INPROGRESS\' AND "in_progress_expiration" < {milliseconds}'
_CLAIM_ANEW = _CLAIM + '"status" = \'COMPLETED\' AND "expiration" < {seconds}'
_COMPLETE = 'UPDATE "{table}" SET "status" = \'COMPLETED\' SET "expiration" = {expires} WHERE "id" = \'{item}\''
_RELEASE = 'DELETE FROM "{table}" WHERE "id" = \'{item}\' AND "owner" = \'{owner}\' AND "status" = \'INPROGRESS\''


class Claim(Enum):
    """What the table says of an event."""

    OURS = "ours"  # nobody delivered it, and nobody else tries to
    DELIVERED = "delivered"
    ELSEWHERE = "elsewhere"  # another environment is at it
    THROTTLED = "throttled"  # the table answers, but not about this event
    UNKNOWN = "unknown"  # the table cannot be asked


class _Answer(NamedTuple):
    claim: Claim  # what the table's answer to a statement says of the event
    refusal: str = ""  # the code with which the statement was refused, if it was
    owner: str = ""  # whose item it is, if that was the reason


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
        self._owners: dict[str, str] = {}  # a mark of each claim that is ours, by its key
        self._dynamodb: AwsClient[DynamoDBClient] = AwsClient("dynamodb", THREADS)
        self._statements: Batcher[DynamoDBClient, BatchStatementRequestTypeDef, _Answer] = Batcher(
            self._dynamodb,
            call=lambda statements, dynamodb: [
                _answer(one) for one in dynamodb.batch_execute_statement(Statements=statements)["Responses"]
            ],
            failed=lambda error: _Answer(Claim.UNKNOWN, aws_error(error)),
            max_entries=MAX_STATEMENTS,
            window=BATCH_WINDOW_SECONDS,
        )

    async def claim(self, key: str, until: float) -> Claim:
        """Claim an event until the loop's time `until`, by which this invocation has ended; then others may."""
        now, owner = self._clock(), uuid.uuid4().hex
        ends = now + until - asyncio.get_running_loop().time()
        times = {"ends": int(1000 * ends), "expires": int(ends + self._window)}  # in the units of Powertools
        values: dict[str, int | str] = {"item": _item_id(key), "owner": owner, **times}
        answer = await self._execute(until, _INSERT, **values)
        if answer.claim is Claim.ELSEWHERE:  # unless that one has been given up
            answer = await self._execute(until, _TAKE_OVER, **values, milliseconds=int(1000 * now))
        if answer.claim is Claim.DELIVERED:  # unless that was longer ago than the window
            answer = await self._execute(until, _CLAIM_ANEW, **values, seconds=int(now))
        if answer.claim is Claim.ELSEWHERE and answer.owner == owner:  # inserted, but the answer to that was lost
            answer = _Answer(Claim.OURS)
        if answer.claim is Claim.OURS:
            self._owners[key] = owner
        elif answer.claim in {Claim.THROTTLED, Claim.UNKNOWN}:
            self._failed(answer.refusal)
        return answer.claim

    async def settle(self, key: str, until: float, *, delivered: bool) -> None:
        """Remember that a claimed event was delivered, or give the claim up so that it can be tried again.

        At worst a repeat is sent, or waits for the claim's end.
        """
        item, owner = _item_id(key), self._owners.pop(key)
        if delivered:
            expires = int(self._clock() + self._window)
            answer = await self._execute(until, _COMPLETE, item=item, expires=expires)
        else:
            answer = await self._execute(until, _RELEASE, item=item, owner=owner)
        had_ended = not delivered and answer.refusal == "ConditionalCheckFailed"
        if answer.refusal and not had_ended:
            self._failed(answer.refusal)

    def close(self) -> None:
        """Close the connections and end the threads."""
        self._dynamodb.close()

    async def _execute(self, until: float, text: str, **values: int | str) -> _Answer:
        """Return the table's answer to a statement, which is asked again while the table throttles it."""
        statement: BatchStatementRequestTypeDef = {"Statement": text.format(table=self._table, **values)}
        if text.startswith("UPDATE"):
            statement["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        answer = await self._statements.add(statement, until)
        for pause in PAUSES:
            if answer.claim is not Claim.THROTTLED:
                break
            await asyncio.sleep(pause)
            answer = await self._statements.add(statement, until)
        return answer


def _answer(response: "BatchStatementResponseTypeDef") -> _Answer:
    """Return what the table's response to one statement says of the event."""
    if "Error" not in response:
        return _Answer(Claim.OURS)
    refusal, item = response["Error"].get("Code", "unknown"), response["Error"].get("Item", {})
    if refusal in {"ConditionalCheckFailed", "DuplicateItem"}:
        status = item.get("status", {}).get("S")
        owner = item.get("owner", {}).get("S", "")
        return _Answer(Claim.DELIVERED if status == "COMPLETED" else Claim.ELSEWHERE, refusal, owner)
    return _Answer(Claim.THROTTLED if refusal in THROTTLING else Claim.UNKNOWN, refusal)


def _item_id(key: str) -> str:
    """Return the item's id, as Powertools' idempotency layer would name it."""
    return f"kochava-forwarder#{hashlib.sha256(json.dumps({'key': key}).encode()).hexdigest()}"
