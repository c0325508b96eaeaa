"""A stand-in for SQS that confirms whatever a batch call asks, and counts."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

LATENCY = 0.01
"""Seconds that a call takes: about what SQS takes within a region."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_POST(self) -> None:
        """Confirm every entry."""
        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        entries = asked.get("Entries", [])
        self.server.count(len(entries))
        time.sleep(LATENCY)
        done = [{"Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": ""} for entry in entries]
        answer = json.dumps({"Successful": done, "Failed": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *_arguments: Any) -> None:  # noqa: A002 - the base class calls it so
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    calls = 0
    entries = 0

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._counting = threading.Lock()

    def count(self, entries: int) -> None:
        with self._counting:
            self.calls += 1
            self.entries += entries


class QueueStandIn:
    """Serves on the loopback address while the `with` block runs."""

    def __init__(self) -> None:
        self._server = _Server()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> int:
        """Batch calls so far."""
        return self._server.calls

    @property
    def entries(self) -> int:
        """Entries of all of them."""
        return self._server.entries

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
