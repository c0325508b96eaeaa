"""One HTTP exchange at a time over an open connection, on the event loop.

A request costs no thread, has a deadline that no dripping server can move, and it is known at every moment
whether it was wholly written: that decides between "unavailable" and "ambiguous".
"""

import asyncio
import select
import ssl
from socket import socket

from kochava_forwarder.http.response import BadResponseError, Response, ResponseReader

KEEP_IDLE = 50.0  # seconds; less than the 60 after which load balancers commonly drop a connection
RECEIVE_BYTES = 64 * 1024
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class NotSentError(Exception):
    """The request did not reach Kochava whole, so Kochava cannot have counted it."""


class NoAnswerError(Exception):
    """The request was written, and no answer came: Kochava may have counted it."""


class Connection:
    """An open connection, waited for by the event loop; one exchange at a time.

    Args:
        sock: connected, and through with its TLS handshake.
        loop: the event loop that it belongs to.
        opened: when it was, by the loop's clock: perhaps long ago, if that was between two invocations.
    """

    def __init__(self, sock: socket, loop: asyncio.AbstractEventLoop, opened: float) -> None:
        self.closed = False
        self.fresh = True  # until its first exchange
        self._sock = sock
        self._sock.settimeout(0)
        self._ready = select.poll()
        self._ready.register(sock, select.POLLIN)
        self._loop = loop
        self._idle_since = opened
        self._answer: asyncio.Future[Response] | None = None
        self._reader = ResponseReader()
        self._unsent: memoryview = memoryview(b"")
        self._writes_later = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        loop.add_reader(self._sock, self._on_readable)

    def is_alive(self, now: float) -> bool:
        """Tell whether the connection may be used again; notices an end that came while nobody looked."""
        if not self.closed and self._ready.poll(0):  # a read would tell as well, at five times the cost over TLS
            self._on_readable()
        return not self.closed and now - self._idle_since < KEEP_IDLE

    async def exchange(self, request: bytes, deadline: float) -> Response:
        """Write the request and return the answer; close the connection unless it may be used again.

        Raises:
            NotSentError: the request was not wholly written.
            NoAnswerError: it was, and no answer came by `deadline` (the loop's time).
        """
        self.fresh = False
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
        """Close the connection; twice is once."""
        if not self.closed:
            self.closed = True
            if self._timer:
                self._timer.cancel()
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
        """End the exchange with what there is; `closed` tells that the server ended the connection in order."""
        if self._answer is None:
            self.close()
        elif not self._answer.done():
            if answer := self._reader.end(closed=closed):
                self._answer.set_result(answer)
            elif self._unsent:
                self._answer.set_exception(NotSentError(f"not sent: {reason}"))
            else:
                self._answer.set_exception(NoAnswerError(f"sent, but {reason}"))
