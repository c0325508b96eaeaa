"""What stands in for the parts that reach out."""

import asyncio
from collections.abc import Callable
from typing import Any


class DirectClient:
    """Stands for `aws.AwsClient`: calls at once, on no thread, a client of the test's.

    Args:
        client: what the functions are handed.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __call__(self, *_: Any, **__: Any) -> "DirectClient":
        return self

    async def call[R](self, function: Callable[[Any], R], deadline: float) -> R:
        async with asyncio.timeout_at(deadline):
            await asyncio.sleep(0)
            return function(self._client)

    def close(self) -> None:
        """Nothing is open."""
