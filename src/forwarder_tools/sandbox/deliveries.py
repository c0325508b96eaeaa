"""The ways an answer reaches the client, or does not: each a sequence of steps for the server to perform.

A step is bytes to send, a pause, or the end of the connection. Steps without an end leave the connection open for
the next request.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from forwarder_tools.sandbox.answers import Answer

CHUNK = 64 * 1024
"""Bytes sent at a time of a huge body."""


class End(Enum):
    """How a connection ends: closed in order, torn down with a TCP reset, or left without an answer."""

    CLOSE = auto()
    RESET = auto()
    SILENCE = auto()


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait this many seconds before the next step."""

    seconds: float


type Step = bytes | Pause | End


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a fault's options change: seconds between dripped bytes, and the bytes of a huge body."""

    every: float = 1.0
    size: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Delivery:
    """One way to deliver an answer.

    Attributes:
        label: how a log describes it, `{}` standing for the answer.
        steps: yields what the server does, one step after the other.
    """

    label: str
    steps: Callable[[Answer, Tuning], Iterator[Step]]


def _whole(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield answer.whole()


def _closing(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield answer.whole("Connection: close")
    yield End.CLOSE


def _closing_silently(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield answer.whole()
    yield End.CLOSE


def _http10(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield answer.head(version="1.0") + answer.body
    yield End.CLOSE


def _chunked(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield answer.head("Transfer-Encoding: chunked")
    middle = len(answer.body) // 2
    for part in filter(None, (answer.body[:middle], answer.body[middle:])):
        yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def _continue_first(answer: Answer, _: Tuning) -> Iterator[Step]:
    yield b"HTTP/1.1 100 Continue\r\n\r\n"
    yield answer.whole()


def _cut_headers(answer: Answer, _: Tuning) -> Iterator[Step]:
    head = answer.head(f"Content-Length: {len(answer.body)}")
    status_line = head.index(b"\r\n") + 2
    yield head[: status_line + (len(head) - status_line) // 2]
    yield End.CLOSE


def _cut_body(answer: Answer, _: Tuning) -> Iterator[Step]:
    whole = answer.whole()
    yield whole[: len(whole) - (len(answer.body) + 1) // 2]
    yield End.CLOSE


def _drip_headers(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    for byte in answer.whole():
        yield bytes((byte,))
        yield Pause(tuning.every)


def _drip_body(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    yield answer.head(f"Content-Length: {len(answer.body)}")
    for byte in answer.body:
        yield bytes((byte,))
        yield Pause(tuning.every)


def _hang(_: Answer, __: Tuning) -> Iterator[Step]:
    yield End.SILENCE


def _reset(_: Answer, __: Tuning) -> Iterator[Step]:
    yield End.RESET


def _garbage(_: Answer, __: Tuning) -> Iterator[Step]:
    yield b"\x15\x03\x01\x00\x02\x02\x46\xff\xfe\x00 this is no HTTP \x00\r\n\r\n"
    yield End.CLOSE


def _huge(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    start, end = b'{"success":"1","padding":"', b'"}'
    left = max(tuning.size - len(start) - len(end), 0)
    yield answer.head(f"Content-Length: {left + len(start) + len(end)}") + start
    while left:
        part = min(left, CHUNK)
        yield b"x" * part
        left -= part
    yield end


WHOLE = Delivery("{}", _whole)
CLOSING = Delivery("{}, closing", _closing)
CLOSING_SILENTLY = Delivery("{}, closing", _closing_silently)
HTTP10 = Delivery("{}, HTTP/1.0", _http10)
CHUNKED = Delivery("{}, chunked", _chunked)
CONTINUE_FIRST = Delivery("{}, after 100", _continue_first)
CUT_HEADERS = Delivery("cut inside headers", _cut_headers)
"""In the middle of a header line: urllib3 takes this for status 200 with an empty body."""

CUT_BODY = Delivery("cut inside body", _cut_body)
DRIP_HEADERS = Delivery("dripping headers", _drip_headers)
"""A byte at a time from the first: no read ever times out, and the answer never seems to come."""

DRIP_BODY = Delivery("dripping body", _drip_body)
HANG = Delivery("no answer", _hang)
RESET_UNREAD = Delivery("reset before reading", _reset)
RESET = Delivery("reset after reading", _reset)
GARBAGE = Delivery("garbage", _garbage)
HUGE = Delivery("{}, huge", _huge)
"""Sent no faster than the client reads."""
