"""The sample events are what `sam local generate-event sqs receive-message` prints, safe to show, and complete.

What becomes of each in the handler: `tests/integration/test_samples.py`.
"""

import hashlib
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from forwarder_tools.samples import EVENTS, Expectation, expectations, few_sample_paths, sample_name, sample_paths
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import SHAPES, EventData, KochavaEvent
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.standard_events import PARAMETER_TYPES, STANDARD_EVENTS
from kochava_forwarder.contract.warnings import EventWarning

SAMPLES = sample_paths()
RECORD_KEYS = {
    *("messageId", "receiptHandle", "body", "attributes", "messageAttributes"),
    *("md5OfBody", "eventSource", "eventSourceARN", "awsRegion"),
}
ATTRIBUTES = {
    "ApproximateReceiveCount",
    "SentTimestamp",
    "SenderId",
    "ApproximateFirstReceiveTimestamp",
}
FIFO_ATTRIBUTES = {"SequenceNumber", "MessageGroupId", "MessageDeduplicationId"}


def _records(path: Path) -> list[dict[str, Any]]:
    event = json.loads(path.read_text())
    assert set(event) == {"Records"}
    records: list[dict[str, Any]] = event["Records"]
    return records


def _all_records() -> list[dict[str, Any]]:
    return [record for path in SAMPLES for record in _records(path)]


@pytest.mark.parametrize("path", SAMPLES, ids=sample_name)
def test_a_sample_has_the_shape_of_an_sqs_event(path: Path) -> None:
    for record in _records(path):
        fifo = FIFO_ATTRIBUTES if record["eventSourceARN"].endswith(".fifo") else set()
        assert set(record) == RECORD_KEYS
        assert set(record["attributes"]) == ATTRIBUTES | fifo
        assert all(isinstance(value, str) for value in record["attributes"].values())
        assert record["eventSource"] == "aws:sqs"
        assert record["md5OfBody"] == hashlib.md5(record["body"].encode(), usedforsecurity=False).hexdigest()


def test_no_two_records_share_a_message_id() -> None:
    ids = [record["messageId"] for record in _all_records()]
    assert len(ids) == len(set(ids))


def test_addresses_belong_to_nobody() -> None:
    bodies = "".join(record["body"] for record in _all_records()).replace("\\", "")  # as SNS escapes a message
    found = re.findall(r'"origination_ip": ?"([^"]+)"', bodies)
    addresses = [ipaddress.ip_address(text) for several in found for text in several.split(", ")]
    assert len(addresses) > len(SAMPLES) / 2
    assert not any(address.is_global for address in addresses)


def test_each_sample_says_how_each_of_its_records_ends() -> None:
    assert set(expectations()) == set(map(sample_name, SAMPLES))
    for path in SAMPLES:
        assert len(expectations()[sample_name(path)]) == len(_records(path)), path


@pytest.mark.parametrize("path", SAMPLES, ids=sample_name)
def test_a_record_keeps_or_breaks_the_contract_as_the_table_says(path: Path) -> None:
    for record, expected in zip(_records(path), expectations()[sample_name(path)], strict=True):
        event = _read(record)
        problems = event if isinstance(event, str) else ""
        assert bool(problems) == (expected.outcome == "invalid"), problems
        assert all(text in problems for text in expected.mentions), problems


def _read(record: dict[str, Any]) -> KochavaEvent | str:
    """Return the event of a record, or what is wrong with it."""
    sent_at = int(record["attributes"]["SentTimestamp"]) // 1000
    try:
        return parse_event(record["body"], sent_at=sent_at, default_app_id=None)
    except InvalidEventError as invalid:
        return str(invalid)


# --- complete -----------------------------------------------------------------------------------------------


def _events(paths: Iterable[Path]) -> list[KochavaEvent]:
    """Return the valid events of samples."""
    read = [_read(record) for path in paths for record in _records(path)]
    return [event for event in read if not isinstance(event, str)]


def test_there_is_a_sample_of_each_action_in_both_forms() -> None:
    for action in SHAPES:
        forms = {
            "data" in json.loads(record["body"]) and SHAPES[action].flat.isdisjoint(json.loads(record["body"]))
            for path in SAMPLES
            for record in _records(path)
            if not isinstance(event := _read(record), str) and event.action == action
        }
        assert forms == {True, False}, action


def test_there_is_a_sample_of_each_standard_event_and_of_each_parameter() -> None:
    events = _events(path for path in SAMPLES if path.parent.name == "standard")
    data = [event.data for event in events if isinstance(event.data, EventData)]
    parameters = [one.event_data for one in data if isinstance(one.event_data, dict)]

    assert Counter(one.event_name for one in data) == dict.fromkeys(STANDARD_EVENTS, 1)
    assert set().union(*parameters) == PARAMETER_TYPES.keys()


@pytest.mark.parametrize("warning", EventWarning)
def test_there_is_a_sample_of_each_warning_under_its_name(warning: EventWarning) -> None:
    [row] = expectations()[f"warnings/{warning.replace('_', '-')}.json"]
    assert warning in row.warnings


def test_the_few_samples_have_each_action_and_are_few() -> None:
    assert {event.action for event in _events(few_sample_paths())} == SHAPES.keys()
    assert len(few_sample_paths()) < 30


# --- events/README.md ---------------------------------------------------------------------------------------

ROW = re.compile(
    r"^\| \[(?P<name>[\w/.-]+)\]\((?P<link>[^)]+)\) \| [^|]+ \| (?P<outcomes>[^|]+) \|(?P<said>[^|]*)\|$",
    re.MULTILINE,
)


def _row(name: str, rows: list[Expectation]) -> dict[str, Any]:
    """Return what the document has to say of a sample."""
    said = [text for row in rows for text in (*row.warnings, *row.mentions)]
    return {"name": name, "link": name, "outcomes": [row.outcome for row in rows], "said": said}


def test_the_document_has_each_sample_and_says_how_it_ends() -> None:
    rows = [
        row.groupdict() | {"outcomes": row["outcomes"].split(", "), "said": re.findall("`([^`]+)`", row["said"])}
        for row in ROW.finditer((EVENTS / "README.md").read_text())
    ]
    assert sorted(rows, key=itemgetter("name")) == [_row(*item) for item in sorted(expectations().items())]
