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
type Steps = Callable[[Answer, Tuning], Iterator[Step]]


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
    steps: Steps


def _steps(*parts: Callable[[Answer], bytes] | End) -> Steps:
    return lambda answer, _: iter([part if isinstance(part, End) else part(answer) for part in parts])


def _with_length(answer: Answer) -> bytes:
    return answer.head(f"Content-Length: {len(answer.body)}")


def _chunks(answer: Answer) -> bytes:
    middle = len(answer.body) // 2
    parts = (*filter(None, (answer.body[:middle], answer.body[middle:])), b"")
    return answer.head("Transfer-Encoding: chunked") + b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in parts)


def _half_of_the_head(answer: Answer) -> bytes:
    head = _with_length(answer)
    status_line = head.index(b"\r\n") + 2
    return head[: status_line + (len(head) - status_line) // 2]


def _half_of_the_body(answer: Answer) -> bytes:
    whole = answer.whole()
    return whole[: len(whole) - (len(answer.body) + 1) // 2]


def _drip(data: bytes, every: float) -> Iterator[Step]:
    for byte in data:
        yield bytes((byte,))
        yield Pause(every)


def _drip_headers(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    return _drip(answer.whole(), tuning.every)


def _drip_body(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    yield _with_length(answer)
    yield from _drip(answer.body, tuning.every)


def _huge(answer: Answer, tuning: Tuning) -> Iterator[Step]:
    start, end = b'{"success":"1","padding":"', b'"}'
    left = max(tuning.size - len(start) - len(end), 0)
    yield answer.head(f"Content-Length: {left + len(start) + len(end)}") + start
    while left:
        part = min(left, CHUNK)
        yield b"x" * part
        left -= part
    yield end


WHOLE = Delivery("{}", _steps(Answer.whole))
CLOSING = Delivery("{}, closing", _steps(lambda answer: answer.whole("Connection: close"), End.CLOSE))
CLOSING_SILENTLY = Delivery("{}, closing", _steps(Answer.whole, End.CLOSE))
HTTP10 = Delivery("{}, HTTP/1.0", _steps(lambda answer: answer.head(version="1.0") + answer.body, End.CLOSE))
CHUNKED = Delivery("{}, chunked", _steps(_chunks))
CONTINUE_FIRST = Delivery(
    "{}, after 100", _steps(lambda answer: b"HTTP/1.1 100 Continue\r\n\r\n" + answer.whole())
)
CUT_HEADERS = Delivery("cut inside headers", _steps(_half_of_the_head, End.CLOSE))
"""In the middle of a header line: urllib3 takes this for status 200 with an empty body."""

CUT_BODY = Delivery("cut inside body", _steps(_half_of_the_body, End.CLOSE))
DRIP_HEADERS = Delivery("dripping headers", _drip_headers)
"""A byte at a time from the first: no read ever times out, and the answer never seems to come."""

DRIP_BODY = Delivery("dripping body", _drip_body)
HANG = Delivery("no answer", _steps(End.SILENCE))
RESET_UNREAD = Delivery("reset before reading", _steps(End.RESET))
RESET = Delivery("reset after reading", _steps(End.RESET))
GARBAGE = Delivery(
    "garbage",
    _steps(lambda _: b"\x15\x03\x01\x00\x02\x02\x46\xff\xfe\x00 this is no HTTP \x00\r\n\r\n", End.CLOSE),
)
HUGE = Delivery("{}, huge", _huge)
"""Sent no faster than the client reads."""
