"""The network: connections that read requests and perform the steps decided about them, in order."""

import asyncio
import socket
import struct
import time
from collections import deque
from collections.abc import Iterator

import httptools

from forwarder_tools.sandbox.answers import refusal
from forwarder_tools.sandbox.deliveries import End, Pause, Step
from forwarder_tools.sandbox.kochava import Kochava, Request

_NOT_HTTP = refusal(400, "request: not HTTP").whole("Connection: close")

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: close() sends RST


async def stop(server: asyncio.Server) -> None:
    """Stop serving: reset all connections, and return when every one is gone."""
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    # What was accepted a moment ago is attached to the server only now; closing first would leak it.
    await asyncio.sleep(0)
    server.close()
    server.abort_clients()
    await server.wait_closed()


class Connection(asyncio.Protocol):
    """One TCP connection. Requests that are pipelined are answered one after the other."""

    def __init__(self, kochava: Kochava, loop: asyncio.AbstractEventLoop) -> None:
        self._kochava = kochava
        self._loop = loop
        self._responses: deque[tuple[Iterator[Step], bool]] = deque()  # the first is the one being performed
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False
        self._stopped = False  # reading: what follows a reset before the body is no request
        self._ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the connection its number."""
        assert isinstance(transport, asyncio.Transport)  # nosec B101  # noqa: S101 - tells mypy what create_server gives
        self._transport = transport
        # asyncio sets TCP_NODELAY itself; said here because dripping relies on it.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stats = self._kochava.ledger.stats
        stats.connections += 1
        self._number = stats.connections
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._ended:
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._enqueue(iter((_NOT_HTTP, End.CLOSE)), keep_alive=False)

    def on_message_begin(self) -> None:
        """Start a new request. This and what follows is what the parser calls."""
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._arrived = time.monotonic()

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Find out whether to read the body too."""
        if not self._stopped and (steps := self._kochava.before_reading(self._request())) is not None:
            self._stopped = True
            self._enqueue(steps, keep_alive=False)

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Have the request answered."""
        if not self._stopped and not self._gone():
            request = self._request()
            self._enqueue(self._kochava.respond(request), keep_alive=request.keep_alive)

    def _request(self) -> Request:
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._body),
            arrived=self._arrived,
            keep_alive=self._parser.should_keep_alive(),
            connection=self._number,
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Give up what was not answered."""
        del exc
        self._end()

    def pause_writing(self) -> None:
        """Wait: the client reads slower than we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """Write on."""
        self._paused = False
        if self._timer is None:
            self._go_on()

    def _enqueue(self, steps: Iterator[Step], *, keep_alive: bool) -> None:
        self._kochava.ledger.begin()
        self._responses.append((steps, keep_alive))
        if len(self._responses) == 1:
            self._go_on()

    def _go_on(self) -> None:
        """Perform steps until there is one to wait for, or none left."""
        self._timer = None
        while self._responses and not self._paused and self._timer is None and not self._gone():
            steps, keep_alive = self._responses[0]
            match next(steps, None):
                case bytes(data):
                    self._transport.write(data)
                case Pause(seconds):
                    self._timer = self._loop.call_later(seconds, self._go_on)
                case End.SILENCE:
                    return
                case End.CLOSE:
                    self._end()
                    self._transport.close()
                case End.RESET:
                    self._end()
                    self._reset()
                case None:
                    self._responses.popleft()
                    self._kochava.ledger.end()
                    if not keep_alive:
                        self._end()
                        self._transport.close()

    def _gone(self) -> bool:
        # asyncio learns of a client's reset when a write fails, and complains of every write after that.
        return self._ended or self._transport.is_closing()

    def _end(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        for _ in self._responses:
            self._kochava.ledger.end()
        self._responses.clear()

    def _reset(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
