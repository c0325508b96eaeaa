"""The claims and the table's answers; the statements themselves run on the local cloud's DynamoDB (tests/e2e)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.forwarding import deduplication
from kochava_forwarder.forwarding.deduplication import MAX_STATEMENTS, Claim, Deduplication
from tests.integration.support_servers import Aws
from tests.unit.stand_ins import DirectClient

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LONG = 3600.0
WINDOW = 7200


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Table(Aws):
    """The integration tests' model of the table, without its server."""

    def __init__(self) -> None:
        super().__init__()
        self._server.server_close()
        self.failure: Exception | None = None
        self.calls_made = 0
        self.repeated = 0

    def batch_execute_statement(self, **request: Any) -> dict[str, Any]:
        self.calls_made += 1
        if self.failure:
            raise self.failure
        if self.repeated:
            self.repeated -= 1
            self._BatchExecuteStatement(request)
        return self._BatchExecuteStatement(request)[1]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    stand_in = Table()
    monkeypatch.setattr("kochava_forwarder.forwarding.deduplication.AwsClient", DirectClient(stand_in))
    monkeypatch.setattr("kochava_forwarder.forwarding.deduplication.PAUSES", (0.0, 0.0))
    return stand_in


type Use[R] = Callable[[Deduplication, float], Awaitable[R]]


def run[R](use: Use[R], clock: Clock, failures: list[str] | None = None) -> R:
    async def used() -> R:
        told = failures if failures is not None else []
        return await use(
            Deduplication("events", WINDOW, told.append, clock), asyncio.get_running_loop().time() + LONG
        )

    return asyncio.run(used())


