"""Reads one HTTP/1.1 response out of bytes as they arrive, with the standard library's parser. Pure.

`http.client` reads from a blocking socket; here bytes come when the network has them, and the parser is asked
only once they can be whole. A head that was cut off is never shown to it: it would take it for a whole one.
"""

import io
import re
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, cast

from kochava_forwarder.answers import Answer

if TYPE_CHECKING:
    from socket import socket

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d")  # any 1xx but 101, which is final


class BadResponseError(Exception):
    """What came is not an HTTP/1.x response."""


class ResponseReader:
    """Collects the bytes of one response.

    Attributes:
        keep_alive: once the answer is whole, whether the connection may carry another request.
    """

    __slots__ = ("_buffer", "_ends_with", "_head_size", "_parsed", "_searched", "_size", "keep_alive")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parsed: tuple[HTTPResponse, _Stream] | None = None  # when the last bytes ended the head
        self._searched = 0  # where to go on looking for the end of the head
        self._head_size = 0  # 0 until the head is whole
        self._size: int | None = None  # of the whole response; None: not told, ends with the connection
        self._ends_with: tuple[bytes, ...] = ()  # how a chunked body ends, when it is one
        self.keep_alive = False

    def feed(self, data: bytes) -> Answer | None:
        """Takes the next bytes; returns the answer once it is whole.

        Of a body beyond 1 MiB the first part is the answer, and the connection is not kept.

        Raises:
            BadResponseError: the bytes are not an HTTP/1.x response.
        """
        self._buffer += data
        self._parsed = None
        if not self._head_size and not self._find_head():
            return None
        if len(self._buffer) > self._head_size + MAX_BODY:
            return self._cut(complete=True)
        if self._ends_with:
            may_be_whole = self._buffer.endswith(self._ends_with)
        else:
            may_be_whole = self._size is not None and len(self._buffer) >= self._size
        return self._read() if may_be_whole else None

    def end(self, *, closed: bool) -> Answer | None:
        """Returns what came by the end, or None when not even the head did.

        Args:
            closed: the server ended the connection (which is one way to end a body); else time ran out.
        """
        if not self._head_size:
            return None
        return self._cut(complete=closed and self._size is None and not self._ends_with)

    def _find_head(self) -> bool:
        while end := _END_OF_HEAD.search(self._buffer, max(0, self._searched - 3)):
            if not _INTERIM.match(self._buffer):
                self._read_head(end.end())
                return True
            del self._buffer[: end.end()]
            self._searched = 0
        self._searched = len(self._buffer)
        if self._searched > MAX_HEAD:
            raise BadResponseError("endless head")
        return False

    def _read_head(self, size: int) -> None:
        self._head_size = size
        response, _ = self._parsed = self._parse()
        if response.chunked:
            self._ends_with = (b"\n\r\n", b"\n\n")
        elif response.length is not None:
            self._size = size + response.length

    def _read(self) -> Answer | None:
        response, stream = self._parsed or self._parse()
        try:
            body = response.read()
        except IncompleteRead:  # a chunk's data happens to look like the end
            return None
        except (HTTPException, ValueError) as error:
            raise BadResponseError(type(error).__name__) from error
        self.keep_alive = not response.will_close and stream.tell() == len(self._buffer)
        return _answer(response, body, complete=True)

    def _parse(self) -> "tuple[HTTPResponse, _Stream]":
        stream = _Stream(self._buffer)
        response = HTTPResponse(cast("socket", stream), method="POST")
        try:
            response.begin()
        except (HTTPException, ValueError) as error:
            raise BadResponseError(type(error).__name__) from error
        return response, stream

    def _cut(self, *, complete: bool) -> Answer:
        response, _ = self._parse()
        body = bytes(self._buffer[self._head_size : self._head_size + MAX_BODY])
        return _answer(response, body, complete=complete)


def _answer(response: HTTPResponse, body: bytes, *, complete: bool) -> Answer:
    return Answer(response.status, body, response.headers.get("Retry-After"), complete=complete)


class _Stream(io.BytesIO):
    """What `HTTPResponse` takes for a socket; stays open, so that one can see how far it was read."""

    def makefile(self, _mode: str) -> "_Stream":
        return self

    def close(self) -> None:
        """Does nothing."""
