"""The connections to one host, opened as they are needed, and kept. The only module that knows urllib3.

urllib3 opens them (addresses, TLS, certificates) on threads, since that blocks. A request gets the first one there
is, new or given back by another request. What is still being opened when an invocation's last request ends gets a
moment more, where that is enough: the next invocation then finds as many as this one could have used.
"""

import asyncio
import os
import ssl
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from socket import socket
from typing import NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from kochava_forwarder.http.connection import KEEP_IDLE, Connection, NoAnswerError, NotSentError, reason_for
from kochava_forwarder.http.response import Response

CONNECT_TIMEOUT = 5.0  # seconds for an address to answer, and for each step of a TLS handshake
CONNECTORS = 16  # connections being opened side by side
LINGER_SECONDS = 0.1  # how long the end of an invocation waits for connections, if they usually take less
SERVER_ERROR = 500  # and above: the server is not well


class _Connected(NamedTuple):
    sock: socket
    at: float  # seconds, by the clock of the event loop


class ConnectionPool:
    """The connections to one host.

    Args:
        host: name or address.
        port: TCP port.
        tls: whether to speak TLS, with the host's certificate verified.
    """

    def __init__(self, host: str, port: int, *, tls: bool) -> None:
        self._host = host
        self._port = port
        self._connectors = ThreadPoolExecutor(CONNECTORS, "connect", initializer=_give_way)
        self._ssl_context = _ssl_context() if tls else None
        self._idle: list[Connection] = []
        self._keep_idle = KEEP_IDLE  # seconds; less once the server has ended a connection that was idle for less
        self._waiters: deque[asyncio.Future[Connection]] = deque()
        self._connecting: list[Future[_Connected]] = []  # never fewer than waiters
        self._all_connected = asyncio.Event()
        self._connect_seconds = 0.0  # that the last one took: round trips, or our share of a core

    async def send(self, request: bytes, deadline: float) -> Response:
        """Send a request and return its response.

        After a sign that the server is not well (a 5xx, or no answer) nothing idle is kept: the next request opens
        a connection, and so looks the name up anew.

        Raises:
            NotSentError: the request was not wholly written by `deadline` (the loop's time).
            NoAnswerError: it was, and no answer came by then.
        """
        loop = asyncio.get_running_loop()
        while True:
            connection = await self.acquire(deadline)
            fresh = connection.fresh
            try:
                response = await connection.exchange(request, deadline)
            except NotSentError:
                self.release(connection)
                if fresh or loop.time() >= deadline:
                    raise
                continue  # the server had ended a kept connection: nothing was sent, another one decides
            except NoAnswerError:
                self.drop_idle()
                self._keep_idle = min(self._keep_idle, connection.keep_idle)
                raise
            if response.status >= SERVER_ERROR:
                connection.close()
                self.drop_idle()
            self.release(connection)
            return response

    async def acquire(self, deadline: float) -> Connection:
        """Return a connection that is alive, as far as one can see; give it back with `release`.

        Raises:
            NotSentError: there is none by `deadline` (the loop's time), or it cannot be opened.
        """
        while self._idle:
            connection = self._idle.pop()  # the one used last is the likeliest to live
            if connection.is_usable(self._keep_idle):
                return connection
            connection.close()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection] = loop.create_future()
        self._waiters.append(waiter)
        self._start_connect(loop, waiter)
        try:
            await asyncio.wait([waiter], timeout=deadline - loop.time())
        finally:
            if not waiter.done():
                self._waiters.remove(waiter)
        if not waiter.done():
            raise NotSentError("no connection in time")
        return waiter.result()

    def release(self, connection: Connection) -> None:
        """Hand a connection to the first waiter, or keep it; close it if it is not to be used again."""
        if not self._waiters:
            if not connection.closed:
                self._idle.append(connection)  # what it is worth is asked when it is acquired
        elif connection.is_usable(self._keep_idle):
            self._waiters.popleft().set_result(connection)
        else:
            connection.close()

    def drop_idle(self) -> None:
        """Close the connections that are not in use."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def settle(self, until: float) -> None:
        """Give connections that nobody waits for a moment to come, at most until the loop's time `until`.

        What no thread has begun by then is not opened; the others are kept when they come.
        """
        if self._connecting and self._connect_seconds < LINGER_SECONDS:
            self._all_connected.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + LINGER_SECONDS)):
                    await self._all_connected.wait()
        self._connecting = [connect for connect in self._connecting if not connect.cancel()]

    def close(self) -> None:
        """Close the connections, once the threads that open some are done; the pool is not used afterwards."""
        self.drop_idle()
        self._connectors.shutdown(cancel_futures=True)
        for connect in self._connecting:
            if not connect.cancelled() and not connect.exception():
                connect.result().sock.close()
        self._connecting.clear()

    def _start_connect(self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Connection]) -> None:
        """Open a connection on behalf of `waiter`, unless as many are being opened as there are waiters."""
        if len(self._connecting) < len(self._waiters):
            connect = self._connectors.submit(self._connect, loop.time)
            self._connecting.append(connect)
            connect.add_done_callback(
                lambda done: loop.call_soon_threadsafe(self._on_connected, loop, waiter, done)
            )

    def _on_connected(
        self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Connection], connect: Future[_Connected]
    ) -> None:
        """Take in what a thread opened; tell a failure to the waiter it was opened for.

        If that one is served or gone, the first of the others has another one opened: it may have relied on this.
        """
        if connect not in self._connecting:  # it was cancelled, or the pool is closed
            return
        self._connecting.remove(connect)
        if not self._connecting:
            self._all_connected.set()
        if error := connect.exception():
            reason = reason_for(error.__cause__ or error)
        else:
            connection = Connection(connect.result().sock, loop, connect.result().at)
            self.release(connection)
            if not connection.closed:
                return
            reason = "connection closed"  # before anybody could use it
        if waiter in self._waiters:
            self._waiters.remove(waiter)
            waiter.set_exception(NotSentError(f"no connection: {reason}"))
        elif self._waiters:
            self._start_connect(loop, self._waiters[0])

    def _connect(self, clock: Callable[[], float]) -> _Connected:
        """Open a connection, on a thread; `clock` is the event loop's."""
        connection = (
            HTTPSConnection(self._host, self._port, ssl_context=self._ssl_context)
            if self._ssl_context
            else HTTPConnection(self._host, self._port)
        )
        connection.timeout = CONNECT_TIMEOUT
        began = clock()
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        self._connect_seconds = clock() - began
        return _Connected(connection.sock, clock())


def _give_way() -> None:
    """Let the event loop go before this thread where both want the CPU: Linux has a niceness for each thread.

    Handshakes of 16 threads would else keep the requests from the connections that there are.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 19)


def _ssl_context() -> ssl.SSLContext:
    """Return the one for the life of the process, with the certificate authorities loaded: 13 ms of CPU.

    They belong to the import, for which Lambda gives a whole core, and not to the first invocation's share of one.
    """
    context = create_urllib3_context()
    context.load_default_certs()
    return context
