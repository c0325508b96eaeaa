"""How Kochava can misbehave: one table of named faults, and the notation in which people name them.

    503                          any status from 200 to 599
    429:retry-after=2            options follow, separated by colons
    latency=50ms                 an option alone: as it should be, but late
    reset-after-read:counted     no answer, yet Kochava counted the event
    503*3                        three times; 503* means until cleared

"As it should be" is `ok`: success for an event that keeps the contract, a refusal for one that breaks it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from forwarder_tools.sandbox import deliveries
from forwarder_tools.sandbox.answers import BODILESS, SUCCESS, Answer, json_answer
from forwarder_tools.sandbox.deliveries import Delivery, Tuning


class FaultError(ValueError):
    """A fault was named wrongly. The message is one line: the thing, the problem, the remedy."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to answer one event.

    Attributes:
        name: as it was written.
        answer: what is answered; None means what the contract says of the event.
        delivery: how the answer reaches the client, or does not.
        tuning: what the delivery can be told besides.
        latency: seconds to wait first.
        counted: whether Kochava counts the event, if it keeps the contract. True without an answer that says
            so is the ambiguous case: a client that sends again makes it count twice.
    """

    name: str = "ok"
    answer: Answer | None = None
    delivery: Delivery = deliveries.WHOLE
    tuning: Tuning = field(default=Tuning())
    latency: float = 0.0
    counted: bool = True

    @property
    def early(self) -> bool:
        """Whether it strikes before the event is read, so that it cannot be meant for one event."""
        return self.delivery is deliveries.RESET_UNREAD


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: the fault as it is without options, which options it has, and what it does."""

    fault: Fault
    meaning: str
    options: tuple[str, ...] = ()


_ANSWERING = ("body", "header", "retry-after", "retry-date", "location")
_REFUSED = json_answer(200, {"success": "0"}, "200 success false")


def _kind(meaning: str, delivery: Delivery, *options: str, counted: bool = False) -> Kind:
    return Kind(Fault(delivery=delivery, counted=counted), meaning, options)


def _says(meaning: str, answer: Answer) -> Kind:
    return Kind(Fault(answer=answer, counted=False), meaning, _ANSWERING)


KINDS: Mapping[str, Kind] = {
    "ok": _kind("as it should be", deliveries.WHOLE, counted=True),
    "chunked": _kind("ok, in chunks", deliveries.CHUNKED, counted=True),
    "100-continue": _kind("an interim 100 first, then ok", deliveries.CONTINUE_FIRST, counted=True),
    "close": _kind("ok, with Connection: close", deliveries.CLOSING, counted=True),
    "silent-close": _kind("ok, then closed unannounced", deliveries.CLOSING_SILENTLY, counted=True),
    "http10": _kind("ok, as HTTP/1.0 without a length", deliveries.HTTP10, counted=True),
    "huge": Kind(Fault(answer=SUCCESS, delivery=deliveries.HUGE), "a success of 64 MiB, or size=BYTES", ("size",)),
    "success-false": _says("200, but the body says no", _REFUSED),
    "empty": _says("200 without a body", Answer(200, b"", "200 empty")),
    "not-json": _says(
        "200 with a page of HTML",
        Answer(200, b"<html>Maintenance</html>", "200 not JSON", (("Content-Type", "text/html"),)),
    ),
    "redirect": _says("302 to another path", Answer(302, headers=(("Location", "/elsewhere"),))),
    "garbage": _kind("bytes that are not HTTP", deliveries.GARBAGE),
    "reset-before-read": _kind("RST before the body is read", deliveries.RESET_UNREAD),
    "reset-after-read": _kind("RST once the request is read", deliveries.RESET),
    "cut-headers": _kind("closed in the middle of the headers", deliveries.CUT_HEADERS),
    "cut-body": _kind("closed in the middle of the body", deliveries.CUT_BODY),
    "drip-headers": _kind(
        "a byte each second, or every=TIME, from the first", deliveries.DRIP_HEADERS, "every", counted=True
    ),
    "drip-body": _kind("the same, but only the body", deliveries.DRIP_BODY, "every", counted=True),
    "hang": _kind("never an answer", deliveries.HANG),
}
"""Every fault by name. A bare status, 200 to 599, is one too."""


# --- options ------------------------------------------------------------------------------------------------

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_YES_NO = {"": True, "yes": True, "no": False}


