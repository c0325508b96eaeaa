from datetime import UTC, datetime
from typing import Any

import pytest

from forwarder_tools.deadletters.letter import MOVED_BY_SQS, NO_REASON, OURS, Letter, iso
from kochava_forwarder.sqs.message import Message
from kochava_forwarder.sqs.queues import DeadLetter, SqsQueues
from tests.unit.tools.deadletters.letters import NOW, letter, ours


def test_the_attributes_of_the_function_are_those_that_it_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sqs:
        def send_message_batch(self, **call: Any) -> dict[str, list[dict[str, str]]]:
            calls.extend(call["Entries"])
            return {"Successful": [{"Id": "0"}]}

    calls: list[dict[str, Any]] = []
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    message = Message("m", "r", "{}", NOW, NOW, 1, None, "arn", {})
    queues = SqsQueues("https://sqs.example/1/dead")
    queues._send_dead_letters([DeadLetter(message, "invalid", "why", "order-1")], Sqs())  # type: ignore[arg-type] # noqa: SLF001 - what is written, without a queue
    queues.close()

    assert [entry["MessageAttributes"].keys() for entry in calls] == [OURS]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (ours("expired"), "expired"),
        (letter(), NO_REASON),
        (letter(reason="invalid"), "invalid"),  # beside a body near SQS's limit
        (letter(moved=True), MOVED_BY_SQS),
        (letter(moved=True, reason="birthday"), MOVED_BY_SQS),  # the publisher's
        (letter(moved=True, reason="expired", sourceMessageId="m", deadLetteredAt="x"), MOVED_BY_SQS),
    ],
)
def test_a_dead_letter_has_a_reason(given: Letter, reason: str) -> None:
    assert given.reason == reason


def test_a_publishers_attribute_may_be_named_like_one_of_the_function() -> None:
    moved = letter(moved=True, reason="birthday", detail="cake")
    assert moved.publishers().keys() == {"reason", "detail"}
    assert moved.text("detail") == ""


def test_what_is_the_publishers_is_told_from_what_is_the_functions() -> None:
    assert ours("expired", tenant="one").publishers().keys() == {"tenant"}
    console = letter(moved=True, reason="expired", sourceMessageId="m", deadLetteredAt="x", tenant="one")
    assert console.publishers().keys() == {"tenant"}


def test_the_attributes_say_when() -> None:
    sent, dead = (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert ours("expired").sent_at == sent.timestamp()
    assert ours("expired").dead_lettered_at == dead.timestamp()


@pytest.mark.parametrize("text", ["yesterday", "2026-12-31T00:00:00"])
def test_without_a_moment_of_its_own_it_is_when_sqs_took_it(text: str) -> None:
    assert letter().sent_at == letter().dead_lettered_at == NOW
    assert letter(reason="expired", sentAt=text, deadLetteredAt=text).sent_at == NOW


def test_of_what_sqs_moved_an_earlier_dead_letters_moment_does_not_count() -> None:
    moved = letter(
        moved=True, sentAt="2026-12-31T00:00:00.000+00:00", deadLetteredAt="2026-12-31T00:00:00.000+00:00"
    )
    assert moved.dead_lettered_at == NOW
    assert moved.sent_at < NOW


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    assert ours("expired", detail="a\x9b31m\u202eb").text("detail") == "a 31m b"


def test_moments_are_written_as_the_function_writes_them() -> None:
    assert iso(1.5) == "1970-01-01T00:00:01.500+00:00"
