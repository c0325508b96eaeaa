"""A message body -> the message in it: JSON, and what AWS wraps around it (SNS, EventBridge). Pure."""

import base64
import binascii
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from kochava_forwarder.contract import strictjson
from kochava_forwarder.contract.problems import InvalidEventError, from_pydantic, given_twice
from kochava_forwarder.contract.strictjson import Path

MARKS = frozenset({"TopicArn", "detail-type"})  # a top-level key that only an envelope has
MAX_ENVELOPES = 3  # one inside another: EventBridge to SNS to SQS has two
# SNS's keys that Powertools' model calls otherwise.
_SNS_KEYS = {"UnsubscribeURL": "UnsubscribeUrl", "SigningCertURL": "SigningCertUrl"}
_POINTER = re.compile(r".*(?:PayloadS3Pointer|MessageS3Pointer)")  # the class that the Extended Client names
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]{16,}={0,2}\s*", re.ASCII)
_COMPRESSED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")  # gzip, and the levels of zlib
# Keys that only others' messages have together, and what those are.
_FOREIGN: Mapping[frozenset[str], str] = MappingProxyType(
    {
        frozenset({"messageId", "body"}): "is a whole SQS record: publish its body",
        frozenset({"MessageId", "Body"}): "is a whole SQS message: publish its Body",
        frozenset({"specversion", "source"}): "is a CloudEvent: publish its data alone",
        frozenset({"content-encoding", "properties"}): "is a message of Celery's: publish the event alone",
        frozenset({"messageType", "message"}): "is a message of MassTransit's: publish the event alone",
        frozenset({"Service", "Event", "Bucket"}): "is a test message of S3's, not an event",
    }
)
_FOREIGN_KEYS = frozenset().union(*_FOREIGN)
_ENOUGH = 64  # characters of a text that tell what it is


class Opened(NamedTuple):
    """A message out of its envelopes.

    Args:
        text: the JSON text that has the message in it.
        tree: the message, as strict JSON reads it.
        envelope: the keys that lead to the message.
    """

    text: str
    tree: dict[str, Any]
    envelope: Path


def open_body(body: str) -> Opened:
    """Read a body strictly, and take the message out of its envelopes.

    Raises:
        InvalidEventError: there is no JSON object in it.
    """
    text, tree = body, _read_object(body, ())
    envelope: Path = ()
    while not MARKS.isdisjoint(tree):
        if repeated := given_twice(tree, envelope):
            raise InvalidEventError(repeated)
        try:
            key, value = content(tree)
        except InvalidEventError as error:
            raise InvalidEventError([((*envelope, *path), wrong) for path, wrong in error.problems]) from None
        envelope = (*envelope, key)
        if len(envelope) > MAX_ENVELOPES:
            raise InvalidEventError([(envelope, "is one envelope too many")])
        text, tree = (value, _read_object(value, envelope)) if isinstance(value, str) else (text, value)
    return Opened(text, tree, envelope)


def _read_object(text: str, path: Path) -> dict[str, Any]:
    try:
        value = strictjson.decode(text)
    except strictjson.NotJsonError as error:
        encoding = encoding_of(text)
        wrong = f"is {encoding}: publish the JSON text itself" if encoding else str(error)
        raise InvalidEventError([(path, wrong)]) from None
    if is_pointer(value):
        raise InvalidEventError([(path, "is a pointer to S3 (SQS Extended Client): publish the event itself")])
    if not isinstance(value, dict):
        twice = isinstance(value, str) and value.lstrip().startswith("{")
        hint = " (this is one inside a JSON string: encode it once)" if twice else ""
        raise InvalidEventError([(path, f"must be a JSON object{hint}")])
    if "Records" in value:
        raise InvalidEventError([((*path, "Records"), _whole_event(value["Records"]))])
    if not _FOREIGN_KEYS.isdisjoint(value):
        for keys, what in _FOREIGN.items():
            if keys <= value.keys():
                raise InvalidEventError([(path, what)])
    return value


def _whole_event(records: Any) -> str:
    first = records[0] if isinstance(records, list) and records else None
    if isinstance(first, dict) and "s3" in first:
        return "this is a notification of S3's, not an event"
    return "this is a whole Lambda event: publish a record's body"


class Content(NamedTuple):
    """What an envelope holds: JSON text (SNS) or a JSON value (EventBridge), and the key it was under."""

    key: str
    value: Any


def content(tree: Mapping[str, Any]) -> Content:
    """Return what an envelope holds; `tree` has one of the `MARKS`.

    Raises:
        InvalidEventError: it is no envelope that has an event in it.
    """
    return _of_sns(tree) if "TopicArn" in tree else _of_eventbridge(tree)


def _of_sns(tree: Mapping[str, Any]) -> Content:
    # Powertools' models take 40 ms to import: only who wraps events pays for it.
    from aws_lambda_powertools.utilities.parser.models.sns import SnsNotificationModel  # noqa: PLC0415

    kind = tree.get("Type")
    if isinstance(kind, str) and kind.endswith("Confirmation"):
        raise InvalidEventError([(("Type",), "this is SNS's own message about a subscription, not an event")])
    try:
        SnsNotificationModel.model_validate({_SNS_KEYS.get(name, name): value for name, value in tree.items()})
    except ValidationError as error:
        sns = {model: name for name, model in _SNS_KEYS.items() if model not in tree}
        problems = [((sns.get(str(key), key), *path), wrong) for (key, *path), wrong in from_pydantic(error, ())]
        raise InvalidEventError(problems) from None
    return Content("Message", tree["Message"])


def _of_eventbridge(tree: Mapping[str, Any]) -> Content:
    from aws_lambda_powertools.utilities.parser.models.event_bridge import EventBridgeModel  # noqa: PLC0415

    if "detail" in tree and not isinstance(tree["detail"], dict):
        raise InvalidEventError([(("detail",), "must be an object")])
    try:
        EventBridgeModel.model_validate(tree)
    except ValidationError as error:
        raise InvalidEventError(list(from_pydantic(error, ()))) from None
    return Content("detail", tree["detail"])


def is_pointer(value: Any) -> bool:
    """Tell whether a JSON value is what the SQS Extended Client sends for a large message: where it is in S3."""
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004 - the class and the place
        and isinstance(value[0], str)
        and _POINTER.fullmatch(value[0]) is not None
    )


def encoding_of(text: str) -> str | None:
    """Tell how a body that is not JSON was encoded: ``gzip``, ``base64`` or unknown (None)."""
    if text.startswith(("\x1f\x8b", "\x1f\ufffd")):
        return "gzip"
    if not _BASE64.fullmatch(text):
        return None
    start = re.sub(r"\s", "", text)[:_ENOUGH].translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        raw = base64.b64decode(start[: len(start) // 4 * 4])
    except binascii.Error:
        return None
    if raw.startswith(_COMPRESSED):
        return "gzip"
    return "base64" if raw.lstrip().startswith((b"{", b"\xef\xbb\xbf{")) else None