def test_an_event_is_claimed_once_and_remembered_once_delivered(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> list[Claim]:
        claims = [await deduplicator.claim("a", until), await deduplicator.claim("a", until)]
        await deduplicator.settle("a", until, delivered=True)
        return [*claims, await deduplicator.claim("a", until), await deduplicator.claim("b", until)]

    assert run(use, clock) == [Claim.OURS, Claim.ELSEWHERE, Claim.DELIVERED, Claim.OURS]
    assert len(table.table) == 2


@pytest.mark.usefixtures("table")
def test_an_event_that_was_not_delivered_may_be_claimed_again(clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> Claim:
        await deduplicator.claim("a", until)
        await deduplicator.settle("a", until, delivered=False)
        return await deduplicator.claim("a", until)

    assert run(use, clock) is Claim.OURS


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize(
    ("delivered", "later", "claim"),
    [
        (False, LONG - 1, Claim.ELSEWHERE),
        (False, LONG + 1, Claim.OURS),
        (True, WINDOW - 1, Claim.DELIVERED),
        (True, WINDOW + 1, Claim.OURS),
    ],
    ids=["being sent", "given up with its invocation", "delivered", "delivered before the window"],
)
def test_what_has_ended_is_taken_over(clock: Clock, delivered: bool, later: float, claim: Claim) -> None:
    async def use(deduplicator: Deduplication, until: float) -> Claim:
        await deduplicator.claim("a", until)
        if delivered:
            await deduplicator.settle("a", until, delivered=True)
        clock.now += later
        return await deduplicator.claim("a", until)

    assert run(use, clock) is claim


def test_a_claim_lasts_even_if_the_window_is_shorter(table: Table, clock: Clock) -> None:
    async def use(_: Deduplication, until: float) -> list[Claim]:
        short = Deduplication("events", 60, list[str]().append, clock)
        claims = [await short.claim("a", until)]
        clock.now += LONG - 1
        return [*claims, await short.claim("a", until)]

    assert run(use, clock) == [Claim.OURS, Claim.ELSEWHERE]
    (item,) = table.table.values()
    assert int(item["expiration"]["N"]) > int(item["in_progress_expiration"]["N"]) / 1000, "not deleted before"


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("delivered", [True, False])
def test_nothing_is_kept_of_an_event_that_is_settled(clock: Clock, delivered: bool) -> None:
    async def use(deduplicator: Deduplication, until: float) -> int:
        await deduplicator.claim("a", until)
        await deduplicator.settle("a", until, delivered=delivered)
        return len(deduplicator._owners)  # noqa: SLF001 - it would grow as long as the environment lives

    assert run(use, clock) == 0


def test_claims_side_by_side_share_calls(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> list[Claim]:
        claims = await asyncio.gather(*(deduplicator.claim(str(number), until) for number in range(100)))
        await asyncio.gather(*(deduplicator.settle(str(number), until, delivered=True) for number in range(100)))
        return claims

    assert run(use, clock) == [Claim.OURS] * 100
    assert table.calls_made == 2 * 100 / MAX_STATEMENTS


def test_a_late_release_leaves_what_another_environment_has_done(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> list[Any]:
        await deduplicator.claim("a", until)
        clock.now += LONG + 1
        other = Deduplication("events", WINDOW, failures.append, clock)
        taken = await other.claim("a", until)
        await deduplicator.settle("a", until, delivered=False)
        in_progress = await deduplicator.claim("a", until)
        await other.settle("a", until, delivered=True)
        return [taken, in_progress, await deduplicator.claim("a", until)]

    failures: list[str] = []
    assert run(use, clock, failures) == [Claim.OURS, Claim.ELSEWHERE, Claim.DELIVERED]
    assert failures == [], "a release that came too late is no failure of the table"
    assert len(table.table) == 1


@pytest.mark.usefixtures("table")
def test_a_release_leaves_what_an_environment_delivered_that_had_run_out_of_time(clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> Claim:
        await deduplicator.claim("a", until)
        clock.now += LONG + 1
        other = Deduplication("events", WINDOW, list[str]().append, clock)
        await other.claim("a", until)
        await deduplicator.settle("a", until, delivered=True)
        await other.settle("a", until, delivered=False)
        return await deduplicator.claim("a", until)

    assert run(use, clock) is Claim.DELIVERED


def test_a_refusal_that_is_no_throttling_stops_nothing_and_is_told(table: Table, clock: Clock) -> None:
    table.throttled_items = 1
    table.throttling = "AccessDenied"
    failures: list[str] = []

    assert run(lambda deduplicator, until: deduplicator.claim("a", until), clock, failures) is Claim.UNKNOWN
    assert failures == ["AccessDenied"]


def test_a_table_that_cannot_be_asked_stops_nothing_and_is_told(table: Table, clock: Clock) -> None:
    table.failure = RuntimeError("down")
    failures: list[str] = []

    assert run(lambda deduplicator, until: deduplicator.claim("a", until), clock, failures) is Claim.UNKNOWN
    assert failures == ["RuntimeError"]


def test_a_delivery_that_is_not_remembered_is_told(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> None:
        await deduplicator.claim("a", until)
        table.failure = RuntimeError("down")
        await deduplicator.settle("a", until, delivered=True)

    failures: list[str] = []
    run(use, clock, failures)
    assert failures == ["RuntimeError"]


def test_a_delivery_whose_item_has_gone_is_told(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> None:
        await deduplicator.claim("a", until)
        table.table.clear()
        await deduplicator.settle("a", until, delivered=True)

    failures: list[str] = []
    run(use, clock, failures)
    assert failures == ["ConditionalCheckFailed"]


def test_a_claim_whose_answer_was_lost_is_ours_all_the_same(table: Table, clock: Clock) -> None:
    table.repeated = 1  # botocore asks again
    assert run(lambda deduplicator, until: deduplicator.claim("a", until), clock) is Claim.OURS


def test_what_is_throttled_is_asked_again(table: Table, clock: Clock) -> None:
    async def use(deduplicator: Deduplication, until: float) -> Claim:
        table.throttled_items = 2
        claim = await deduplicator.claim("a", until)
        table.throttled_items = 2
        await deduplicator.settle("a", until, delivered=True)
        return claim

    failures: list[str] = []
    assert run(use, clock, failures) is Claim.OURS
    assert [item["status"]["S"] for item in table.table.values()] == ["COMPLETED"]
    assert failures == []


@pytest.mark.parametrize(
    "code",
    ["InternalServerError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError"],
)
def test_what_stays_throttled_is_not_taken_for_ours(table: Table, clock: Clock, code: str) -> None:
    table.throttled_items = 100
    table.throttling = code
    failures: list[str] = []

    assert run(lambda deduplicator, until: deduplicator.claim("a", until), clock, failures) is Claim.THROTTLED
    assert failures == [code]


@pytest.mark.usefixtures("table")
def test_a_table_that_hangs_holds_nobody_beyond_the_invocations_time(clock: Clock) -> None:
    failures: list[str] = []

    assert (
        run(lambda deduplicator, until: deduplicator.claim("a", until - 2 * LONG), clock, failures)
        is Claim.UNKNOWN
    )
    assert failures == ["TimeoutError"]


def test_powertools_reads_the_items(table: Table, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    class Client:
        def get_item(self, **request: Any) -> dict[str, Any]:
            return {"Item": table.table[request["Key"]["id"]["S"]]}

    async def use(deduplicator: Deduplication, until: float) -> list[str]:
        await deduplicator.claim("event app 1", until)
        statuses = [status()]
        await deduplicator.settle("event app 1", until, delivered=True)
        return [*statuses, status()]

    def status() -> str:
        record = layer.get_record({"key": "event app 1"})
        assert record is not None
        return record.status

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clock.now = 4_000_000_000.0  # Powertools looks at the clock, too
    layer = DynamoDBPersistenceLayer("events", boto3_client=cast("DynamoDBClient", Client()))
    layer.configure(IdempotencyConfig(hash_function="sha256"), key_prefix="kochava-forwarder")
    assert run(use, clock) == ["INPROGRESS", "COMPLETED"]


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
