"""The HTTP client: bytes out, Verdict back. The only module that knows urllib3.

urllib3 opens the connections (addresses, TLS, certificates), on threads, since that blocks. From then on one
event loop waits for all of them at once: a request costs no thread, every request has a deadline of its own
that no dripping server can move, and it is known at every moment whether a request was wholly written, which
decides between "unavailable" and "ambiguous".
"""

import asyncio
import ssl
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from kochava_forwarder.answers import Answer, judge
from kochava_forwarder.http1 import BadResponseError, ResponseReader
from kochava_forwarder.outcomes import Outcome, Verdict
from kochava_forwarder.secret import Secret, SecretError
from kochava_forwarder.signing import headers

CONNECT_TIMEOUT = 5.0  # seconds for an address to answer, and for each step of a TLS handshake
KEEP_IDLE = 50.0  # seconds; less than the 60 after which load balancers commonly drop a connection
UNAUTHORIZED = (401, 403)
RECEIVE_BYTES = 64 * 1024
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class NotSentError(Exception):
    """The request did not reach Kochava whole, so Kochava cannot have counted it."""


class NoAnswerError(Exception):
    """The request was written, and no answer came: Kochava may have counted it."""


class KochavaClient:
    """Posts payloads to one endpoint over connections that are kept between invocations.

    Args:
        endpoint: the URL to post to.
        max_connections: how many requests are in flight at the most; bounds the connecting threads.
        secret: what requests are signed with; None sends them unsigned.
    """

    def __init__(self, endpoint: str, max_connections: int, secret: Secret | None = None) -> None:
        parts = urlsplit(endpoint)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ssl_context = _ssl_context() if parts.scheme == "https" else None
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = _request_head(target, parts.netloc)
        self._secret = secret
        self._idle: list[_Connection] = []
        self._connectors = ThreadPoolExecutor(max_connections, thread_name_prefix="connect")

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Posts one payload; returns what Kochava's answer, or its absence, means.

        Args:
            payload: the request body.
            timeout: seconds for all of it: connecting, writing, the answer to its last byte.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        try:
            if self._secret:
                answer = await self._send_signed(payload, self._secret, deadline)
            else:
                answer = await self._send(self._request(payload), deadline)
        except NotSentError as error:
            return Verdict(Outcome.UNAVAILABLE, str(error))
        except NoAnswerError as error:
            return Verdict(Outcome.AMBIGUOUS, str(error))
        except SecretError as error:
            return Verdict(Outcome.MISCONFIGURED, f"KOCHAVA_SECRET_ID: the secret {error}")
        return judge(answer, payload)

    def close(self) -> None:
        """Closes the kept connections and ends the threads; the client is not used afterwards."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        self._connectors.shutdown(wait=False, cancel_futures=True)

    async def _send_signed(self, payload: bytes, secret: Secret, deadline: float) -> Answer:
        """Sends with the known credentials; when they are refused, once more with others, if there are any."""
        try:
            async with asyncio.timeout_at(deadline):
                credentials = await secret.credentials()
        except TimeoutError:
            raise SecretError("cannot be read in time") from None
        answer = await self._send(self._request(payload, headers(payload, credentials)), deadline)
        if answer.status not in UNAUTHORIZED:
            return answer
        try:
            async with asyncio.timeout_at(deadline):
                renewed = await secret.renewed(credentials)
        except TimeoutError:
            renewed = None
        if renewed is None:
            return answer
        return await self._send(self._request(payload, headers(payload, renewed)), deadline)

    def _request(self, payload: bytes, headers: bytes = b"") -> bytes:
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, headers, len(payload), payload)

    async def _send(self, request: bytes, deadline: float) -> Answer:
        loop = asyncio.get_running_loop()
        while connection := self._reusable(loop.time()):
            try:
                return self._keep(connection, await connection.exchange(request, deadline))
            except NotSentError:  # the server had closed a kept connection: nothing was sent, a fresh one decides
                if loop.time() >= deadline:
                    raise
        connection = await self._connect(deadline)
        return self._keep(connection, await connection.exchange(request, deadline))

    def _keep(self, connection: "_Connection", answer: Answer) -> Answer:
        if not connection.closed:
            self._idle.append(connection)
        return answer

    def _reusable(self, now: float) -> "_Connection | None":
        while self._idle:
            connection = self._idle.pop()  # the one used last is the likeliest to live
            if connection.is_alive(now):
                return connection
            connection.close()
        return None

    async def _connect(self, deadline: float) -> "_Connection":
        loop = asyncio.get_running_loop()
        opening = self._connectors.submit(self._open)
        try:
            async with asyncio.timeout_at(deadline):
                opened = await asyncio.wrap_future(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            raise NotSentError("no connection in time") from None
        except (HTTPError, OSError) as error:
            raise NotSentError(f"no connection: {type(error).__name__}") from error
        return _Connection(opened, loop)

    def _open(self) -> HTTPConnection:
        if self._ssl_context:
            connection: HTTPConnection = HTTPSConnection(
                self._host, self._port, timeout=CONNECT_TIMEOUT, ssl_context=self._ssl_context
            )
        else:
            connection = HTTPConnection(self._host, self._port, timeout=CONNECT_TIMEOUT)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

def _ssl_context() -> ssl.SSLContext:
    """Returns the one for the life of the process: it takes 20 ms, and is made while Lambda gives a whole core."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context