def parse_duration(text: str) -> float:
    """Return the seconds in a text such as `50ms`, `2s`, `1.5` (seconds), `3m`, `1h`.

    Raises:
        FaultError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|)", text)
    if match is None:
        raise FaultError(f"{text!r} is not a duration; write it like 50ms, 2s or 1.5")
    return float(match[1]) * _UNITS[match[2] or "s"]


def _answer(fault: Fault, **changes: Any) -> Fault:
    return replace(fault, answer=replace(fault.answer or SUCCESS, **changes))


def _header(fault: Fault, name: str, value: str) -> Fault:
    if not f"{name}{value}".isprintable() or not value.isascii():
        raise FaultError(f"header {name}: holds what a header cannot; use printable ASCII")
    before = fault.answer.headers if fault.answer else ()
    kept = tuple(pair for pair in before if pair[0].lower() != name.lower())
    return _answer(fault, headers=(*kept, (name, value)))


def _named_header(fault: Fault, text: str) -> Fault:
    name, colon, value = text.partition(":")
    if not colon or not name:
        raise FaultError(f"{text!r} is not a header; write it like header=Server: test")
    return _header(fault, name, value.strip())


def _counted(fault: Fault, text: str) -> Fault:
    if text not in _YES_NO:
        raise FaultError(f"counted={text} is neither yes nor no; write counted or counted=no")
    return replace(fault, counted=_YES_NO[text])


def _size(fault: Fault, text: str) -> Fault:
    if not text.isdecimal():
        raise FaultError(f"size={text} is not a number of bytes; write it like size=1048576")
    return replace(fault, tuning=replace(fault.tuning, size=int(text)))


OPTIONS: Mapping[str, Callable[[Fault, str], Fault]] = {
    "latency": lambda fault, text: replace(fault, latency=parse_duration(text)),
    "counted": _counted,
    "retry-after": lambda fault, text: _header(fault, "Retry-After", text),
    "retry-date": lambda fault, text: _answer(fault, retry_date=parse_duration(text)),
    "location": lambda fault, text: _header(fault, "Location", text),
    "header": _named_header,
    "body": lambda fault, text: _answer(fault, body=text.encode()),
    "every": lambda fault, text: replace(fault, tuning=replace(fault.tuning, every=parse_duration(text))),
    "size": _size,
}
"""What can follow a name. `latency` and `counted` go with every fault."""

_FOR_ALL = ("latency", "counted")
# Values hold colons themselves (dates, JSON), so only a colon before the name of an option separates.
_SEPARATOR = re.compile(rf":(?=(?:{'|'.join(OPTIONS)})(?:[=:]|$))")


def parse_fault(text: str) -> Fault:
    """Return the fault that a text names, such as `429:retry-after=2`.

    Raises:
        FaultError: no such fault, no such option, or a value that the option cannot take.
    """
    name, *options = _SEPARATOR.split(text.strip())
    if name.partition("=")[0] in _FOR_ALL:  # an option alone
        name, options = "ok", [name, *options]
    kind = _find(name)
    fault = replace(kind.fault, name=text.strip())
    for option in options:
        key, _, value = option.partition("=")
        if key not in (*_FOR_ALL, *kind.options):
            allowed = ", ".join((*_FOR_ALL, *kind.options))
            raise FaultError(f"{name}: has no option {key!r}; it takes {allowed}")
        fault = OPTIONS[key](fault, value)
    return fault


def _find(name: str) -> Kind:
    if re.fullmatch(r"[2-5]\d\d", name):
        return _status(int(name))
    if name in KINDS:
        return KINDS[name]
    raise FaultError(f"{name!r} is not a fault; use a status from 200 to 599 or one of {', '.join(KINDS)}")


def _status(status: int) -> Kind:
    # A 2xx says success unless its body is set otherwise, and what says success is counted.
    good = status < HTTPStatus.MULTIPLE_CHOICES and status not in BODILESS
    body = SUCCESS.body if good else b'{"success":"0","error":"asked for"}'
    return Kind(Fault(answer=Answer(status, body), counted=good), "that status", _ANSWERING)


def parse_repeat(text: str) -> tuple[Fault, int | None]:
    """Return a fault and how many events in a row get it: once, `FAULT*3`, or None for `FAULT*`, until cleared.

    Raises:
        FaultError: as `parse_fault`, or no event at all (`*0`).
    """
    match = re.search(r"\*(\d*)$", text.strip())
    if match is None:
        return parse_fault(text), 1
    times = int(match[1]) if match[1] else None
    if times == 0:
        raise FaultError(f"{text!r} strikes no event; leave it out or write *1")
    return parse_fault(text.strip()[: match.start()]), times
