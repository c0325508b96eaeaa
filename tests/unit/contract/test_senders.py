"""What real senders publish, and what must become of it: bodies, user agents and event names from public sources.

Personal values were replaced by made-up ones of the same form. Each case names its rule and its source.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from forwarder_tools.sandbox import Contract
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent
from kochava_forwarder.contract.warnings import warnings_for
from kochava_forwarder.kochava.payload import encode_payload
from tests.unit.strategies import HEADERS

CASES = Path(__file__).parent / "cases"
BODIES = json.loads((CASES / "bodies.json").read_text())
USER_AGENTS = json.loads((CASES / "user_agents.json").read_text())
NAMES = json.loads((CASES / "event_names.json").read_text())["names"]


def at(event: Any, path: str) -> Any:
    for key in path.split("."):
        event = event[key]
    return event


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case["id"])
def test_a_senders_body_is_taken_or_refused_as_it_must_be(case: dict[str, Any]) -> None:
    try:
        event = parse_event(case["body"], sent_at=case["sent_at"], default_app_id=None)
    except InvalidEventError:
        assert case["verdict"] == "invalid"
        return
    assert case["verdict"] == "accept"
    payload = encode_payload(event, DeviceUaEncoding.RAW)
    for path, value in case["wire"].items():
        wanted = case["sent_at"] if value == "sent_at" else value
        assert (at(json.loads(payload), path), type(at(json.loads(payload), path))) == (wanted, type(wanted))
    assert case["warning"] is None or case["warning"] in set(warnings_for(event, sent_at=case["sent_at"]))
    assert Contract("raw").read(HEADERS, payload)[1] == ()


@pytest.mark.parametrize("case", USER_AGENTS, ids=lambda case: case["id"])
def test_a_senders_user_agent_is_decoded_as_it_was_meant(case: dict[str, str]) -> None:
    assert encode_user_agent(case["sent"], DeviceUaEncoding.RAW) == case["raw"]


@pytest.mark.parametrize("case", NAMES, ids=lambda case: case["name"])
def test_a_senders_event_name_is_warned_of_only_where_it_was_meant_otherwise(case: dict[str, Any]) -> None:
    assert (meant_event(case["name"]) is not None) == case["warned"]
