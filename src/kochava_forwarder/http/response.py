"""Read one HTTP/1.1 response out of bytes as they arrive (RFC 9112), by llhttp. Pure.

llhttp knows the syntax. Decided here is what it leaves to its user: which response is the final one, whether a
body that ends with the connection is whole, how much is read, and whether the connection may be kept.
"""

import re
import zlib
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple

import httptools

MAX_HEAD = 64 * 1024
MAX_BODY = 1024 * 1024
SWITCHING_PROTOCOLS = 101  # is final: there is no HTTP after it
_FIRST_STATUS, _FIRST_FINAL = 100, 200
_READ = frozenset(
    (b"connection", b"content-encoding", b"content-length", b"keep-alive", b"retry-after", b"transfer-encoding")
)
_TIMEOUT = re.compile(rb"\btimeout[ \t]*=[ \t]*\"?(\d{1,9})", re.IGNORECASE)
_GZIP_OR_ZLIB, _RAW_DEFLATE = zlib.MAX_WBITS | 32, -zlib.MAX_WBITS
_WINDOWS = MappingProxyType(dict.fromkeys((b"gzip", b"x-gzip", b"deflate"), (_GZIP_OR_ZLIB, _RAW_DEFLATE)))


class Response(NamedTuple):
    """One HTTP response.

    Args:
        status: the HTTP status code.
        body: what was read of the body, decoded from its transfer and content codings.
        retry_after: the Retry-After header as sent, if there was one.
        complete: whether the whole body was read.
    """

    status: int
    body: bytes
    retry_after: str | None = None
    complete: bool = True


class BadResponseError(Exception):
    """What came is not an HTTP/1.x response."""


class ResponseReader:
    """Collect the bytes of one response; llhttp calls the methods ``on_...``.

    Attributes:
        keep_alive: once the response is whole, whether the connection may carry another request.
        keep_alive_seconds: how long the server keeps the connection idle, if it said so.
    """

    keep_alive = False
    keep_alive_seconds: int | None = None
    _received = 0  # bytes
    _strict = True
    _status = 0
    _head = b""  # all that has come, until the head is whole
    _head_whole = False
    _response: Response | None = None  # once it is whole

    def __init__(self) -> None:
        self._headers: dict[bytes, bytes] = {}  # those of _READ, joined where one came twice
        self._body = bytearray()
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> Response | None:
        """Take the next bytes; return the response once it is whole.

        Of a body beyond 1 MiB the first part is the response, and the connection is not kept.

        Raises:
            BadResponseError: the bytes are not an HTTP/1.x response.
        """
        self._received += len(data)
        if not self._head_whole:
            self._head += data
        self._parse(data)
        if self._response is None and self._received > MAX_HEAD:
            if not self._head_whole:
                raise BadResponseError("an endless head")
            if self._received > MAX_HEAD + MAX_BODY:
                self._response = self._as_read(complete=True)
        if self._response:
            del self._parser  # it knows this object: a circle would be work for the garbage collector
        return self._response

    def end(self, *, closed: bool) -> Response | None:
        """Return what came by the end, or None when not even the head did.

        Args:
            closed: the server ended the connection (which is one way to end a body); else time ran out.
        """
        if not self._head_whole:
            return None
        chunked = self._headers.get(b"transfer-encoding", b"").strip().lower() == b"chunked"
        return self._as_read(complete=closed and not chunked and b"content-length" not in self._headers)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header that is read here, unless it comes after the body."""
        name = name.lower()
        if name in _READ and not self._head_whole:
            self._headers[name] = self._headers[name] + b", " + value if name in self._headers else value

    def on_headers_complete(self) -> None:
        """Refuse what llhttp takes although it is not HTTP/1.x, or leaves open how its body is to be read."""
        self._status = self._parser.get_status_code()
        if self._status < _FIRST_STATUS or not self._head.lstrip(b"\r\n").startswith(b"HTTP/1."):
            raise BadResponseError("no status line")
        if b"," in self._headers.get(b"transfer-encoding", b""):
            raise BadResponseError("several transfer codings")
        self._head_whole = True

    def on_body(self, data: bytes) -> None:
        """Collect a piece of the body."""
        self._body += data

    def on_message_complete(self) -> None:
        """Take the response, unless it is an interim one, or follows the one that was asked for."""
        if self._status < _FIRST_FINAL and self._status != SWITCHING_PROTOCOLS:
            self._headers.clear()
            self._head_whole = False
        elif self._response is None:
            self._response = self._as_read(complete=True)
            self.keep_alive = (
                self._parser.should_keep_alive()
                and self._strict
                and self._status != SWITCHING_PROTOCOLS
                and b"close" not in self._headers.get(b"connection", b"").lower()
                and (b"transfer-encoding" not in self._headers or self._parser.get_http_version() != "1.0")
            )
            if b"keep-alive" in self._headers and (announced := _TIMEOUT.search(self._headers[b"keep-alive"])):
                self.keep_alive_seconds = int(announced[1])

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data[:-1])
            if self._response is None:
                self._parser.feed_data(data[-1:])  # alone, to see whether the response ended before the data did
                return
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._response is None:
                self._on_refusal(error)
                return
        self.keep_alive = False  # more came than was asked for

    def _on_refusal(self, error: Exception) -> None:
        """Read a head again that has folded lines or bare newlines, as other clients do; it is not kept."""
        if isinstance(error.__context__, BadResponseError):  # raised by one of the methods above
            raise error.__context__ from None
        if self._head_whole:
            raise BadResponseError("a malformed body") from None
        if self._strict:
            self._strict = False
            self._headers.clear()
            self._parser = httptools.HttpResponseParser(self)
            self._parser.set_dangerous_leniencies(lenient_headers=True, lenient_optional_cr_before_lf=True)
            self._parse(self._head)
        elif isinstance(error, httptools.HttpParserInvalidStatusError) or self._parser.get_status_code() == 0:
            raise BadResponseError("no status line") from None
        else:
            raise BadResponseError("a malformed header line") from None

    def _as_read(self, *, complete: bool) -> Response:
        body = bytes(self._body[:MAX_BODY])
        if b"content-encoding" in self._headers and body:
            body, whole = _decoded(body, self._headers[b"content-encoding"])
            complete = complete and whole
        retry_after = self._headers.get(b"retry-after")
        return Response(
            self._status, body, None if retry_after is None else retry_after.decode("latin-1"), complete
        )


def _decoded(body: bytes, codings: bytes) -> tuple[bytes, bool]:
    """Decompress up to 1 MiB; return it, and whether that is all. What was not compressed stays as it is."""
    whole = True
    for coding in reversed(codings.lower().split(b",")):
        for window in _WINDOWS.get(coding.strip(), ()):
            decompressor = zlib.decompressobj(window)
            with suppress(zlib.error):
                decoded = decompressor.decompress(body, MAX_BODY)
                if decompressor.eof or window == _GZIP_OR_ZLIB:  # other bytes, too, may begin like raw deflate
                    whole = whole and (decompressor.eof or len(decoded) == MAX_BODY)
                    body = decoded
                    break
    return body, whole
