"""Between the function and the local cloud: a reverse proxy that lets calls fail, and shortens waits.

Calls that pass do so unchanged, with the function's own signature, so that the cloud still checks it and what
the role allows. A wait that the function asks for is granted by the cloud as asked; then the gateway, by
itself, has it end sooner.
"""

import json
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

import urllib3
from urllib3.exceptions import HTTPError

from forwarder_tools.localcloud import CA, LocalCloud
from tests.chaos.awsfaults import AwsFault, AwsWeather, Call, Struck, refusal, spoiled

DIVISOR = 600
"""By how much what messages wait is shortened, down to a second: half an hour is three seconds."""

TIMEOUT = 5.0
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 seconds: close() sends RST


class Gateway:
    """The proxy, serving while the `with` block runs.

    Args:
        cloud: what is behind it.
        weather: decides which calls fail.
    """

    def __init__(self, cloud: LocalCloud, weather: AwsWeather) -> None:
        self.cloud = cloud
        self.struck: list[Struck] = []
        self._weather = weather
        self._lock = threading.Lock()
        self._behind = urllib3.connection_from_url(
            cloud.url, maxsize=32, ca_certs=str(cloud.folder / CA), retries=False, timeout=TIMEOUT
        )
        self._server = _Server(self.handle)
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    @property
    def url(self) -> str:
        """Where the function's calls are to go."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and hang up on everybody."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()
        self._behind.close()

    def handle(self, headers: dict[str, str], path: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        """Answer a call with status, headers and body; None is a reset."""
        service, _, action = headers.get("X-Amz-Target", "").partition(".")
        call = Call(service, action, json.loads(body or b"{}"))
        with self._lock:
            fault = self._weather.next(call)
            if fault:
                self.struck.append(Struck(call, fault))
        if fault and not fault.done:
            return None if fault is AwsFault.RESET_BEFORE else _plain(*refusal(call, fault))
        try:
            answer = self._behind.urlopen("POST", path, body=body, headers=headers, redirect=False)
        except HTTPError:  # now and then the local cloud itself leaves a call without an answer
            self.struck.append(Struck(call, AwsFault.RESET_AFTER))
            return None
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        if call.action == "ChangeMessageVisibilityBatch" and answer.status == HTTPStatus.OK:
            self._hurry(call.asked)
        match fault:
            case None:
                return answer.status, passed, answer.data
            case AwsFault.RESET_AFTER:
                return None
            case _:
                return _plain(answer.status, spoiled(fault, answer.data))

    def _hurry(self, asked: Any) -> None:
        """Bring forward what the function has just postponed."""
        entries = [
            entry | {"VisibilityTimeout": max(1, round(entry["VisibilityTimeout"] / DIVISOR))}
            for entry in asked["Entries"]
        ]
        self.cloud.sqs.change_message_visibility_batch(QueueUrl=asked["QueueUrl"], Entries=entries)


def _plain(status: int, body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/x-amz-json-1.0"}, body


type Handle = Callable[[dict[str, str], str, bytes], tuple[int, dict[str, str], bytes] | None]


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, handle: Handle) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.handle = handle
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close at once, without the farewell that would make an orderly end of a reset."""
        self._open.discard(request)
        self.close_request(request)

    def hang_up(self) -> None:
        """End every connection, whose thread then ends too."""
        for connection in self._open.copy():
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a function that was killed as it spoke; show the gateway's own bugs."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # the name that http.server calls
        """Answer one call."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = cast("_Server", self.server).handle(dict(self.headers.items()), self.path, body)
        if answer is None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.close_connection = True
            return
        status, headers, data = answer
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
