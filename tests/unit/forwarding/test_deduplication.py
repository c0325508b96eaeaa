import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from kochava_forwarder.contract.event import KochavaEvent, parse_event
from kochava_forwarder.forwarding import deduplication
from kochava_forwarder.forwarding.deduplication import Claim, Deduplication

LONG = 3600.0


class Table(BasePersistenceLayer):
    """Powertools' persistence layer over a dict; fails when told so."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools' own
        self.records: dict[str, DataRecord] = {}
        self.failure: Exception | None = None

    def __call__(self, *_: Any, **__: Any) -> "Table":
        return self

    def _get_record(self, idempotency_key: str) -> DataRecord:
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if self.failure:
            raise self.failure
        if known := self.records.get(data_record.idempotency_key):
            raise IdempotencyItemAlreadyExistsError(old_data_record=known)
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        if self.failure:
            raise self.failure
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    stand_in = Table()
    monkeypatch.setattr("aws_lambda_powertools.utilities.idempotency.DynamoDBPersistenceLayer", stand_in)
    return stand_in


def run(use: Callable[[Deduplication, float], Any], failures: list[str] | None = None) -> Any:
    async def used() -> Any:
        deduplicator = Deduplication("events", 60, (failures if failures is not None else []).append)
        try:
            return await use(deduplicator, asyncio.get_running_loop().time() + LONG)
        finally:
            deduplicator.close()

    return asyncio.run(used())


def test_an_event_is_claimed_once_and_remembered_once_delivered(table: Table) -> None:
    async def use(deduplicator: Deduplication, until: float) -> list[Claim]:
        claims = [await deduplicator.claim("a", until), await deduplicator.claim("a", until)]
        await deduplicator.settle("a", until, delivered=True)
        return [*claims, await deduplicator.claim("a", until), await deduplicator.claim("b", until)]

    assert run(use) == [Claim.OURS, Claim.ELSEWHERE, Claim.DELIVERED, Claim.OURS]
    assert len(table.records) == 2


@pytest.mark.usefixtures("table")
def test_an_event_that_was_not_delivered_may_be_claimed_again() -> None:
    async def use(deduplicator: Deduplication, until: float) -> Claim:
        await deduplicator.claim("a", until)
        await deduplicator.settle("a", until, delivered=False)
        return await deduplicator.claim("a", until)

    assert run(use) is Claim.OURS


def test_a_claim_ends_with_the_invocation(table: Table) -> None:
    async def use(deduplicator: Deduplication, until: float) -> None:
        await deduplicator.claim("a", until)

    run(use)
    (record,) = table.records.values()

    assert record.in_progress_expiry_timestamp is not None
    assert record.expiry_timestamp is not None
    assert record.in_progress_expiry_timestamp / 1000 - (record.expiry_timestamp - 60) == pytest.approx(
        LONG, abs=5
    )


def test_a_table_that_fails_stops_nothing_and_is_told(table: Table) -> None:
    table.failure = RuntimeError("down")
    failures: list[str] = []

    async def use(deduplicator: Deduplication, until: float) -> Claim:
        claim = await deduplicator.claim("a", until)
        await deduplicator.settle("a", until, delivered=True)
        return claim

    assert run(use, failures) is Claim.UNKNOWN
    assert failures == ["RuntimeError", "RuntimeError"]


@pytest.mark.usefixtures("table")
def test_a_table_that_hangs_holds_nobody_beyond_the_invocations_time() -> None:
    failures: list[str] = []

    async def use(deduplicator: Deduplication, _: float) -> Claim:
        return await deduplicator.claim("a", until=asyncio.get_running_loop().time() - 1)

    assert run(use, failures) is Claim.UNKNOWN
    assert failures == ["TimeoutError"]


def event(**changes: Any) -> KochavaEvent:
    body = {
        "kochava_app_id": "kotest",
        "kochava_device_id": "KD1",
        "data": {"device_ids": {}, "device_ua": "", "origination_ip": "", "event_name": "x"},
    }
    return parse_event(json.dumps(body | changes), sent_at=1_700_000_000, default_app_id=None)


def test_the_key_is_the_publishers_within_the_app_else_the_messages() -> None:
    keys = [
        deduplication.key(event(event_id="1"), "m1"),
        deduplication.key(event(event_id="1"), "m2"),
        deduplication.key(event(event_id="1", kochava_app_id="koother"), "m1"),
        deduplication.key(event(event_id="m1"), "m3"),
        deduplication.key(event(), "m1"),
        deduplication.key(event(), "m2"),
    ]

    assert keys[0] == keys[1]
    assert len(set(keys)) == 5
