"""Calls to AWS: a boto3 client made when it is first needed, called on threads, within a deadline, in batches.

boto3 costs 150 ms to import, so that only an invocation that needs it pays. A call that is given up must not act
later, perhaps after a freeze, on what is by then somebody else's: no attempt starts that could outlast the
deadline, and none after its caller has gone.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

ATTEMPT_SECONDS = (5.0, 2.0, 1.0, 0.5, 0.2, 0.05)  # to connect, and to read: the longest that the time left allows
ATTEMPTS = 3  # as in botocore's standard mode


class NoTimeError(Exception):
    """The call's deadline left no time for an attempt, or for another one."""


class _Call:
    """One call: its deadline, by `time.monotonic`; whether its caller waits; whether an attempt has begun."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.given_up = False
        self.begun = False
        self.attempt_seconds = 0.0

    def allot(self) -> float:
        """Return the seconds that an attempt may take to connect, and again to read.

        Raises:
            NoTimeError: none could end in time.
        """
        left = self.deadline - time.monotonic()
        for seconds in ATTEMPT_SECONDS:
            if 2 * seconds <= left and not self.given_up:
                self.attempt_seconds = seconds
                return seconds
        raise NoTimeError

    def check(self, **_: Any) -> None:
        """Refuse an attempt that could outlast the deadline; botocore asks before each one."""
        if self.given_up or time.monotonic() + 2 * self.attempt_seconds > self.deadline:
            raise NoTimeError
        self.begun = True


class AwsClient[C]:
    """One AWS service's boto3 client.

    Args:
        service: boto3's name of the service.
        threads: how many calls may be under way side by side.
    """

    def __init__(self, service: Literal["dynamodb", "secretsmanager", "sqs"], threads: int) -> None:
        self._service = service
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=service)
        self._connections = threads
        self._making = threading.Lock()
        self._clients: dict[float, C] = {}  # by the seconds of an attempt, which boto3 fixes when it makes one
        self._current = threading.local()

    async def call[R](self, function: Callable[[C], R], deadline: float) -> R:
        """Return what `function` returns for the client, on a thread.

        Args:
            function: makes one call.
            deadline: by when the call has ended or is given up, by the loop's clock.

        Raises:
            TimeoutError: it was given up.
            NoTimeError: it could not end by the deadline.
            Exception: what botocore raised.
        """
        loop = asyncio.get_running_loop()
        call = _Call(time.monotonic() + deadline - loop.time())
        try:
            async with asyncio.timeout_at(deadline):
                return await loop.run_in_executor(self._threads, self._run, function, call)
        finally:
            call.given_up = True

    def close(self) -> None:
        """End the threads and close the connections; the object is not used afterwards."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()  # type: ignore[attr-defined] # every boto3 client has it

    def _run[R](self, function: Callable[[C], R], call: _Call) -> R:
        self._current.call = call
        while True:
            client = self._client(call.allot())
            try:
                return function(client)
            except NoTimeError:  # making a client, or its first call, took so long that this attempt does not fit
                if call.begun:
                    raise
                # A shorter one may.

    def _client(self, attempt_seconds: float) -> C:
        with self._making:
            if attempt_seconds not in self._clients:
                self._clients[attempt_seconds] = self._make(attempt_seconds)
            return self._clients[attempt_seconds]

    def _make(self, attempt_seconds: float) -> C:
        import boto3  # noqa: PLC0415 - see above
        from botocore.config import Config  # noqa: PLC0415 - the same

        config = Config(
            connect_timeout=attempt_seconds,
            read_timeout=attempt_seconds,
            max_pool_connections=self._connections,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            parameter_validation=False,  # half a millisecond a call; the types are checked when the code is
        )
        client: Any = boto3.client(self._service, config=config)
        client.meta.events.register("before-send", self._before_send)
        return client  # type: ignore[no-any-return] # boto3 makes it by name

    def _before_send(self, **_: Any) -> None:
        self._current.call.check()


class Batcher[C, T, R]:
    """Gathers entries into batch calls; each entry learns how its own ended.

    Args:
        client: makes the calls.
        call: makes one call for some entries; returns the result of each; may raise.
        failed: returns the result of each entry of a call that raised.
        max_entries: entries in one call.
        window: seconds that an entry waits for others to share its call.
        size: the bytes that an entry takes of a call's `max_bytes`.
    """

    def __init__(  # noqa: PLR0913 - each says one thing about the calls, all by name
        self,
        client: AwsClient[C],
        *,
        call: Callable[[Sequence[T], C], Sequence[R]],
        failed: Callable[[Exception], R],
        max_entries: int,
        window: float,
        size: Callable[[T], int] = lambda _: 0,
        max_bytes: int = 0,
    ) -> None:
        self._client = client
        self._call = call
        self._failed = failed
        self._max_entries = max_entries
        self._window = window
        self._size = size
        self._max_bytes = max_bytes
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._bytes = 0
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._calls: set[asyncio.Task[None]] = set()  # the loop itself keeps only weak references

    def add(self, entry: T, deadline: float) -> asyncio.Future[R]:
        """Put an entry into the next call; return its future, which never raises.

        Args:
            entry: what the call is about.
            deadline: by when the call has ended or is given up, by the loop's clock; one for an invocation.
        """
        loop = asyncio.get_running_loop()
        size = self._size(entry)
        if self._bytes + size > self._max_bytes:
            self.flush()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((entry, future))
        self._bytes += size
        self._deadline = deadline
        if len(self._waiting) == self._max_entries:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._window, self.flush)
        return future

    def flush(self) -> None:
        """Start the call with what has been gathered, if anything."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            task = asyncio.get_running_loop().create_task(self._make(waiting, self._deadline))
            self._calls.add(task)
            task.add_done_callback(self._calls.discard)

    async def _make(self, waiting: Sequence[tuple[T, asyncio.Future[R]]], deadline: float) -> None:
        entries = [entry for entry, _ in waiting]
        try:
            results = await self._client.call(partial(self._call, entries), deadline)
        except Exception as error:  # noqa: BLE001 - whatever AWS or botocore does, each entry learns of it
            results = [self._failed(error)] * len(waiting)
        for (_, future), result in zip(waiting, results, strict=True):
            if not future.done():
                future.set_result(result)
