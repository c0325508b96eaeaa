"""One response out of bytes as the network brings them."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.http.response import MAX_BODY, MAX_HEAD, BadResponseError, Response, ResponseReader
from tests.unit.http.responses import SentResponse, by_h11, by_http_client, mutated, ours, responses, split
from tests.unit.strategies import examples

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"success":"1"}'
SUCCESS = Response(200, b'{"success":"1"}')
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def fed(*pieces: bytes) -> tuple[Response | None, ResponseReader]:
    """Feeds the pieces up to the first answer, or the server's end of the connection."""
    reader = ResponseReader()
    for piece in pieces:
        if answer := reader.feed(piece):
            return answer, reader
    return reader.end(closed=True), reader


# --- laws ---------------------------------------------------------------------------------------------------


@examples(300)
@given(st.data())
def test_a_response_is_read_whole_at_its_last_byte_however_it_is_split(data: st.DataObject) -> None:
    response = data.draw(responses())
    reader = ResponseReader()
    answers = [reader.feed(piece) for piece in data.draw(split(response.wire))]
    assert not any(answers[:-1])
    answer = reader.end(closed=True) if response.until_close else answers[-1]
    assert answer == Response(response.status, response.body, response.retry_after, complete=True)
    assert reader.keep_alive == (response.keep_alive and not response.until_close)


@examples(300)
@given(responses(until_close=False), st.data())
def test_a_response_that_was_cut_is_never_whole(response: SentResponse, data: st.DataObject) -> None:
    reader = ResponseReader()
    cut = data.draw(st.integers(0, len(response.wire) - 1))
    assert reader.feed(response.wire[:cut]) is None
    answer = reader.end(closed=data.draw(st.booleans()))
    assert answer is None or not answer.complete
    assert not reader.keep_alive


@examples(200)
@given(responses(until_close=False), st.binary(min_size=1))
def test_what_follows_a_response_is_not_part_of_it(response: SentResponse, more: bytes) -> None:
    reader = ResponseReader()
    answer = reader.feed(response.wire + more)
    assert answer == Response(response.status, response.body, response.retry_after)
    assert not reader.keep_alive


TOKENS = st.sampled_from(
    [
        *(
            b"HTTP/1.1 ",
            b"HTTP/1.0 ",
            b"200",
            b"100",
            b"101",
            b" OK",
            b"\r\n",
            b"\n",
            b"\r",
            b"\r\n\r\n",
            b":",
            b" ",
        ),
        *(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"5\r\nhello\r\n"),
        *(b"9" * 5000, b"-1", b"0\r\n\r\n", b"ffffffff\r\n", b"Retry-After: \xff\r\n", b"x" * 2000, OK, CHUNKED),
    ]
)


@examples(500)
@given(st.lists(TOKENS | st.binary(max_size=20), max_size=12))
def test_arbitrary_bytes_are_a_response_or_not_and_nothing_else(pieces: list[bytes]) -> None:
    reader = ResponseReader()
    answer = None
    try:
        for piece in pieces:
            answer = answer or reader.feed(piece)
    except BadResponseError:
        assert answer is None
    else:
        answer = answer or reader.end(closed=True)
        assert answer is None or 101 <= answer.status <= 999


@examples(500)
@given(mutated())
def test_no_success_where_other_readers_see_none_and_no_connection_kept_that_they_close(wire: bytes) -> None:
    found = ours(wire)
    peers = [peer for peer in (by_http_client(wire.lstrip(b"\r\n")), by_h11(wire)) if peer]
    if found and found.status in range(200, 300) and found.body == SUCCESS.body:
        seen = [(peer.status, peer.body) for peer in peers]
        assert (found.status, found.body) in seen, "delivered, for us alone"
    if found and found.kept:
        assert any(peer.kept for peer in peers), "kept, by us alone"


# --- the connection -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "header", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Connection: keep-alive\r\n", True),
        ("1.1", "Connection: close\r\n", False),
        ("1.1", "connection:CLOSE\r\n", False),
        ("1.1", "Connection: foo, close\r\n", False),
        ("1.0", "", False),
        ("1.0", "Connection: close\r\n", False),
        ("1.0", "Connection: Keep-Alive\r\n", True),
        ("1.0", "Connection: keep-alive, close\r\n", False),
        ("1.0", "Connection: keep-alive\r\nConnection: close\r\n", False),
    ],
)
def test_whether_the_connection_may_be_used_again(version: str, header: str, *, kept: bool) -> None:
    head = f"HTTP/{version} 200 OK\r\n{header}"
    for framed in ("Content-Length: 2\r\n\r\nhi", "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"):
        answer, reader = fed((head + framed).encode())
        assert answer == Response(200, b"hi")
        assert reader.keep_alive is (kept and not (version == "1.0" and "chunked" in framed)), "1.0 has no chunks"
    _, reader = fed((head + "\r\nhi").encode())
    assert not reader.keep_alive


