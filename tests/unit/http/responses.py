"""HTTP responses as bytes, good ones and nearly good ones, and what other readers make of them."""

import http.client
import io
from dataclasses import dataclass
from typing import NamedTuple

import h11
from hypothesis import strategies as st

from kochava_forwarder.http.response import BadResponseError, ResponseReader

SWITCHING_PROTOCOLS = 101


@dataclass(frozen=True, slots=True)
class SentResponse:
    """A response as bytes, and what a reader must make of it."""

    wire: bytes
    status: int
    body: bytes
    retry_after: str | None
    keep_alive: bool
    keep_alive_seconds: int | None = None
    until_close: bool = False


_BODY_PIECES = [
    b'{"success":"1"}',
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"a",
    b"\x00\xff",
]
_FOLDED = "X-Policy: self;\r\n\t and-more;"
_EXTRA_HEADERS = [
    "Server: fake",
    "Set-Cookie: a=b",
    "X-Empty:",
    "X-Long: " + "x" * 300,
    "Content-Type: text/html",
    _FOLDED,
]
_WITHOUT_BODY = (204, 304)
_INTERIM = [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nRetry-After: 1\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 102\r\n\r\n",
]


@st.composite
def responses(draw: st.DrawFn, *, until_close: bool = True) -> SentResponse:
    """Draw a correct response, framed in any of the ways that HTTP knows."""
    status = draw(st.sampled_from([200, 200, 200, 204, 301, 304, 400, 429, 500, 503, 599]))
    body = b"".join(draw(st.lists(st.sampled_from(_BODY_PIECES) | st.binary(max_size=40), max_size=6)))
    retry_after = draw(st.none() | st.sampled_from(["7", "Fri, 31 Dec 1999 23:59:59 GMT"]))
    minor = draw(st.sampled_from([0, 1, 1, 1]))
    connection = draw(st.sampled_from([None, None, "close", "Close", "keep-alive", "Keep-Alive", "TE, close"]))
    framing = draw(st.sampled_from(["length", "chunked", "until-close"] if until_close else ["length", "chunked"]))
    headers = draw(st.lists(st.sampled_from(_EXTRA_HEADERS), max_size=3, unique=True))
    seconds = draw(st.none() | st.integers(0, 99))
    if retry_after is not None:
        headers.append(draw(st.sampled_from(["Retry-After: ", "retry-after:"])) + retry_after)
    if connection is not None:
        headers.append(f"Connection: {connection}")
    if seconds is not None:
        headers.append(
            draw(st.sampled_from(["Keep-Alive: timeout={}", "keep-alive:max=9, Timeout={}"])).format(seconds)
        )
    if status in _WITHOUT_BODY:
        body = framed = b""
    elif framing == "length":
        headers.append(f"Content-Length: {len(body)}")
        framed = body
    elif framing == "chunked":
        headers.append("Transfer-Encoding: chunked")
        framed = draw(_chunks(body))
    else:
        framed = body
    chunked = framing == "chunked" and status not in _WITHOUT_BODY
    ending = draw(st.sampled_from(["\r\n", "\r\n", "\r\n", "\n"]))
    interim = "".join(draw(st.lists(st.sampled_from(_INTERIM), max_size=2)))
    lines = [f"HTTP/1.{minor} {status} {draw(st.sampled_from(['OK', '', 'Not so good']))}", *headers, "", ""]
    wanted = (connection or "").lower()
    asked_to_keep = wanted == "keep-alive" and not chunked if minor == 0 else "close" not in wanted
    return SentResponse(
        wire=(interim + ending.join(lines)).encode() + framed,
        status=status,
        body=body,
        retry_after=retry_after,
        keep_alive=asked_to_keep and ending == "\r\n" and _FOLDED not in headers,
        keep_alive_seconds=seconds,
        until_close=framing == "until-close" and status not in _WITHOUT_BODY,
    )


@st.composite
def _chunks(draw: st.DrawFn, body: bytes) -> bytes:
    framed, rest = b"", body
    while rest:
        size = draw(st.integers(1, len(rest)))
        line = draw(st.sampled_from(["%x", "%X", "0%x", '%x;name="value"'])) % size
        framed += line.encode() + b"\r\n" + rest[:size] + b"\r\n"
        rest = rest[size:]
    return framed + b"0\r\n" + draw(st.sampled_from([b"", b"", b"X-Trailer: 1\r\nRetry-After: 2\r\n"])) + b"\r\n"


@st.composite
def split(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The same bytes as a network may bring them."""
    cuts = sorted(
        draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=8) | st.just(set(range(len(data)))))
    )
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


_INSERTED = [
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b";", b"0", b"1", b"-", b"\x00", b"\xff"),
    *(
        b"\r\n\r\n",
        b"\r\n ",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n",
        b"0\r\n\r\n",
    ),
    *(
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"Content-Length: 2\r\n",
        b"Content-Length: 15\r\n",
    ),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"Transfer-Encoding: identity\r\n"),
    *(b"chunked", b"close", b"gzip, ", b'{"success":"1"}', b"F\r\n", b"RTSP/1.0 200 OK\r\n", b"Upgrade: h2c\r\n"),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a response in which some bytes are missing, changed, doubled or inserted."""
    wire = bytearray(draw(responses()).wire)
    lines = [0, *(at + 2 for at in range(len(wire)) if wire[at : at + 2] == b"\r\n")]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.sampled_from(lines) | st.integers(0, len(wire)))
        stop = start + draw(st.sampled_from([0, 0, 1, 2]) | st.integers(0, 40))
        wire[start:stop] = draw(
            st.sampled_from([*_INSERTED, b"", bytes(wire[start:stop]) * 2]) | st.binary(max_size=2)
        )
    return bytes(wire)


class Reading(NamedTuple):
    """What a reader makes of bytes that come before the end of the connection; None: it sees no whole response."""

    status: int
    body: bytes
    kept: bool


def ours(wire: bytes) -> Reading | None:
    """Read as the forwarder does."""
    reader = ResponseReader()
    try:
        response = reader.feed(wire) or reader.end(closed=True)
    except BadResponseError:
        return None
    return Reading(response.status, response.body, reader.keep_alive) if response and response.complete else None


class _Wire(io.BytesIO):
    """Bytes that stay readable: http.client closes what it has read."""

    def close(self) -> None:
        """Stay open."""


class _Socket:
    """What http.client takes for a socket."""

    def __init__(self, data: io.BytesIO) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return self._data


def by_http_client(wire: bytes) -> Reading | None:
    """Read as the standard library does; it takes a head that was cut off for a whole one."""
    data = _Wire(wire)
    try:
        while True:
            response = http.client.HTTPResponse(_Socket(data), method="POST")  # type: ignore[arg-type]
            response.begin()
            if response.status >= 200 or response.status == SWITCHING_PROTOCOLS:  # else it is an interim one
                break
        kept = not response.will_close
        body = response.read()
    except (http.client.HTTPException, ValueError, OSError):
        return None
    return Reading(response.status, body, kept and not data.read(1))


def by_h11(wire: bytes) -> Reading | None:
    """Read as h11 does."""
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="POST", target="/", headers=[("Host", "a"), ("Content-Length", "0")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(wire)
    status, body = 0, b""
    try:
        while True:
            event = peer.next_event()
            if event is h11.NEED_DATA:
                peer.receive_data(b"")
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            elif not isinstance(event, h11.InformationalResponse):
                break
    except h11.RemoteProtocolError:
        return None
    if not status:
        return None
    return Reading(status, body, peer.their_state is h11.DONE and not peer.trailing_data[0])
