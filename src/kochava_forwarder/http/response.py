"""Read one HTTP/1.1 response out of bytes as they arrive (RFC 9112). Pure.

The standard library's parser reads from a blocking socket, takes a head that was cut off for a whole one, and
costs several times as much. Here only what a verdict needs is read: the status, how the body is framed, whether
the connection may be kept, and Retry-After.
"""

import re
from typing import NamedTuple

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024
MAX_CHUNK_LINE = 1024
MAX_LENGTH_DIGITS = 18  # int() refuses thousands of them in its own way
_END_OF_HEAD = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?=[ \r\n]|$)")
_HEADER = re.compile(
    rb"\n(content-length|transfer-encoding|connection|retry-after):[ \t]*([^\r\n]*)", re.IGNORECASE
)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
_TRAILERS = re.compile(rb"(?:[^\r\n]+\r\n)*\r\n")
SWITCHING_PROTOCOLS = 101  # is final: there is no HTTP after it
_INTERIM = frozenset(range(100, 200)) - {SWITCHING_PROTOCOLS}
_WITHOUT_BODY = frozenset({SWITCHING_PROTOCOLS, 204, 304})


class Response(NamedTuple):
    """One HTTP response.

    Args:
        status: the HTTP status code.
        body: what was read of the body, decoded from its transfer encoding.
        retry_after: the Retry-After header as sent, if there was one.
        complete: whether the whole body was read.
    """

    status: int
    body: bytes
    retry_after: str | None = None
    complete: bool = True


class BadResponseError(Exception):
    """What came is not an HTTP/1.x response."""


class _Head(NamedTuple):
    status: int
    retry_after: str | None
    chunked: bool
    length: int | None  # of the body; None: chunked, or it ends with the connection
    keep_alive: bool


class ResponseReader:
    """Collect the bytes of one response.

    Attributes:
        keep_alive: once the answer is whole, whether the connection may carry another request.
    """

    __slots__ = ("_at", "_body", "_buffer", "_head", "_searched", "keep_alive")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # where to go on looking for the end of the head
        self._head: _Head | None = None  # None until it is whole
        self._at = 0  # where the body, or its next chunk, begins
        self._body = bytearray()  # what has been decoded of a chunked body
        self.keep_alive = False

    def feed(self, data: bytes) -> Response | None:
        """Take the next bytes; return the answer once it is whole.

        Of a body beyond 1 MiB the first part is the answer, and the connection is not kept.

        Raises:
            BadResponseError: the bytes are not an HTTP/1.x response.
        """
        self._buffer += data
        head = self._head or self._find_head()
        if head is None:
            return None
        body = self._whole_body(head)
        if body is not None:
            self.keep_alive = head.keep_alive and self._at == len(self._buffer)
            return Response(head.status, body, head.retry_after)
        if len(self._buffer) > MAX_HEAD + MAX_BODY:
            return Response(head.status, self._partial_body(head)[:MAX_BODY], head.retry_after)
        return None

    def end(self, *, closed: bool) -> Response | None:
        """Return what came by the end, or None when not even the head did.

        Args:
            closed: the server ended the connection (which is one way to end a body); else time ran out.
        """
        head = self._head
        if head is None:
            return None
        whole = closed and head.length is None and not head.chunked
        return Response(head.status, self._partial_body(head), head.retry_after, complete=whole)

    def _find_head(self) -> _Head | None:
        while end := _END_OF_HEAD.search(self._buffer, max(0, self._searched - 3)):
            head = _read_head(bytes(self._buffer[: end.start()]))
            if head.status not in _INTERIM:
                self._head, self._at = head, end.end()
                return head
            del self._buffer[: end.end()]
            self._searched = 0
        self._searched = len(self._buffer)
        if self._searched > MAX_HEAD:
            raise BadResponseError("endless head")
        return None

    def _whole_body(self, head: _Head) -> bytes | None:
        if head.chunked:
            return bytes(self._body) if self._take_chunks() else None
        if head.length is None or len(self._buffer) - self._at < head.length:
            return None
        start, self._at = self._at, self._at + head.length
        return bytes(self._buffer[start : self._at])

    def _partial_body(self, head: _Head) -> bytes:
        return bytes(self._body if head.chunked else self._buffer[self._at :])

    def _take_chunks(self) -> bool:
        """Decode the chunks that have come; tell whether the last one has, with its trailers."""
        while size_line := _CHUNK_SIZE.match(self._buffer, self._at):
            size = int(size_line[1], 16)
            start = size_line.end()
            if size == 0:
                end = _TRAILERS.match(self._buffer, start)
                self._at = end.end() if end else self._at
                return end is not None
            end_of_data = start + size
            if len(self._buffer) < end_of_data + 2:
                return False
            if self._buffer[end_of_data : end_of_data + 2] != b"\r\n":
                raise BadResponseError("a chunk of the wrong size")
            self._body += self._buffer[start:end_of_data]
            self._at = end_of_data + 2
        if self._buffer.find(b"\n", self._at) >= 0 or len(self._buffer) - self._at > MAX_CHUNK_LINE:
            raise BadResponseError("a chunk without a size")
        return False


def _read_head(text: bytes) -> _Head:
    status_line = _STATUS_LINE.match(text)
    if not status_line:
        raise BadResponseError("no status line")
    headers: dict[bytes, bytes] = {}
    for written, padded in _HEADER.findall(text):
        name, value = written.lower(), padded.rstrip(b" \t")
        if name == b"content-length" and headers.get(name, value) != value:
            raise BadResponseError("two lengths")
        headers[name] = value
    status = int(status_line[2])
    coding = headers.get(b"transfer-encoding", b"").lower()
    retry_after = headers.get(b"retry-after")
    connection = headers.get(b"connection", b"").lower()
    return _Head(
        status=status,
        retry_after=None if retry_after is None else retry_after.decode("latin-1"),
        chunked=coding.endswith(b"chunked") and status not in _WITHOUT_BODY,
        length=_length(status, coding, headers.get(b"content-length")),
        keep_alive=status != SWITCHING_PROTOCOLS
        and (b"keep-alive" in connection if status_line[1] == b"0" else b"close" not in connection),
    )


def _length(status: int, coding: bytes, content_length: bytes | None) -> int | None:
    if status in _WITHOUT_BODY:
        return 0
    if coding or content_length is None:
        return None
    if not content_length.isdigit() or len(content_length) > MAX_LENGTH_DIGITS:
        raise BadResponseError("a length that is no number")
    return int(content_length)
