"""What the documentation says of names, defaults and examples is what the code does."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from forwarder_tools.publishing.sender import IN_FLIGHT
from kochava_forwarder.contract import parameters
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import SHAPES, AppTrackingTransparency, Event, EventData, GdprPrivacyConsent
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.contract.warnings import EventWarning
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.policy.outcomes import Outcome
from kochava_forwarder.settings import Settings
from kochava_forwarder.sqs.queues import MAX_ENTRIES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CONTRACT = (ROOT / "docs" / "events.md").read_text()
SENT_AT = 1_700_000_000


def sent(body: str) -> dict[str, Any]:
    event = parse_event(body, sent_at=SENT_AT, default_app_id=None)
    payload: dict[str, Any] = json.loads(encode_payload(event, DeviceUaEncoding.PERCENT))
    return payload


EXAMPLES: list[dict[str, Any]] = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", CONTRACT, re.DOTALL)
]


def example() -> dict[str, Any]:
    return copy.deepcopy(EXAMPLES[0])


def test_the_example_is_valid() -> None:
    assert sent(json.dumps(example())).keys() == {"action", "kochava_app_id", "kochava_device_id", "data"}


def test_there_is_a_valid_example_of_each_action() -> None:
    assert [example["action"] for example in EXAMPLES] == list(SHAPES)
    assert all(sent(json.dumps(example)) for example in EXAMPLES)


@pytest.mark.parametrize("field", sorted({field for shape in SHAPES.values() for field in shape.known} - {"data"}))
def test_every_field_of_every_action_is_named(field: str) -> None:
    assert f"`{field}`" in CONTRACT


def test_every_field_of_the_contract_has_its_row() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", CONTRACT, re.MULTILINE))

    assert rows >= Event.model_fields.keys() - {"data"} | EventData.model_fields.keys()


@pytest.mark.parametrize("reserved", sorted(parameters.RESERVED_PARAMETERS))
def test_every_reserved_parameter_is_named(reserved: str) -> None:
    assert f"`{reserved}`" in CONTRACT


NORMALISED = [line for line in CONTRACT.splitlines() if line.startswith('| `"')]
PLACES = {
    **dict.fromkeys(AppTrackingTransparency.model_fields, ("data", "app_tracking_transparency")),
    **dict.fromkeys(GdprPrivacyConsent.model_fields, ("data", "gdpr_privacy_consent")),
    **dict.fromkeys(["idfa", "IDFA"], ("data", "device_ids")),
    **dict.fromkeys(["sum", "price"], ("data", "event_data")),
    **dict.fromkeys(EventData.model_fields, ("data",)),
    **dict.fromkeys(Event.model_fields, ()),
}


def place_of(field: str, document: dict[str, Any]) -> dict[str, Any]:
    place = document
    for key in PLACES[field]:
        place = place[key]
    return place


def test_there_is_an_example_of_every_kind_of_value() -> None:
    assert len(NORMALISED) >= 20


@pytest.mark.parametrize("row", NORMALISED)
def test_what_is_normalised_is_normalised_as_the_examples_say(row: str) -> None:
    given, expected = row.split("|")[1:3]
    field, first = re.findall(r'`"(\w+)": ((?:[^`]+))`', given)[0]
    forms = [first, *re.findall(r"(?:,|or) `([^`]+)`", given)]
    for form in forms:
        event = example()
        if field == "IDFA":
            del event["data"]["device_ids"]["idfa"]
        place_of(field, event)[field] = json.loads(form)
        result = place_of(field, sent(json.dumps(event)))
        if expected.strip().startswith("nothing"):
            assert field not in result
        elif field == "IDFA":
            assert json.loads(re.findall(r"`([^`]+)`", expected)[0]) in result
        else:
            assert result[field] == json.loads(re.findall(r"`([^`]+)`", expected)[0])


@pytest.mark.parametrize("advice", EventWarning)
def test_every_warning_is_explained(advice: EventWarning) -> None:
    assert f"`{advice}`" in CONTRACT


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_row(outcome: Outcome) -> None:
    assert f"| `{outcome}` |" in README


@pytest.mark.parametrize(
    "name", [str(field.alias) for name, field in Settings.model_fields.items() if name != "dead_letter_queue_url"]
)
def test_every_setting_has_its_row_with_its_default(name: str) -> None:
    (row,) = re.findall(rf"^\| `(\w+)` \(`{name}`\) \|([^|]*)\|", README, re.MULTILINE)
    default = next(field.default for field in Settings.model_fields.values() if field.alias == name)

    assert row[0] == name.title().replace("_", "")
    if row[1].strip() != "Kochava's":
        assert row[1].strip("` ") == ("" if not default else f"{default:g}" if default == 10 else str(default))


PUBLISHING = (ROOT / "docs" / "publish.md").read_text()


@pytest.mark.parametrize("language", ["go", "java"])
def test_the_event_of_a_program_that_no_test_runs_is_valid(language: str) -> None:
    (program,) = re.findall(rf"```{language}\n(.*?)```", PUBLISHING, re.DOTALL)
    (written,) = re.findall(r'\{"kochava_app_id".*\}\}', program, re.DOTALL)
    body = written.replace("%q", '"order-1"').replace("%s", "order-1")

    assert parse_event(body, sent_at=SENT_AT, default_app_id=None).event_id == "order-1"


def test_the_document_says_how_many_events_a_killed_run_sends_twice() -> None:
    assert f"at most {IN_FLIGHT * MAX_ENTRIES} events" in PUBLISHING
