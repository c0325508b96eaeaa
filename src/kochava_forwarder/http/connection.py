"""One HTTP exchange at a time over an open connection, on the event loop.

A request costs no thread, has a deadline that no dripping server can move, and it is known at every moment
whether it was wholly written: that decides between "unavailable" and "ambiguous".
"""

import asyncio
import select
import ssl
from socket import gaierror, socket

from kochava_forwarder.http.response import BadResponseError, Response, ResponseReader

KEEP_IDLE = 50.0  # seconds; less than the 60 after which load balancers commonly drop a connection
MAX_AGE = 300.0  # seconds that a connection is used: a name that moves is noticed, at a handshake in five minutes
SHORTEST_IDLE = 1.0  # seconds; a server that ends a connection sooner has another reason than that it is idle
MARGIN = 2.0  # seconds before a server ends an idle connection in which no request is sent: it might meet the end
RECEIVE_BYTES = 64 * 1024
_CLOSED, _LATE = "connection closed", "no answer in time"
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_REASONS = (  # the first that fits
    (ssl.SSLCertVerificationError, "certificate not trusted"),
    (ssl.SSLEOFError, _CLOSED),
    (ssl.SSLError, "TLS failed"),
    (gaierror, "unknown host"),
    (ConnectionRefusedError, "refused"),
    (ConnectionError, "connection reset"),
    (TimeoutError, "timed out"),
    (OSError, "unreachable"),
)


class NotSentError(Exception):
    """The request did not reach the server whole, so the server cannot have acted on it."""


class NoAnswerError(Exception):
    """The request was written, and no answer came: the server may have acted on it."""


def reason_for(error: BaseException) -> str:
    """Return what went wrong with a socket, in words that name no class of a library."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "failed")


class Connection:
    """An open connection, waited for by the event loop; one exchange at a time.

    Args:
        sock: connected, and through with its TLS handshake.
        loop: the event loop that it belongs to.
        opened: when it was, by the loop's clock: perhaps long ago, if that was between two invocations.

    Attributes:
        fresh: whether it has carried no request yet.
        keep_idle: seconds that it may be idle: the server announced its limit, or showed it by an end.
    """

    def __init__(self, sock: socket, loop: asyncio.AbstractEventLoop, opened: float) -> None:
        self.closed = False
        self.fresh = True
        self.keep_idle = KEEP_IDLE
        self._opened = self._idle_since = opened
        self._idle = 0.0  # seconds, before the exchange
        self._sock = sock
        self._sock.settimeout(0)
        self._ready = select.poll()
        self._ready.register(sock, select.POLLIN)
        self._loop = loop
        self._awaited: asyncio.Future[Response] | None = None  # while an exchange has no result yet
        self._reader = ResponseReader()
        self._unsent = memoryview(b"")
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        loop.add_reader(self._sock, self._on_readable)

    def is_usable(self, keep_idle: float) -> bool:
        """Tell whether a request may be sent; notice an end, or an unasked response, that nobody has seen yet.

        Args:
            keep_idle: seconds that it may have been idle at most.
        """
        if not self.closed and self._ready.poll(0):  # a read would tell as well, at five times the cost over TLS
            self._on_readable()
        now = self._loop.time()
        in_time = now - self._idle_since < min(keep_idle, self.keep_idle) and now - self._opened < MAX_AGE
        return in_time and not self.closed

    async def exchange(self, request: bytes, deadline: float) -> Response:
        """Write the request and return the response; close the connection unless it may be used again.

        Raises:
            NotSentError: the request was not wholly written.
            NoAnswerError: it was, and no answer came by `deadline` (the loop's time).
        """
        now = self._loop.time()
        if now >= deadline:
            raise NotSentError("not sent: no time left")
        self.fresh = False
        self._idle = now - self._idle_since
        self._reader = ResponseReader()
        self._unsent = memoryview(request)
        awaited: asyncio.Future[Response] = self._loop.create_future()
        self._awaited = awaited
        self._watch(deadline)
        try:
            self._write()
            return await awaited
        except BaseException:  # cancelled, too
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        if not self.closed:
            self.closed = True
            self._awaited = None
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock.close()

    def _watch(self, deadline: float) -> None:
        """See to it that the exchange ends by `deadline`, with a timer that serves many exchanges."""
        self._deadline = deadline
        if self._timer and self._timer.when() > deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._awaited is None:
            return
        if self._loop.time() < self._deadline:
            self._watch(self._deadline)
        else:
            self._give_up(_LATE)

    def _give_up(self, reason: str) -> None:
        """End the exchange, but first read what has arrived: a process that was frozen hears of the time first."""
        while self._awaited and self._on_readable():
            pass
        self._end(reason)

    def _write(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except _LATER:
            self._loop.add_writer(self._sock, self._on_writable)
        except OSError as error:
            self._give_up(reason_for(error))  # the server may have answered before it hung up

    def _on_writable(self) -> None:
        self._loop.remove_writer(self._sock)
        self._write()

    def _on_readable(self) -> bool:
        """Read once; return whether there may be more to read."""
        problem = _CLOSED
        try:
            data = self._sock.recv(RECEIVE_BYTES)
        except _LATER:
            return False
        except OSError as error:
            data, problem = b"", reason_for(error)
        if self._awaited is None:  # the end, or data that nobody asked for
            self.close()
        elif data:
            self._read(data)
        else:
            self._end(problem)
        return bool(data)

    def _read(self, data: bytes) -> None:
        try:
            response = self._reader.feed(data)
        except BadResponseError as error:
            self._conclude((NotSentError if self._unsent else NoAnswerError)(f"not an HTTP response: {error}"))
        else:
            if response:
                self._conclude(response)

    def _end(self, reason: str) -> None:
        """End the exchange with what has come of the response."""
        if response := self._reader.end(closed=reason == _CLOSED):
            self._conclude(response)
        elif self._unsent:
            self._conclude(NotSentError(f"not sent: {reason}"))
        else:
            if reason != _LATE and self._idle >= SHORTEST_IDLE:  # ended as it was used again
                self.keep_idle = _less_margin(self._idle)
            self._conclude(NoAnswerError(f"sent, but {reason}"))

    def _conclude(self, result: Response | Exception) -> None:
        """Give the exchange its result; whatever comes after that was not asked for."""
        awaited, self._awaited = self._awaited, None
        if awaited is None or awaited.cancelled():
            return
        self._idle_since = self._loop.time()
        if isinstance(result, Exception):
            self.close()
            awaited.set_exception(result)
            return
        if self._reader.keep_alive_seconds is not None:
            self.keep_idle = _less_margin(self._reader.keep_alive_seconds)
        if self._unsent or not self._reader.keep_alive:
            self.close()
        awaited.set_result(result)


def _less_margin(seconds: float) -> float:
    """Return for how long a connection may be idle that its server ends after so many seconds."""
    return max(seconds - MARGIN, seconds / 2)
