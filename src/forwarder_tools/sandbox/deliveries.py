"""The ways an answer reaches the client, or does not: each a short play of steps for the server to perform.

A step is bytes to send, a pause, or the end of the connection. A play without an end leaves the connection
open for the next request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol

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


class Delivery(Protocol):
    """One way to deliver an answer."""

    @property
    def label(self) -> str:
        """How a log describes it, `{}` standing for the answer."""

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield what the server does, one step after the other."""


@dataclass(frozen=True, slots=True)
class Whole:
    """As it should be: all at once, and the connection stays."""

    label: ClassVar[str] = "{}"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the whole answer."""
        yield answer.whole()


@dataclass(frozen=True, slots=True)
class Closing:
    """Well, but the connection is closed afterwards: `announced` by a `Connection: close`, or silently."""

    announced: bool = True
    label: ClassVar[str] = "{}, closing"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the whole answer and the close."""
        yield answer.whole("Connection: close") if self.announced else answer.whole()
        yield End.CLOSE


@dataclass(frozen=True, slots=True)
class Http10:
    """As HTTP/1.0 without a length: the body ends where the connection ends."""

    label: ClassVar[str] = "{}, HTTP/1.0"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the whole answer and the close."""
        yield answer.head(version="1.0") + answer.body
        yield End.CLOSE


@dataclass(frozen=True, slots=True)
class Chunked:
    """In chunks of transfer encoding, two at least when the body has two bytes."""

    label: ClassVar[str] = "{}, chunked"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the head, then each chunk, then the end mark."""
        yield answer.head("Transfer-Encoding: chunked")
        middle = len(answer.body) // 2
        for part in filter(None, (answer.body[:middle], answer.body[middle:])):
            yield b"%x\r\n%b\r\n" % (len(part), part)
        yield b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class ContinueFirst:
    """An interim `100 Continue` that nobody asked for, then the answer."""

    label: ClassVar[str] = "{}, after 100"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the interim answer, then the real one."""
        yield b"HTTP/1.1 100 Continue\r\n\r\n"
        yield answer.whole()


@dataclass(frozen=True, slots=True)
class CutHeaders:
    """Closed in the middle of a header line: urllib3 takes this for status 200 with an empty body."""

    label: ClassVar[str] = "cut inside headers"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the status line and half of the headers, then the close."""
        head = answer.head(f"Content-Length: {len(answer.body)}")
        status_line = head.index(b"\r\n") + 2
        yield head[: status_line + (len(head) - status_line) // 2]
        yield End.CLOSE


@dataclass(frozen=True, slots=True)
class CutBody:
    """Closed in the middle of the body, short of the Content-Length that was announced."""

    label: ClassVar[str] = "cut inside body"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the headers and half of the body, then the close."""
        whole = answer.whole()
        yield whole[: len(whole) - (len(answer.body) + 1) // 2]
        yield End.CLOSE


@dataclass(frozen=True, slots=True)
class DripHeaders:
    """A byte at a time from the first: no read ever times out, and the answer never seems to come."""

    every: float = 1.0
    label: ClassVar[str] = "dripping headers"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield one byte `every` so many seconds."""
        yield from _drip(answer.whole(), self.every)


@dataclass(frozen=True, slots=True)
class DripBody:
    """The headers at once, then the body a byte at a time."""

    every: float = 1.0
    label: ClassVar[str] = "dripping body"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the headers, then one byte `every` so many seconds."""
        yield answer.head(f"Content-Length: {len(answer.body)}")
        yield from _drip(answer.body, self.every)


@dataclass(frozen=True, slots=True)
class Hang:
    """No answer, ever; the connection stays open until the client gives up."""

    label: ClassVar[str] = "no answer"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield silence."""
        del answer
        yield End.SILENCE


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset (RST) instead of an answer, `reading` the request first or not."""

    reading: bool = True

    @property
    def label(self) -> str:
        """How a log describes it."""
        return "reset after reading" if self.reading else "reset before reading"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the reset."""
        del answer
        yield End.RESET


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no HTTP at all, as from a port that speaks something else."""

    label: ClassVar[str] = "garbage"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the garbage and the close."""
        del answer
        yield b"\x15\x03\x01\x00\x02\x02\x46\xff\xfe\x00 this is no HTTP \x00\r\n\r\n"
        yield End.CLOSE


@dataclass(frozen=True, slots=True)
class Huge:
    """A success whose body is huge: `size` bytes of JSON, sent no faster than the client reads."""

    size: int = 64 * 1024 * 1024
    label: ClassVar[str] = "{}, huge"

    def steps(self, answer: Answer) -> Iterator[Step]:
        """Yield the headers, then the body in chunks."""
        start, end = b'{"success":"1","padding":"', b'"}'
        left = max(self.size - len(start) - len(end), 0)
        yield answer.head(f"Content-Length: {left + len(start) + len(end)}") + start
        while left:
            part = min(left, CHUNK)
            yield b"x" * part
            left -= part
        yield end


def _drip(data: bytes, every: float) -> Iterator[Step]:
    for position in range(len(data)):
        yield data[position : position + 1]
        yield Pause(every)
