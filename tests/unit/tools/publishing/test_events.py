"""What is sent for an event, what is not, and what makes it the same event in another run."""

import json
from typing import Any
from uuid import UUID

import pytest

from forwarder_tools.publishing.events import Event, NotSent, Reader, Rules, Why
from forwarder_tools.records import Published
from kochava_forwarder.sqs.queues import MAX_BYTES
from tests.unit.tools.validate.support import SETTINGS

NAMESPACE = UUID("00000000-0000-4000-8000-000000000001")
OTHER = UUID("00000000-0000-4000-8000-000000000002")
CHECKED = Rules(SETTINGS)
FIFO = Rules(SETTINGS, fifo=True)
UNCHECKED = Rules(SETTINGS, fifo=True, check=False)


def body(**more: Any) -> str:
    return json.dumps(
        {
            "kochava_app_id": "kotest-app-1",
            "kochava_device_id": "KDtest-1",
            "data": {
                "event_name": "View",
                "device_ids": {"idfa": "AAAAAAAA-0000-4000-8000-000000000001", "custom": "fake-1"},
                "device_ua": "",
                "origination_ip": "203.0.113.7",
            },
            **more,
        }
    )


def read(
    *bodies: str, rules: Rules = CHECKED, namespace: UUID = NAMESPACE, published: set[str] | None = None
) -> list[Event | NotSent]:
    reader = Reader("f", rules, namespace, published or set(), now=1_760_000_000)
    return [reader.read(Published(number, text)) for number, text in enumerate(bodies, 1)]


def event(text: str, rules: Rules = CHECKED, namespace: UUID = NAMESPACE) -> Event:
    (found,) = read(text, rules=rules, namespace=namespace)
    assert isinstance(found, Event), found
    return found


def group_of(text: str, rules: Rules = FIFO) -> str:
    return event(text, rules).entry("0")["MessageGroupId"]


def reason(text: str, rules: Rules = CHECKED) -> str:
    (found,) = read(text, rules=rules)
    assert isinstance(found, NotSent)
    assert found.why is Why.INVALID
    return "\n".join(found.reasons)


def test_the_body_is_sent_as_it_is_written() -> None:
    text = body(event_id="e-1").replace(": ", ":   ")
    assert event(text).entry("3") == {"Id": "3", "MessageBody": text}


# --- what is refused ----------------------------------------------------------------------------------------


def test_what_breaks_the_contract_is_refused_with_every_problem() -> None:
    assert reason(body(kochava_appid="x", data={})).count("\n") > 2


def test_what_breaks_the_contract_goes_if_nobody_checks() -> None:
    assert event("{", Rules(SETTINGS, check=False)).body == "{"


def test_the_stacks_app_id_is_for_events_that_name_none() -> None:
    named = body(event_id="e-1")
    unnamed = json.dumps({key: value for key, value in json.loads(named).items() if key != "kochava_app_id"})
    assert reason(unnamed).startswith("kochava_app_id: is missing; add your app's GUID, or --app-id")
    assert event(unnamed, Rules(SETTINGS.model_copy(update={"app_id": "kotest-app-1"}))).key == event(named).key


@pytest.mark.parametrize("rules", [Rules(SETTINGS), Rules(SETTINGS, check=False)])
def test_what_sqs_does_not_take_is_refused_in_any_case(rules: Rules) -> None:
    room = MAX_BYTES - len(body(event_id=""))
    fits = body(event_id="x" * room)
    assert len(event(fits, rules).body) == MAX_BYTES
    assert reason(body(event_id="x" * (room + 1)), rules) == (
        "is too large: 1,048,577 bytes, and SQS takes 1,048,576"
    )
    assert "U+FFFF" in reason(body(event_id="\uffff").replace("\\uffff", "\uffff"), rules)
    assert reason("\udcff", rules) == "is not UTF-8"


# --- what makes it the same event ---------------------------------------------------------------------------


def test_an_event_id_makes_the_same_event_within_its_app() -> None:
    first, again, elsewhere = read(
        body(event_id="e-1"),
        body(event_id=" e-1 ", kochava_device_id="KDtest-2"),
        body(event_id="e-1", kochava_app_id="kotest-app-2"),
    )
    assert isinstance(first, Event)
    assert again == NotSent("f:2", Why.REPEATED, ("has the event_id of an earlier event",))
    assert isinstance(elsewhere, Event)


