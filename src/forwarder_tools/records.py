"""SQS events out of what a person has in a file: an SQS event, a bare event, or one bare event a line. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
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


class NoEventError(ValueError):
    """The text is none of the three; says why, in a few words."""


def sqs_event(text: str, now: int) -> Json:
    """Return the SQS event that a text is, or holds the bodies of.

    Args:
        text: an SQS event, which is an object with `Records`; or a bare event as it is published, which is any
            other object; or several bare events, one a line.
        now: when the messages were sent, in milliseconds since 1970: with an old time they would have expired.

    Returns:
        The event. Bodies are passed on as they are written: what is odd in them is for the function to find.

    Raises:
        NoEventError: the text is something else.
    """
    try:
        document = _parsed(text)
    except ValueError as problem:
        return _of_bodies(_lines(text, problem), now)
    if not isinstance(document, dict):
        raise NoEventError(f"{KINDS[type(document)]}, not an object")
    if "Records" not in document:
        return _of_bodies([text.strip()], now)
    return {**document, "Records": _sent(document["Records"], now)}


def _lines(text: str, problem: ValueError) -> list[str]:
    """Return the lines of a text that is not one JSON document, blank ones left out, if each is an object."""
    lines = {number: line.strip() for number, line in enumerate(text.split("\n"), 1) if line.strip()}
    if len(lines) < 2 or not _is_json(next(iter(lines.values()))):  # noqa: PLR2004 - one line is one document
        raise NoEventError(f"not JSON ({problem})" if lines else "nothing in it") from None
    for number, line in lines.items():
        try:
            document = _parsed(line)
        except ValueError as wrong:
            raise NoEventError(f"line {number} is not JSON ({wrong})") from None
        if not isinstance(document, dict):
            raise NoEventError(f"line {number} is {KINDS[type(document)]}, not an object")
    return list(lines.values())


def _is_json(text: str) -> bool:
    try:
        _parsed(text)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _of_bodies(bodies: Sequence[str], now: int) -> Json:
    return {"Records": [_record(body, now) for body in bodies]}


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


def _sent(records: Any, now: int) -> list[Json]:
    """Return an SQS event's records as if they had been sent now."""
    if not isinstance(records, list) or not records:
        raise NoEventError("not an SQS event: its Records are no array with records in it")
    times = {"SentTimestamp": str(now), "ApproximateFirstReceiveTimestamp": str(now)}
    return [
        {**record, "attributes": {**record["attributes"], **times}}
        for record in (_checked(record, f"Records[{number}]") for number, record in enumerate(records))
    ]


def _checked(record: Any, name: str) -> Mapping[str, Any]:
    for place, kind in PLACES.items():
        if not isinstance(record, dict) or not isinstance(record.get(place), kind):
            raise NoEventError(f"not an SQS event: {name}.{place} is not {KINDS[kind]}")
    return dict(record)
