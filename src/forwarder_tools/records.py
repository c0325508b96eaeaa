"""Events out of what a person has in a file: SQS events, and bare events as they are published. Pure.

A document begins on a line of its own and may go on over several: one bare event a line, one printed over many, an
SQS event, or any number of these one after the other.
"""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import uuid4

type Json = dict[str, Any]

REGION = "us-east-1"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:123456789012:kochava-events"
PLACES = {"messageId": str, "body": str, "eventSourceARN": str, "attributes": dict}
"""What a record must have, and of what type it must be."""

KINDS: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    type(None): "null",
}


_BLANKS = " \t\r\n"
"""What JSON takes for blank."""

_BRACKETS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]')
"""A string, which may have brackets in it and ends on its line, or a bracket."""


class NoEventError(ValueError):
    """The text has no events in it, or something else besides; says why, in a few words."""


class Document(NamedTuple):
    """One JSON document, or what should be one.

    Args:
        line: the number of the line that it begins on; the first is 1.
        text: what is written, without outer blanks.
    """

    line: int
    text: str


class Published(NamedTuple):
    """One event as it is published.

    Args:
        line: the number of the line that its document begins on; the first is 1.
        body: what is the message's body, whatever it holds.
        record: SQS's record of it, if the document is an SQS event.
        place: the record's place among the records of its document, or None.
    """

    line: int
    body: str
    record: Mapping[str, Any] | None = None
    place: int | None = None


def documents(lines: Iterable[str]) -> Iterator[Document]:
    """Yield the documents of a text as its lines come; each line has its line feed, but for the last.

    A document ends with the line that closes its last bracket. One that is cut off ends where a line begins an
    object that cannot be a part of it, so that a broken line of JSON lines is a document of its own.
    """
    pending: list[str] = []
    brackets: list[str] = []
    begun, last = 0, ""
    for number, line in enumerate(lines, 1):
        written = line.strip(_BLANKS)
        if pending and written.startswith("{") and not _takes_an_object(brackets[-1], last):
            yield Document(begun, "".join(pending).strip(_BLANKS))
            pending, brackets = [], []
        if not pending:
            if not written:
                continue
            begun = number
        pending.append(line)
        last = written[-1:] or last
        _follow(written, brackets)
        if not brackets:
            yield Document(begun, "".join(pending).strip(_BLANKS))
            pending = []
    if pending:
        yield Document(begun, "".join(pending).strip(_BLANKS))


def _follow(text: str, brackets: list[str]) -> None:
    """Bring the list of open brackets from before a text to after it."""
    for token in _BRACKETS.findall(text):
        if token in ("{", "["):
            brackets.append(token)
        elif token in ("}", "]") and brackets:
            brackets.pop()


def _takes_an_object(bracket: str, last: str) -> bool:
    """Tell whether JSON may have an object after a character that is not blank, inside an open bracket."""
    return last == ":" or (bracket == "[" and last in ("[", ","))


def published(lines: Iterable[str]) -> Iterator[Published]:
    """Yield the events of a text as its lines come.

    Args:
        lines: the text's lines, each with its line feed, but for the last.

    Returns:
        The bodies of the records of each SQS event; any other document is a body itself, whatever is odd in it.
    """
    for line, text in documents(lines):
        try:
            records = _parsed(text)["Records"] if '"Records"' in text and text.startswith("{") else None
            checked = [_checked(record, "") for record in records] if isinstance(records, list) else []
        except (ValueError, KeyError):
            checked = []
        if checked:
            yield from (Published(line, record["body"], record, place) for place, record in enumerate(checked))
        else:
            yield Published(line, text)


def sqs_event(text: str, now: int) -> Json:
    """Return the SQS event that a text is, or holds the bodies of.

    Args:
        text: SQS events, which are objects with `Records`; and bare events as they are published, which are any
            other objects.
        now: when the messages were sent, in milliseconds since 1970: with an old time they would have expired.

    Returns:
        The event. Bodies are passed on as they are written: what is odd in them is for the function to find.

    Raises:
        NoEventError: the text is something else.
    """
    found = list(published(io.StringIO(text)))
    if not found:
        raise NoEventError("nothing in it")
    several = found[-1].line > found[0].line
    for event in found:
        if event.record is None:
            _check_object(event, f"line {event.line} is " if several else "")
    records = [_record(event.body, now) if event.record is None else _sent(event.record, now) for event in found]
    return {"Records": records}


def _check_object(event: Published, where: str) -> None:
    """Check that a bare event is an object, and none that should have been an SQS event.

    Raises:
        NoEventError: it is not.
    """
    try:
        document = _parsed(event.body)
    except ValueError as problem:
        raise NoEventError(f"{where}not JSON ({problem})") from None
    if not isinstance(document, dict):
        raise NoEventError(f"{where}{KINDS[type(document)]}, not an object")
    if "Records" in document:
        records = document["Records"]
        if not isinstance(records, list) or not records:
            raise NoEventError(f"{where}not an SQS event: its Records are no array with records in it")
        for number, record in enumerate(records):
            _checked(record, f"{where}not an SQS event: Records[{number}]")


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _record(body: str, now: int) -> Json:
    """Return a message as the poller of a standard queue hands it over at its first receive."""
    return {
        "messageId": str(uuid4()),
        "receiptHandle": "MessageReceiptHandle",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(now),
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": str(now),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(body.encode(errors="surrogatepass"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": REGION,
    }


def _sent(record: Mapping[str, Any], now: int) -> Json:
    """Return an SQS event's record as if it had been sent now."""
    times = {"SentTimestamp": str(now), "ApproximateFirstReceiveTimestamp": str(now)}
    return {**record, "attributes": {**record["attributes"], **times}}


def _checked(record: Any, name: str) -> Mapping[str, Any]:
    for place, kind in PLACES.items():
        if not isinstance(record, dict) or not isinstance(record.get(place), kind):
            raise NoEventError(f"{name}.{place} is not {KINDS[kind]}")
    return dict(record)
