"""The sample events are what `sam local generate-event sqs receive-message` prints, and safe to show."""

import hashlib
import ipaddress
import json
import re
from pathlib import Path
from typing import Any

import pytest

from forwarder_tools.samples import expectations, sample_paths
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.problems import InvalidEventError

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
NEVER_ROUTED = [ipaddress.ip_network(name) for name in ("203.0.113.0/24", "2001:db8::/32")]


def _records(path: Path) -> list[dict[str, Any]]:
    event = json.loads(path.read_text())
    assert set(event) == {"Records"}
    records: list[dict[str, Any]] = event["Records"]
    return records


def _all_records() -> list[dict[str, Any]]:
    return [record for path in SAMPLES for record in _records(path)]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
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
    found = re.findall(r'"origination_ip": ?"([^"]+)"', "".join(record["body"] for record in _all_records()))
    addresses = [ipaddress.ip_address(text) for text in found]
    assert addresses
    assert all(any(address in network for network in NEVER_ROUTED) for address in addresses)


def test_each_sample_says_how_each_of_its_records_ends() -> None:
    assert set(expectations()) == {path.name for path in SAMPLES}
    for path in SAMPLES:
        assert len(expectations()[path.name]) == len(_records(path)), path.name


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_record_keeps_or_breaks_the_contract_as_the_table_says(path: Path) -> None:
    for record, expected in zip(_records(path), expectations()[path.name], strict=True):
        problems = _problems(record["body"])
        assert (problems is not None) == (expected.outcome == "invalid"), problems
        assert all(text in (problems or "") for text in expected.mentions), problems


def _problems(body: str) -> str | None:
    try:
        parse_event(body, sent_at=1760000000, default_app_id=None)
    except InvalidEventError as invalid:
        return str(invalid)
    return None
