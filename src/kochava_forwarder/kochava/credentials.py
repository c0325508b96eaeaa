"""The signing credentials, from Secrets Manager by Powertools: kept, and fetched again by age or when refused.

Rotation needs no deployment: after a 401 or 403 the secret is fetched once more, and the request is signed anew.
No exception text of what is read here is shown: it could quote the secret.
"""

import asyncio
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kochava_forwarder.kochava.signing import Credentials
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SecretsProvider

MAX_AGE = 300.0  # seconds that fetched credentials are used without a look
_HEADER_VALUE = re.compile(r"[!-~]+")


class CredentialsError(Exception):
    """The credentials cannot be had; the message names the reason, and nothing of the secret."""


class CredentialsStore:
    """The credentials under one Secrets Manager id: ``{"api_key": ..., "app_secret": ...}``.

    Args:
        secret_id: the secret's name or ARN.
        clock: seconds, monotonic.
    """

    def __init__(self, secret_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._secret_id = secret_id
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="secret")
        self._fetching = asyncio.Lock()
        self._known: Credentials | None = None
        self._fetched_at = float("-inf")

    async def credentials(self) -> Credentials:
        """Return the credentials, fetched at most five minutes ago, or older ones when they cannot be fetched.

        Raises:
            CredentialsError: there are none.
        """
        if self._known and self._clock() - self._fetched_at < MAX_AGE:
            return self._known
        async with self._fetching:
            if self._known is None or self._clock() - self._fetched_at >= MAX_AGE:
                await self._fetch()
            if self._known is None:
                raise CredentialsError("no credentials")
            return self._known

    async def renewed(self, refused: Credentials) -> Credentials | None:
        """Return other credentials than the `refused` ones, fetched again if need be, or None.

        Requests that were refused side by side share one fetch: it is `refused` itself that is replaced.
        """
        async with self._fetching:
            if self._known is refused:
                await self._fetch()
        return self._known if self._known != refused else None

    def close(self) -> None:
        """End the thread; the object is not used afterwards."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _fetch(self) -> None:
        self._fetched_at = self._clock()
        try:
            self._known = await asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        except CredentialsError:
            if self._known is None:
                raise

    def _read(self) -> Credentials:
        try:
            value = self._provider.get(self._secret_id, transform="json", force_fetch=True)
        except Exception as error:  # noqa: BLE001 - AWS, the network or the transform; none may show its text
            raise CredentialsError(f"cannot be read ({aws_error(error)})") from None
        if not isinstance(value, dict):
            raise CredentialsError("is not a JSON object")
        return Credentials(*(_header_value(value, name) for name in ("api_key", "app_secret")))

    @cached_property
    def _provider(self) -> "SecretsProvider":
        from aws_lambda_powertools.utilities.parameters import SecretsProvider  # noqa: PLC0415 - imports boto3
        from botocore.config import Config  # noqa: PLC0415 - the same

        return SecretsProvider(
            boto_config=Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})
        )


def _header_value(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
        raise CredentialsError(f"{name} is missing, or not printable text without spaces")
    return text
