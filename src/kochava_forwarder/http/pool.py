"""Lends connections to Kochava, and opens them as they are needed. The only module that knows urllib3.

urllib3 opens them (addresses, TLS, certificates) on threads, since that blocks. Who needs a connection gets the
first one that comes, a new one or one that another request is done with. What is still being opened when the
last request ends gets a moment more, where that is enough: the next invocation then finds as many as this one
could have used.
"""

import asyncio
import ssl
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from kochava_forwarder.http.connection import Connection, NotSentError

CONNECT_TIMEOUT = 5.0  # seconds for an address to answer, and for each step of a TLS handshake
CONNECTORS = 16  # connections being opened side by side; more starve the event loop of a small function
MOMENT = 0.05  # seconds that openings get when nobody waits for them any longer, if one takes less


class _Opened(NamedTuple):
    connection: HTTPConnection
    at: float  # seconds, by the clock of the event loop
    took: float  # seconds


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
        self._connectors = ThreadPoolExecutor(CONNECTORS, thread_name_prefix="connect")
        self._ssl_context = self._connectors.submit(_ssl_context) if tls else None  # takes 13 ms
        self._idle: list[Connection] = []
        self._wanted: deque[asyncio.Future[Connection]] = deque()  # who waits for one
        self._openings: list[Future[_Opened]] = []  # asked for by who had to wait
        self._nothing_opens = asyncio.Event()
        self._opening_takes = 0.0  # seconds that the last one took: round trips, or our share of a core

    async def lend(self, deadline: float) -> Connection:
        """Return a connection that is alive, as far as one can see; give it back with `take_back`.

        Raises:
            NotSentError: there is none by `deadline` (the loop's time), or it cannot be opened.
        """
        loop = asyncio.get_running_loop()
        while self._idle:
            connection = self._idle.pop()  # the one used last is the likeliest to live
            if connection.is_alive(loop.time()):
                return connection
            connection.close()
        wanted: asyncio.Future[Connection] = loop.create_future()
        self._wanted.append(wanted)
        self._open_for(loop, wanted)
        try:
            async with asyncio.timeout_at(deadline):
                return await wanted
        except TimeoutError:
            if wanted.done() and not wanted.cancelled() and not wanted.exception():
                self.take_back(wanted.result())
            raise NotSentError("no connection in time") from None
        finally:
            if wanted in self._wanted:
                self._wanted.remove(wanted)

    def take_back(self, connection: Connection) -> None:
        """Hand a connection to whoever waits for one, or keep it."""
        if connection.closed:
            return
        while self._wanted:
            wanted = self._wanted.popleft()
            if not wanted.done():  # it may have run out of time just now
                wanted.set_result(connection)
                break
        else:
            self._idle.append(connection)

    async def wind_down(self, until: float) -> None:
        """Give the openings that nobody waits for a moment, at most until the loop's time `until`.

        What has not begun by then is not opened; what has is kept when it comes.
        """
        if self._openings and self._opening_takes < MOMENT:
            self._nothing_opens.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + MOMENT)):
                    await self._nothing_opens.wait()
        self._openings = [opening for opening in self._openings if not opening.cancel()]

    def close(self) -> None:
        """Close the kept connections and end the threads; the pool is not used afterwards."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._connectors.shutdown(wait=False, cancel_futures=True)

    def _open_for(self, loop: asyncio.AbstractEventLoop, wanted: asyncio.Future[Connection]) -> None:
        """Open a connection because of `wanted`, unless enough are being opened already."""
        if len(self._openings) < len(self._wanted):
            self._openings.append(opening := self._connectors.submit(self._open))
            opening.add_done_callback(partial(self._tell, loop, wanted))

    def _tell(
        self,
        loop: asyncio.AbstractEventLoop,
        wanted: asyncio.Future[Connection],
        opening: Future[_Opened],
    ) -> None:
        """Bring what a thread opened to the event loop."""
        if opening.cancelled():
            return
        try:
            loop.call_soon_threadsafe(self._opened, loop, wanted, opening)
        except RuntimeError:  # the loop has been closed meanwhile
            if not opening.exception():
                opening.result().connection.close()

    def _opened(
        self,
        loop: asyncio.AbstractEventLoop,
        wanted: asyncio.Future[Connection],
        opening: Future[_Opened],
    ) -> None:
        """Hand over what was opened; a failure is that of who asked, and others who counted on it ask anew."""
        self._openings.remove(opening)
        if not self._openings:
            self._nothing_opens.set()
        error = opening.exception()
        if error is None:
            opened = opening.result()
            self._opening_takes = opened.took
            self.take_back(Connection(opened.connection.sock, loop, opened.at))
            return
        if wanted in self._wanted:
            self._wanted.remove(wanted)
        if not wanted.done():
            wanted.set_exception(NotSentError(f"no connection: {type(error).__name__}"))
        elif self._wanted:
            self._open_for(loop, self._wanted[0])

    def _open(self) -> _Opened:
        if self._ssl_context:
            connection: HTTPConnection = HTTPSConnection(
                self._host, self._port, timeout=CONNECT_TIMEOUT, ssl_context=self._ssl_context.result()
            )
        else:
            connection = HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        began = time.monotonic()
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        now = time.monotonic()
        return _Opened(connection, now, now - began)


def _ssl_context() -> ssl.SSLContext:
    """Return the one for the life of the process, with the certificate authorities loaded."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context
