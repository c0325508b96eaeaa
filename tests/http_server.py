"""An HTTP server on the loopback address for stand-ins: a function answers each POST."""

import socket
import struct
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, cast

from forwarder_tools.background import Background

RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: close() sends RST


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


type Answer = Callable[[dict[str, str], str, bytes], Reply | None]
"""Headers, path and body of a request -> the reply; None resets the connection."""


class HttpServer(Background):
    """Serves while the `with` block runs; nothing of it is left afterwards.

    Args:
        name: the thread's name.
        answer: called on a thread of the connection's own.
    """

    def __init__(self, name: str, answer: Answer) -> None:
        super().__init__(name)
        self._server = _Server(answer)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def run(self) -> None:
        """Accept connections."""
        self._server.serve_forever(0.01)

    def stop(self) -> None:
        """Answer what was asked, then end every connection and its thread."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = False  # so that `server_close` waits for them

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close at once, without the orderly end that would precede a reset."""
        self._open.discard(request)
        self.close_request(request)

    def hang_up(self) -> None:
        for connection in self._open.copy():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that has gone; show the stand-in's own bugs."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        reply = cast("_Server", self.server).answer(dict(self.headers.items()), self.path, body)
        if reply is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
