"""Bytes into requests."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import httptools

type Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its end or, when it is to be reset before, only its headers.

    Attributes:
        method: such as "POST".
        target: path and query.
        headers: names in lower case with their values, in order of arrival.
        body: the exact bytes.
        arrived: monotonic seconds at which it began to arrive.
        keep_alive: whether the client wants the connection to stay.
        connection: the number of its TCP connection, from 1.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    arrived: float
    keep_alive: bool
    connection: int


class Reader:
    """Listens to a parser and hands on complete requests.

    Args:
        connection: the number of the TCP connection.
        started: called when the headers of a request are there; False stops the reading for good.
        complete: called with each complete request.
    """

    def __init__(
        self, connection: int, started: Callable[[Request], bool], complete: Callable[[Request], None]
    ) -> None:
        self._connection = connection
        self.parser = httptools.HttpRequestParser(self)
        self._started = started
        self._complete = complete
        self._stopped = False
        self.on_message_begin()

    def on_message_begin(self) -> None:
        """Start a new request."""
        self._target = b""
        self._headers: Headers = []
        self._body: list[bytes] = []
        self._arrived = time.monotonic()

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        """Ask whether to read on."""
        self._stopped = self._stopped or not self._started(self._request())

    def on_body(self, part: bytes) -> None:
        """Take a part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Hand on the request."""
        if not self._stopped:
            self._complete(self._request())

    def _request(self) -> Request:
        return Request(
            method=self.parser.get_method().decode("latin-1"),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._body),
            arrived=self._arrived,
            keep_alive=self.parser.should_keep_alive(),
            connection=self._connection,
        )
