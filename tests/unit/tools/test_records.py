"""What the tools take: SQS events, and bare events as they are published."""

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from forwarder_tools.processes import ToolError
from forwarder_tools.records import NoEventError, documents, published, sqs_event
from forwarder_tools.samples import EVENTS, read_sample

NOW = 1_760_000_000_123
EVENT = '{"kochava_device_id": "KDtest-é\u2028", "data": {"event_name": "Purchase"}}'
SAMPLE: dict[str, Any] = json.loads((EVENTS / "purchase.json").read_text())


# --- documents ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        (" \n\r\n\t", []),
        ('{"a": 1}', [(1, '{"a": 1}')]),
        ('\n{"a": 1}\r\n\n  {"b": 2}\n', [(2, '{"a": 1}'), (4, '{"b": 2}')]),
        ('{\n  "a": [\n{"b": 1},\n{}]\n}\n{"c": 2}', [(1, '{\n  "a": [\n{"b": 1},\n{}]\n}'), (6, '{"c": 2}')]),
        ('{"a":\n{"b": 1}\n}', [(1, '{"a":\n{"b": 1}\n}')]),
        ('{"a":\n\n{"b": 1}}', [(1, '{"a":\n\n{"b": 1}}')]),
        ('[\n{"a": 1}\n,\n{"b": 2}\n]', [(1, '[\n{"a": 1}\n,\n{"b": 2}\n]')]),
        ('{"a": "}\\"{[\\\\"}\n1', [(1, r'{"a": "}\"{[\\"}'), (2, "1")]),
        ('{"a": "]\u2028\x0b{"}\n2', [(1, '{"a": "]\u2028\x0b{"}'), (2, "2")]),
        ("\xa0{}", [(1, "\xa0{}")]),
        ("hello\nworld", [(1, "hello"), (2, "world")]),
        ("}\n{}", [(1, "}"), (2, "{}")]),
    ],
)
def test_a_document_ends_with_its_last_bracket(text: str, found: list[tuple[int, str]]) -> None:
    assert list(documents(io.StringIO(text))) == found


@pytest.mark.parametrize(
    "cut",
    ['{"a": 1', '{"a": {"b": 1}', '{"a": "b', '{"a": "b\\', '{"a": [1', '{"a": [{"b": 1}', '{"a": 1,', "{", "[1}"],
)
def test_a_line_that_is_cut_off_takes_no_other_with_it(cut: str) -> None:
    lines = ['{"first": {}}', cut, '{"last": [{}]}', "1"]
    assert list(documents(io.StringIO("\n".join(lines)))) == list(enumerate(lines, 1))


def test_documents_are_found_as_their_lines_come() -> None:
    def lines() -> Iterator[str]:
        for number in range(3):
            taken.append(number)
            yield f'{{"a": {number}}}\n'

    taken: list[int] = []
    for number, document in enumerate(documents(lines())):
        assert (document.text, taken[-1]) == (f'{{"a": {number}}}', number)


# --- events -------------------------------------------------------------------------------------------------


def test_an_event_knows_where_it_is() -> None:
    two = json.dumps({"Records": SAMPLE["Records"] * 2}, indent=1)
    events = list(published(io.StringIO(f"{EVENT}\n\n{two}\n{{}}")))

    assert [(event.line, event.place) for event in events] == [
        (1, None),
        (3, 0),
        (3, 1),
        (3 + len(two.splitlines()), None),
    ]
    assert [event.body for event in events] == [EVENT, *[SAMPLE["Records"][0]["body"]] * 2, "{}"]


@pytest.mark.parametrize(
    "text",
    [
        *('{"Records": []}', '{"Records": {}}', '{"Records": [{"body": 1}]}', '{"Records": [{"body": "{}"}]}'),
        *('{"Records":', '{"a": "Records"}', '["Records"]', '{"Records": ' + "[" * 100_000, '{"Records": null}'),
    ],
)
def test_what_is_no_sqs_event_is_a_body(text: str) -> None:
    [event] = published(io.StringIO(text))
    assert (event.body, event.record, event.place) == (text, None, None)


# --- as an SQS event ----------------------------------------------------------------------------------------


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


def test_sqs_events_and_bare_ones_may_follow_each_other() -> None:
    pretty = json.dumps({"kochava_device_id": "KDtest-2"}, indent=1)
    records = sqs_event(f"{pretty}\n{json.dumps(SAMPLE)}\n{EVENT}", NOW)["Records"]
    assert [record["body"] for record in records] == [pretty, SAMPLE["Records"][0]["body"], EVENT]


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
        ('{}\n{"Records": []}', "line 2 is not an SQS event: its Records are no array with records in it"),
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
