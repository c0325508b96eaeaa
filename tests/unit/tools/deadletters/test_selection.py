from datetime import UTC, datetime

import pytest

from forwarder_tools.deadletters.groups import Groups
from forwarder_tools.deadletters.selection import REASONS, Selection, age_text, parse_age, parse_reason
from tests.unit.tools.deadletters.letters import NOW, letter, ours

DEAD = datetime(2027, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("selection", "is_taken"),
    [
        (Selection(), True),
        (Selection(reasons=("expired",)), True),
        (Selection(reasons=("invalid", "EXPIRED")), True),
        (Selection(reasons=("invalid",)), False),
        (Selection(message_ids=frozenset({"m-1"})), True),
        (Selection(message_ids=frozenset({"other", "source-m-1"})), True),
        (Selection(message_ids=frozenset({"other", ""})), False),
        (Selection(before=DEAD + 1), True),
        (Selection(before=DEAD), False),
        (Selection(after=DEAD - 1), True),
        (Selection(after=DEAD), False),
        (Selection(reasons=("expired",), before=DEAD), False),
        (Selection(reasons=("invalid",), message_ids=frozenset({"m-1"})), False),
    ],
)
def test_all_that_is_given_must_be_so(selection: Selection, is_taken: bool) -> None:
    assert selection.takes(ours("expired")) is is_taken


def test_the_reasons_are_those_that_dead_letters_have() -> None:
    assert REASONS == ("invalid", "rejected", "expired", "ambiguous", "moved-by-sqs", "no-reason")
    letters = [*map(ours, REASONS[:4]), letter(moved=True), letter()]
    for reason, dead in zip(REASONS, letters, strict=True):
        assert parse_reason(dead.reason.upper()) == reason
        assert [Selection(reasons=(reason,)).takes(each) for each in letters].count(True) == 1
        assert Selection(reasons=(reason,)).takes(dead)


def test_an_id_that_is_not_there_is_no_id() -> None:
    assert not Selection(message_ids=frozenset({""})).takes(letter(moved=True))


@pytest.mark.parametrize("written", ["moved by SQS", "moved-by-sqs"])
def test_the_reason_of_what_sqs_moved_can_be_written_in_one_word(written: str) -> None:
    assert Selection(reasons=(written,)).takes(letter(moved=True))


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("1.5h", 5400), ("3d", 259200), (" 1h ", 3600)]
)
def test_an_age_is_read(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "12", "h", "-1h", "1h30m", "1w", "1 h"])
def test_what_is_no_age_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is no age: write a number and s, m, h or d, as in 12h"):
        parse_age(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0s"), (0.5, "0s"), (59, "59s"), (60, "1m"), (7199, "1h"), (900000, "10d")]
)
def test_an_age_is_shown_in_its_largest_unit(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


def test_groups_count_span_and_keep_one_without_its_body() -> None:
    groups = Groups()
    groups.add(letter(body="secret", moved=True))
    for day in (3, 1, 2):
        groups.add(ours("expired", f"m-{day}", deadLetteredAt=f"2027-01-0{day}T00:00:00.000+00:00"))

    (expired, moved) = groups.as_json()
    assert groups.count == 4
    assert expired == {
        "reason": "expired",
        "count": 3,
        "deadLetteredAt": {"oldest": "2027-01-01T00:00:00.000+00:00", "newest": "2027-01-03T00:00:00.000+00:00"},
        "sentAt": {"oldest": "2026-12-31T00:00:00.000+00:00", "newest": "2026-12-31T00:00:00.000+00:00"},
        "sample": {"messageId": "m-3", "sourceMessageId": "source-m-3"},
    }
    assert moved["reason"] == "moved by SQS"
    assert {group.sample.body for group in groups.by_reason.values()} == {""}
    assert groups.by_reason["moved by SQS"].sent.oldest == NOW
