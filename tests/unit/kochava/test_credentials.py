import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from kochava_forwarder.kochava.credentials import (
    MAX_AGE,
    REFUSED_AGE,
    RETRY_SECONDS,
    CredentialsError,
    CredentialsStore,
)
from kochava_forwarder.kochava.signing import Credentials
from tests.unit.stand_ins import DirectClient

OLD = {"api_key": "old-test-key", "app_secret": "old-test-value"}
NEW = {"api_key": "new-test-key", "app_secret": "new-test-value"}
AT_ONCE = 3600.0  # seconds, more than any test takes


class SecretsManager:
    """Gives what it holds, or raises it."""

    def __init__(self) -> None:
        self.reads = 0
        self.held: Any = OLD

    def get_secret_value(self, **request: str) -> dict[str, str | bytes]:
        assert request == {"SecretId": "kochava/signing"}
        self.reads += 1
        if isinstance(self.held, Exception):
            raise self.held
        if isinstance(self.held, bytes):
            return {"SecretBinary": self.held}
        return {"SecretString": self.held if isinstance(self.held, str) else json.dumps(self.held)}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    stand_in = SecretsManager()
    monkeypatch.setattr("kochava_forwarder.kochava.credentials.AwsClient", DirectClient(stand_in))
    return stand_in


def run[R](use: Callable[[CredentialsStore, float], Awaitable[R]], clock: Clock) -> R:
    async def used() -> R:
        store = CredentialsStore("kochava/signing", clock)
        return await use(store, asyncio.get_running_loop().time() + AT_ONCE)

    return asyncio.run(used())


async def asked(store: CredentialsStore, deadline: float) -> Credentials | str:
    """Return the credentials, or why there are none."""
    try:
        return await store.credentials(deadline)
    except CredentialsError as error:
        return str(error)


def test_it_is_read_once_however_many_ask_at_once(secrets: SecretsManager, clock: Clock) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[Credentials | str]:
        return await asyncio.gather(*(asked(store, deadline) for _ in range(20)))

    assert run(use, clock) == [Credentials(**OLD)] * 20
    assert secrets.reads == 1


def test_a_read_that_fails_is_remembered_however_many_ask(secrets: SecretsManager, clock: Clock) -> None:
    secrets.held = RuntimeError("down")

    async def use(store: CredentialsStore, deadline: float) -> list[Credentials | str]:
        failed = await asyncio.gather(*(asked(store, deadline) for _ in range(100)))
        clock.now = RETRY_SECONDS - 0.1
        failed.append(await asked(store, deadline))
        reads_by_then.append(secrets.reads)
        secrets.held = OLD
        clock.now = RETRY_SECONDS
        return [*failed, await asked(store, deadline)]

    reads_by_then: list[int] = []
    assert run(use, clock) == ["cannot be read (RuntimeError)"] * 101 + [Credentials(**OLD)]
    assert (reads_by_then, secrets.reads) == ([1], 2)


def test_it_is_read_again_after_five_minutes(secrets: SecretsManager, clock: Clock) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[Credentials]:
        first = await store.credentials(deadline)
        secrets.held = NEW
        clock.now = MAX_AGE - 1
        young = await store.credentials(deadline)
        clock.now = MAX_AGE
        return [first, young, await store.credentials(deadline)]

    assert MAX_AGE == 300, "as README says"
    assert run(use, clock) == [Credentials(**OLD), Credentials(**OLD), Credentials(**NEW)]


def test_refused_credentials_are_read_again_once_for_all_that_were_refused_together(
    secrets: SecretsManager, clock: Clock
) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[Credentials | None]:
        refused = await store.credentials(deadline)
        secrets.held = NEW
        return await asyncio.gather(*(store.renewed(refused, deadline) for _ in range(20)))

    assert run(use, clock) == [Credentials(**NEW)] * 20
    assert secrets.reads == 2


def test_a_key_that_stays_wrong_is_read_again_once_a_minute(secrets: SecretsManager, clock: Clock) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[int]:
        reads = []
        for clock.now in (0, 1, REFUSED_AGE - 1, REFUSED_AGE, REFUSED_AGE + 1):
            refused = await store.credentials(deadline)
            assert await asyncio.gather(*(store.renewed(refused, deadline) for _ in range(20))) == [None] * 20
            reads.append(secrets.reads)
        return reads

    assert REFUSED_AGE == 60
    assert run(use, clock) == [2, 2, 2, 3, 3]


