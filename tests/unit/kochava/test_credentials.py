import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kochava_forwarder.kochava.credentials import MAX_AGE, CredentialsError, CredentialsStore
from kochava_forwarder.kochava.signing import Credentials

OLD = {"api_key": "old-test-key", "app_secret": "old-test-value"}
NEW = {"api_key": "new-test-key", "app_secret": "new-test-value"}


class Provider:
    """Stands for Powertools' SecretsProvider: gives what it holds, or raises it."""

    def __init__(self, **_: Any) -> None:
        self.reads = 0
        self.held: Any = OLD

    def __call__(self, **_: Any) -> "Provider":
        return self

    def get(self, name: str, *, transform: str, force_fetch: bool) -> Any:
        assert (name, transform, force_fetch) == ("kochava/signing", "json", True)
        self.reads += 1
        if isinstance(self.held, Exception):
            raise self.held
        return self.held


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    stand_in = Provider()
    monkeypatch.setattr("aws_lambda_powertools.utilities.parameters.SecretsProvider", stand_in)
    return stand_in


def run[R](use: Callable[[CredentialsStore], Any], clock: Clock | None = None) -> Any:
    async def used() -> Any:
        secret = CredentialsStore("kochava/signing", clock or Clock())
        try:
            return await use(secret)
        finally:
            secret.close()

    return asyncio.run(used())


def test_it_is_read_once_however_many_ask_at_once(provider: Provider) -> None:
    async def use(secret: CredentialsStore) -> list[Credentials]:
        return await asyncio.gather(*(secret.credentials() for _ in range(20)))

    assert run(use) == [Credentials(**OLD)] * 20
    assert provider.reads == 1


def test_it_is_read_again_by_age(provider: Provider) -> None:
    clock = Clock()

    async def use(secret: CredentialsStore) -> list[Credentials]:
        first = await secret.credentials()
        provider.held = NEW
        clock.now = MAX_AGE - 1
        young = await secret.credentials()
        clock.now = MAX_AGE
        return [first, young, await secret.credentials()]

    assert run(use, clock) == [Credentials(**OLD), Credentials(**OLD), Credentials(**NEW)]


def test_refused_credentials_are_read_again_once_for_all_that_were_refused_together(provider: Provider) -> None:
    async def use(secret: CredentialsStore) -> list[Credentials | None]:
        refused = await secret.credentials()
        provider.held = NEW
        return await asyncio.gather(*(secret.renewed(refused) for _ in range(20)))

    assert run(use) == [Credentials(**NEW)] * 20
    assert provider.reads == 2


def test_the_same_credentials_again_are_no_reason_to_send_again(provider: Provider) -> None:
    async def use(secret: CredentialsStore) -> list[Credentials | None]:
        refused = await secret.credentials()
        return await asyncio.gather(*(secret.renewed(refused) for _ in range(20)))

    assert run(use) == [None] * 20
    assert provider.reads == 2


def test_known_credentials_outlast_a_secrets_manager_that_fails(provider: Provider) -> None:
    clock = Clock()

    async def use(secret: CredentialsStore) -> Credentials:
        await secret.credentials()
        provider.held = RuntimeError("down")
        clock.now = MAX_AGE
        return await secret.credentials()

    assert run(use, clock) == Credentials(**OLD)
    assert provider.reads == 2


class DeniedError(Exception):
    """Has the shape of botocore's ClientError."""

    response = {"Error": {"Code": "AccessDeniedException", "Message": "arn:aws:secret"}}  # noqa: RUF012 - as botocore's


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (DeniedError("old-test-value"), "cannot be read (AccessDeniedException)"),
        (RuntimeError("old-test-value"), "cannot be read (RuntimeError)"),
        ("old-test-value", "is not a JSON object"),
        ({"api_key": "k"}, "app_secret is missing, or not printable text without spaces"),
        ({**OLD, "api_key": 7}, "api_key is missing, or not printable text without spaces"),
        ({**OLD, "api_key": "old-test-value\r\nX: y"}, "api_key is missing, or not printable text without spaces"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(provider: Provider, held: Any, message: str) -> None:
    provider.held = held

    with pytest.raises(CredentialsError) as caught:
        run(lambda secret: secret.credentials())

    assert str(caught.value) == message
    assert caught.value.__cause__ is None