def test_equal_events_without_an_event_id_are_as_many_events() -> None:
    first, second, other = read(body(), body(), body(kochava_device_id="KDtest-2"))
    assert isinstance(first, Event)
    assert isinstance(second, Event)
    assert isinstance(other, Event)
    assert len({first.key, second.key, other.key}) == len({first.own_id, second.own_id, other.own_id}) == 3


def test_what_was_published_is_not_sent_again_wherever_it_stands_now() -> None:
    texts = [body(event_id="e-1"), body(), body()]
    keys = [found.key for found in read(*texts) if isinstance(found, Event)]
    new = body(kochava_device_id="KDtest-2")

    found = read(new, *reversed(texts), published=set(keys[:2]))

    assert [one.why if isinstance(one, NotSent) else None for one in found] == [
        None,
        Why.PUBLISHED,
        None,
        Why.PUBLISHED,
    ]


# --- event ids that are added -------------------------------------------------------------------------------

ADDING = Rules(SETTINGS, add_event_ids=True)


def test_an_event_gets_an_id_and_stays_otherwise_as_it_is_written() -> None:
    text = body().replace(": ", ":   ").replace("{", "{  ", 1)
    given = event(text, ADDING)

    assert given.event_id == json.loads(given.body)["event_id"] == given.own_id
    assert given.body == text.replace("{  ", f'{{"event_id": "{given.own_id}", ', 1)
    assert given.key == event(text).key


def test_an_id_is_the_same_in_every_run_with_a_journal_and_another_with_another() -> None:
    assert event(body(), ADDING) == event(body(), ADDING)
    assert event(body(), ADDING).event_id != event(body(), ADDING, OTHER).event_id


@pytest.mark.parametrize(
    "text",
    [
        body(event_id="e-1"),
        body(event_id=""),
        json.dumps({"detail-type": "x", "source": "y", "detail": json.loads(body())}),
    ],
)
def test_what_has_an_id_or_no_room_for_one_stays_as_it_is(text: str) -> None:
    assert event(text, Rules(SETTINGS, add_event_ids=True, check=False)).body == text


# --- FIFO queues --------------------------------------------------------------------------------------------


def test_the_events_of_a_device_are_a_group() -> None:
    assert group_of(body()) == group_of(body(event_id="e-1", action="event")) == "KDtest-1"
    assert group_of(body(kochava_device_id="")) == "custom=fake-1"
    link = {"identity_link": {"app_userid": "u-1"}}
    assert group_of(body(action="identityLink", data=link)) == "KDtest-1"
    assert group_of('{"kochava_device_id": "KDtest-1"}', UNCHECKED) == "KDtest-1"


def test_what_names_no_device_and_is_not_checked_is_a_group_of_its_own() -> None:
    assert len({group_of(text, UNCHECKED) for text in ("{", "[", '{"kochava_device_id": 1}')}) == 3


@pytest.mark.parametrize("rules", [FIFO, UNCHECKED])
def test_a_device_that_is_a_number_is_a_group_as_its_text_is(rules: Rules) -> None:
    assert group_of(body(kochava_device_id=815), rules) == group_of(body(kochava_device_id="815"), rules) == "815"
    wrong = {"unknown": 1} if rules is UNCHECKED else {}
    assert group_of(body(kochava_device_id=815, **wrong), rules) == "815"


def test_a_path_says_what_is_a_group() -> None:
    rules = Rules(SETTINGS, fifo=True, group_by=("data", "user"))
    data = json.loads(body())["data"]
    assert group_of(body(data={**data, "user": "u-1"}), rules) == "u-1"
    assert group_of(body(data={**data, "user": 7}), rules) == "7"
    for value in ("", None, True):
        assert reason(body(data={**data, "user": value}), rules) == "data.user: is needed for its message group"
    assert reason(body(), rules) == "data.user: is needed for its message group"


def test_the_event_id_is_for_deduplication() -> None:
    assert event(body(event_id="e-1"), FIFO).entry("0")["MessageDeduplicationId"] == "e-1"
    without = event(body(), FIFO)
    assert without.entry("0")["MessageDeduplicationId"] == without.own_id


@pytest.mark.parametrize("text", ["x" * 129, "two words", "caf\u00e9"])
def test_what_sqs_does_not_take_as_an_id_is_digested(text: str) -> None:
    entry = event(body(event_id=text, kochava_device_id=text), FIFO).entry("0")
    assert entry["MessageGroupId"] == entry["MessageDeduplicationId"]
    assert len(entry["MessageGroupId"]) == 64


def test_a_standard_queue_gets_neither() -> None:
    assert event(body()).entry("0").keys() == {"Id", "MessageBody"}