def test_nothing_is_http_after_a_switch_of_protocols() -> None:
    answer, reader = fed(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: fake\r\n\r\n")
    assert answer == Response(101, b"")
    assert not reader.keep_alive


# --- what came when the end did -----------------------------------------------------------------------------


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("came", [b"", b"HTTP/1.1 200 OK\r\n", OK[:38], b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_without_a_head_there_is_no_answer(came: bytes, *, closed: bool) -> None:
    reader = ResponseReader()
    assert reader.feed(came) is None
    assert reader.end(closed=closed) is None


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(
    ("came", "body"),
    [
        (OK[:-1], b'{"success":"1"'),
        (CHUNKED + b'f\r\n{"success":"1"}\r\n', b'{"success":"1"}'),
        (CHUNKED + b'f\r\n{"success":"1"}\r\n0\r\n', b'{"success":"1"}'),
        (CHUNKED + b'f\r\n{"success":"1"}\r\n0\r\nX-Trailer: 1\r\n', b'{"success":"1"}'),
        (CHUNKED + b"5\r\nhel", b"hel"),
        (CHUNKED, b""),
    ],
)
def test_of_a_body_that_was_cut_the_part_that_came_is_shown(came: bytes, body: bytes, *, closed: bool) -> None:
    reader = ResponseReader()
    assert reader.feed(came) is None
    assert reader.end(closed=closed) == Response(200, body, complete=False)


def test_a_body_that_ends_with_the_connection_is_whole_only_when_the_server_ended_it() -> None:
    for closed in (True, False):
        reader = ResponseReader()
        assert reader.feed(b'HTTP/1.1 200 OK\r\n\r\n{"success":"1"}') is None
        assert reader.end(closed=closed) == Response(200, SUCCESS.body, complete=closed)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("framing", [b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 15\r\n"])
def test_some_answers_have_no_body_whatever_their_head_says(status: bytes, framing: bytes) -> None:
    answer, reader = fed(b"HTTP/1.1 " + status + b"\r\n" + framing + b"\r\n")
    assert answer == Response(int(status[:3]), b"")
    assert reader.keep_alive


TWO_LINES = b"HTTP/1.1 200 OK\r\nConnection: close, TE\r\nConnection: keep-alive\r\nContent-Length: 15\r\n\r\n"


# What others found: nodejs/llhttp's test data, and RFC 9110 section 5.3 (lines of one name are one list).
@pytest.mark.parametrize(
    ("wire", "body", "kept"),
    [
        (TWO_LINES + SUCCESS.body, SUCCESS.body, False),
        (CHUNKED.replace(b"chunked", b"chunkedchunked") + b"2\r\nOK\r\n0\r\n\r\n", b"2\r\nOK\r\n0\r\n\r\n", False),
        (
            CHUNKED.replace(b"chunked\r\n", b"chunked\r\n  abc\r\n") + b"5\r\nWorld\r\n0\r\n\r\n",
            b"5\r\nWorld\r\n0\r\n\r\n",
            False,
        ),
        (b"\r\n" + OK, SUCCESS.body, True),
    ],
    ids=["two Connection lines", "a coding that is not chunked", "a folded coding", "a blank line first"],
)
def test_what_other_readers_know(wire: bytes, body: bytes, *, kept: bool) -> None:
    for pieces in ([wire], [bytes([byte]) for byte in wire]):
        answer, reader = fed(*pieces)
        assert answer == Response(200, body)
        assert reader.keep_alive is kept


def compressed_response(name: bytes, packed: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (name, len(packed)) + packed


@pytest.mark.parametrize(("name", "window"), [(b"gzip", 31), (b"x-gzip", 31), (b"deflate", 15), (b"deflate", -15)])
def test_a_compressed_body_is_decoded(name: bytes, window: int) -> None:
    compressor = zlib.compressobj(wbits=window)
    packed = compressor.compress(SUCCESS.body) + compressor.flush()
    assert fed(compressed_response(name, packed))[0] == SUCCESS
    cut, _ = fed(compressed_response(name, packed)[:-1])
    assert cut is not None
    assert not cut.complete


def test_a_compressed_body_is_decoded_within_bounds() -> None:
    answer, _ = fed(compressed_response(b"gzip", gzip.compress(b" " * (50 * MAX_BODY))))
    assert answer is not None
    assert len(answer.body) == MAX_BODY


# --- limits and nonsense ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "framed",
    [
        b"\r\n" + b"x" * (MAX_BODY + 2 * MAX_HEAD),
        b"Transfer-Encoding: chunked\r\n\r\n" + (b"1000\r\n" + b"x" * 4096 + b"\r\n") * 300,
        b"Content-Length: 9999999\r\n\r\n" + b"x" * (MAX_BODY + 2 * MAX_HEAD),
    ],
    ids=["until close", "chunked", "length"],
)
def test_of_an_endless_body_the_first_megabyte_is_the_answer(framed: bytes) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + framed
    answer, reader = fed(*(data[start : start + 65_536] for start in range(0, len(data), 65_536)))
    assert answer == Response(200, b"x" * MAX_BODY)
    assert not reader.keep_alive


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 000 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"<html>\n\n",
        b"\x00\x01\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nnonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"x" * (MAX_HEAD + 1),
        CHUNKED + b"hello\r\n",
        CHUNKED + b"\r\n",
        CHUNKED + b"-5\r\n",
        CHUNKED + b"5\r\nhello!\r\n",
        CHUNKED + b"5\r\nhelloXX0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\ngzip",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nF\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    ],
    ids=lambda nonsense: repr(nonsense[-50:]),
)
def test_nonsense_is_refused(nonsense: bytes) -> None:
    with pytest.raises(BadResponseError) as refused:
        ResponseReader().feed(nonsense)
    assert len(str(refused.value)) < 40


def test_a_length_that_is_said_twice_is_refused() -> None:
    with pytest.raises(BadResponseError):
        fed(OK.replace(b"\r\n\r\n", b"\r\ncontent-length:15\r\n\r\n"))
