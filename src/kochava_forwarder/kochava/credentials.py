"""The signing credentials, from Secrets Manager: kept, and read again by age or when Kochava refuses them.

Rotation needs no deployment: after a 401 or 403 the secret is read once more, and the request is signed anew. A
Secrets Manager that fails, and a key that stays wrong, are not asked again for every record.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kochava_forwarder.aws import AwsClient, NoTimeError
from kochava_forwarder.kochava.signing import Credentials
from kochava_forwarder.redaction import aws_error

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE = 300.0  # seconds that credentials are used without a look
REFUSED_AGE = 60.0  # seconds between two reads because Kochava refuses what was read
RETRY_SECONDS = 5.0  # between two reads that fail
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
        self._client: AwsClient[SecretsManagerClient] = AwsClient("secretsmanager", threads=1)
        self._reading = asyncio.Lock()  # however many wait, one reads
        self._known: Credentials | None = None
        self._read_at = float("-inf")
        self._failure = "has not been read"
        self._failed_at = float("-inf")
        self._renewed_at = float("-inf")

    async def credentials(self, deadline: float) -> Credentials:
        """Return the credentials, read at most five minutes ago, or older ones when they cannot be read.

        Args:
            deadline: until when to wait, by the loop's clock.

        Raises:
            CredentialsError: there are none.
        """
        if self._known and self._clock() - self._read_at < MAX_AGE:
            return self._known
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline), self._reading:
                if self._clock() - self._read_at >= MAX_AGE:
                    await self._read(deadline)
        if not self._known:
            raise CredentialsError(self._failure)
        return self._known

    async def renewed(self, refused: Credentials, deadline: float) -> Credentials | None:
        """Return other credentials than the `refused` ones, read again at most once a minute, or None.

        Args:
            refused: what Kochava did not accept.
            deadline: until when to wait, by the loop's clock.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline), self._reading:
                if self._known == refused and self._clock() - self._renewed_at >= REFUSED_AGE:
                    self._renewed_at = self._clock()
                    await self._read(deadline)
        return self._known if self._known != refused else None

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._client.close()

    async def _read(self, deadline: float) -> None:
        """Read the secret; what fails is remembered, so that others who wait do not try again at once."""
        if self._clock() - self._failed_at < RETRY_SECONDS:
            return
        self._failure, self._failed_at = "cannot be read in time", self._clock()  # unless it is
        try:
            self._known = await self._client.call(self._get, deadline)
        except CredentialsError as error:
            self._failure = str(error)
        except (NoTimeError, TimeoutError):
            pass
        except Exception as error:  # noqa: BLE001 - AWS or the network; none may show its text, which may quote
            self._failure = f"cannot be read ({aws_error(error)})"
        else:
            self._read_at, self._failed_at = self._clock(), float("-inf")

    def _get(self, client: "SecretsManagerClient") -> Credentials:
        try:
            value = json.loads(client.get_secret_value(SecretId=self._secret_id).get("SecretString", ""))
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise CredentialsError("is not a JSON object")
        return Credentials(*(_header_value(value, name) for name in ("api_key", "app_secret")))


def _header_value(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if not isinstance(text, str) or not _HEADER_VALUE.fullmatch(text):
        raise CredentialsError(f"{name} is missing, or not printable text without spaces")
    return text