@pytest.mark.parametrize("held", [RuntimeError("down"), "not JSON", {}], ids=["fails", "text", "no key"])
def test_known_credentials_outlast_a_secret_that_cannot_be_read(
    secrets: SecretsManager, clock: Clock, held: Any
) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[Credentials]:
        await store.credentials(deadline)
        secrets.held = held
        clock.now = MAX_AGE
        return [await store.credentials(deadline) for _ in range(10)]

    assert run(use, clock) == [Credentials(**OLD)] * 10
    assert secrets.reads == 2


@pytest.mark.usefixtures("secrets")
def test_nobody_waits_beyond_the_deadline(clock: Clock) -> None:
    async def use(store: CredentialsStore, deadline: float) -> list[Any]:
        past = deadline - 2 * AT_ONCE
        first = await asked(store, past)
        clock.now = RETRY_SECONDS
        known = await store.credentials(deadline)
        return [first, await store.renewed(known, past)]

    assert run(use, clock) == ["cannot be read in time", None]


class Reads:
    """Stands for `aws.AwsClient`: keeps by when each read has to end; hangs when it is told to."""

    def __init__(self) -> None:
        self.deadlines: list[float] = []
        self.hang = False

    def __call__(self, *_: Any, **__: Any) -> "Reads":
        return self

    async def call(self, _: Callable[[Any], Credentials], deadline: float) -> Credentials:
        self.deadlines.append(deadline)
        if self.hang:
            await asyncio.Event().wait()
        return Credentials(**OLD)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    stand_in = Reads()
    monkeypatch.setattr("kochava_forwarder.kochava.credentials.AwsClient", stand_in)
    return stand_in


def test_a_read_ends_with_the_deadline_on_its_thread_too(reads: Reads, clock: Clock) -> None:
    async def use(store: CredentialsStore, deadline: float) -> float:
        await store.renewed(await store.credentials(deadline), deadline + 1)
        return deadline

    deadline = run(use, clock)
    assert reads.deadlines == [deadline, deadline + 1]


@pytest.mark.parametrize("renewing", [False, True])
def test_nobody_waits_for_a_read_that_another_one_has_longer_for(
    reads: Reads, clock: Clock, *, renewing: bool
) -> None:
    async def use(store: CredentialsStore, deadline: float) -> Any:
        known = await store.credentials(deadline)
        clock.now = MAX_AGE

        async def wait(until: float) -> Any:
            return await (store.renewed(known, until) if renewing else store.credentials(until))

        reads.hang = True
        reader = asyncio.create_task(wait(deadline))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            found = await wait(asyncio.get_running_loop().time() + 0.05)
        reader.cancel()
        return found

    assert run(use, clock) == (None if renewing else Credentials(**OLD))
    assert len(reads.deadlines) == 2


class DeniedError(Exception):
    """Has the shape of botocore's ClientError."""

    response = {"Error": {"Code": "AccessDeniedException", "Message": "arn:aws:secret"}}  # noqa: RUF012 - as botocore's


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (DeniedError("old-test-value"), "cannot be read (AccessDeniedException)"),
        (RuntimeError("old-test-value"), "cannot be read (RuntimeError)"),
        ("old-test-value", "is not a JSON object"),
        ('"old-test-value"', "is not a JSON object"),
        ({"api_key": "k"}, "app_secret is missing, or not printable text without spaces"),
        (json.dumps(OLD).encode(), "is not a JSON object"),
        ({**OLD, "api_key": ""}, "api_key is missing, or not printable text without spaces"),
        ({**OLD, "api_key": 7}, "api_key is missing, or not printable text without spaces"),
        ({**OLD, "api_key": "old-test-value\r\nX: y"}, "api_key is missing, or not printable text without spaces"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(
    secrets: SecretsManager, clock: Clock, held: Any, message: str
) -> None:
    secrets.held = held

    with pytest.raises(CredentialsError) as caught:
        run(lambda store, deadline: store.credentials(deadline), clock)

    assert str(caught.value) == message
    assert caught.value.__cause__ is None