def _request_head(target: str, host: str) -> bytes:
    """Returns the request's head up to its Content-Length.

    ``User-Agent: Unknown`` always: Kochava falls back to the request's own User-Agent, and would take an HTTP
    library for the user's device (OURS, after DOC "S2S without Device UA").
    """
    return (
        f"POST {target} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: Unknown\r\n"
        "Content-Type: application/json\r\n"
        "Accept-Encoding: identity\r\n"
    ).encode("ascii")


def _close_late(opening: Future[HTTPConnection]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class _Connection:
    """A connection that urllib3 opened, waited for by the event loop; one exchange at a time."""

    def __init__(self, opened: HTTPConnection, loop: asyncio.AbstractEventLoop) -> None:
        self.closed = False
        self._opened = opened
        self._sock = opened.sock
        self._sock.settimeout(0)
        self._loop = loop
        self._idle_since = loop.time()
        self._answer: asyncio.Future[Answer] | None = None
        self._reader = ResponseReader()
        self._unsent: memoryview = memoryview(b"")
        self._writes_later = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        loop.add_reader(self._sock, self._on_readable)

    def is_alive(self, now: float) -> bool:
        """Tells whether the connection may be used again; notices an end that came while nobody looked."""
        if not self.closed and now - self._idle_since < KEEP_IDLE:
            self._on_readable()
        return not self.closed and now - self._idle_since < KEEP_IDLE

    async def exchange(self, request: bytes, deadline: float) -> Answer:
        """Writes the request and returns the answer; closes the connection unless it may be used again.

        Raises:
            NotSentError: the request was not wholly written.
            NoAnswerError: it was, and no answer came by `deadline` (the loop's time).
        """
        self._reader = ResponseReader()
        self._unsent = memoryview(request)
        self._answer = self._loop.create_future()
        self._watch(deadline)
        try:
            self._write()
            answer = await self._answer
        except BaseException:
            self.close()
            raise
        finally:
            self._answer = None
        if self._unsent or not self._reader.keep_alive:
            self.close()
        self._idle_since = self._loop.time()
        return answer

    def close(self) -> None:
        """Closes the connection; twice is once."""
        if not self.closed:
            self.closed = True
            if self._timer:
                self._timer.cancel()
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._opened.close()

    def _watch(self, deadline: float) -> None:
        """Sees to it that the exchange ends by `deadline`, with a timer that serves many exchanges."""
        self._deadline = deadline
        if self._timer and self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._answer is None:
            return
        if self._loop.time() < self._deadline:
            self._watch(self._deadline)
        else:
            self._end("no answer in time")

    def _write(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except _LATER:
            self._writes_later = True
            self._loop.add_writer(self._sock, self._write)
        except OSError as error:
            self._on_readable()  # the server may have answered before it hung up
            self._end(type(error).__name__)
        else:
            if self._writes_later:
                self._writes_later = False
                self._loop.remove_writer(self._sock)

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except _LATER:
            return
        except OSError as error:
            self._end(type(error).__name__)
            return
        if not data:
            self._end("connection closed", closed=True)
        elif self._answer is None:
            self.close()  # nothing was asked
        elif self._answer.done():
            self._reader.keep_alive = False  # more than was asked
        else:
            try:
                answer = self._reader.feed(data)
            except BadResponseError as error:
                self._answer.set_exception(NoAnswerError(f"not an HTTP response ({error})"))
            else:
                if answer:
                    self._answer.set_result(answer)

    def _end(self, reason: str, *, closed: bool = False) -> None:
        """Ends the exchange with what there is; `closed` tells that the server ended the connection in order."""
        if self._answer is None:
            self.close()
        elif not self._answer.done():
            if answer := self._reader.end(closed=closed):
                self._answer.set_result(answer)
            elif self._unsent:
                self._answer.set_exception(NotSentError(f"not sent: {reason}"))
            else:
                self._answer.set_exception(NoAnswerError(f"sent, but {reason}"))
