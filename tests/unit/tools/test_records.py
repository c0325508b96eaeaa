"""What `make invoke` takes: an SQS event, a bare event, or one bare event a line."""

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from forwarder_tools.processes import ToolError
from forwarder_tools.records import NoEventError, sqs_event
from forwarder_tools.samples import EVENTS, read_sample

NOW = 1_760_000_000_123
EVENT = '{"kochava_device_id": "KDtest-é\u2028", "data": {"event_name": "Purchase"}}'
SAMPLE: dict[str, Any] = json.loads((EVENTS / "purchase.json").read_text())


def test_a_bare_event_becomes_a_record_as_sqs_makes_it() -> None:
    [record] = sqs_event(f"\n {EVENT}\n", NOW)["Records"]
    [sample] = SAMPLE["Records"]

    assert record.keys() == sample.keys()
    assert record["attributes"].keys() == sample["attributes"].keys()
    assert record["body"] == EVENT
    assert record["md5OfBody"] == hashlib.md5(EVENT.encode(), usedforsecurity=False).hexdigest()
    assert record["attributes"]["SentTimestamp"] == str(NOW)
    assert record["attributes"]["ApproximateFirstReceiveTimestamp"] == str(NOW)
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert UUID(record["messageId"]).version == 4


def test_the_md5_is_made_as_that_of_the_samples_is() -> None:
    [sample] = SAMPLE["Records"]
    [record] = sqs_event(sample["body"], NOW)["Records"]
    same = ("md5OfBody", "body", "eventSource", "eventSourceARN", "awsRegion", "messageAttributes")
    assert {name: record[name] for name in same} == {name: sample[name] for name in same}


def test_each_line_becomes_a_record_of_its_own() -> None:
    other = '{"kochava_device_id": "KDtest-2"}'
    records = sqs_event(f"{EVENT}\r\n\n  {other}\n", NOW)["Records"]

    assert [record["body"] for record in records] == [EVENT, other]
    assert len({record["messageId"] for record in records}) == 2


@pytest.mark.parametrize("body", ["{}", '{"a": 1, "a": 2}', '{"a": NaN}', '{\n  "a": 1\n}'])
def test_what_is_odd_in_a_bare_event_is_left_to_the_function(body: str) -> None:
    [record] = sqs_event(body, NOW)["Records"]
    assert record["body"] == body


def test_an_sqs_event_stays_as_it_is_but_for_its_times() -> None:
    [record] = sqs_event(json.dumps(SAMPLE), NOW)["Records"]
    [sample] = SAMPLE["Records"]
    times = {"SentTimestamp": str(NOW), "ApproximateFirstReceiveTimestamp": str(NOW)}
    assert record == {**sample, "attributes": {**sample["attributes"], **times}}


def _records(**changed: object) -> str:
    return json.dumps({"Records": [SAMPLE["Records"][0], {**SAMPLE["Records"][0], **changed}]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing in it"),
        (" \n\n", "nothing in it"),
        ("hello", "not JSON (Expecting value: line 1 column 1 (char 0))"),
        ('{\n  "a": 1,\n}', "not JSON (Illegal trailing comma before end of object: line 2 column 9 (char 10))"),
        ("[" * 200_000, "not JSON (nested too deeply)"),
        ("[]", "an array, not an object"),
        ('[{"a": 1}]', "an array, not an object"),
        ('"text"', "a string, not an object"),
        ("1", "a number, not an object"),
        ("1.5", "a number, not an object"),
        ("true", "a truth value, not an object"),
        ("null", "null, not an object"),
        ('{"a": 1}\n\n{"a"}', "line 3 is not JSON (Expecting ':' delimiter: line 1 column 5 (char 4))"),
        ('{"a": 1}\n[2]', "line 2 is an array, not an object"),
        ("1\n2", "line 1 is a number, not an object"),
        ('{"Records": {}}', "not an SQS event: its Records are no array with records in it"),
        ('{"Records": []}', "not an SQS event: its Records are no array with records in it"),
        ('{"Records": [1]}', "not an SQS event: Records[0].messageId is not a string"),
        (_records(body={}), "not an SQS event: Records[1].body is not a string"),
        (_records(attributes=None), "not an SQS event: Records[1].attributes is not an object"),
        (_records(eventSourceARN=None), "not an SQS event: Records[1].eventSourceARN is not a string"),
    ],
)
def test_anything_else_is_refused_with_what_it_is(text: str, message: str) -> None:
    with pytest.raises(NoEventError) as caught:
        sqs_event(text, NOW)
    assert str(caught.value) == message


def test_a_file_with_a_byte_order_mark_is_read_without_it(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(b"\xef\xbb\xbf" + EVENT.encode())
    assert [record["body"] for record in read_sample(path)["Records"]] == [EVENT]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"No such file or directory; events/ has .*purchase\.json"),
        (b"hello", "not JSON .*; give an SQS event such as events/purchase.json, an event as you publish it"),
        (b'{"a": "\xe9"}', "not UTF-8 .*; give an SQS event"),
        (b"[]", "an array, not an object; give an SQS event"),
        (b'{"a": 1}\n2', "line 2 is a number, not an object; give an SQS event"),
    ],
)
def test_a_file_that_is_refused_is_named_in_one_line(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "event.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ToolError, match=message) as caught:
        read_sample(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
