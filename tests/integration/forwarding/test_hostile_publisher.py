"""A publisher who means harm with what is shown of his events: their ids."""

import json

import pytest

from tests.integration.support import Start, body, record
from tests.integration.support_servers import Aws

MAX_SHOWN = 1024
FORGED = 'order-1\n{"outcome":"delivered","message_id":"forged"}\u2028\x1b[2J\x9b2J'
REFUSALS = {"REFUSAL_QUEUE_ARN": "arn:aws:sqs:us-east-1:000000000000:refusals"}


@pytest.mark.parametrize("valid", [True, False])
def test_an_event_id_forges_no_log_line_and_commands_no_terminal(start: Start, aws: Aws, *, valid: bool) -> None:
    forwarder = start(**REFUSALS)
    text = body(event_id=FORGED) if valid else body(event_id=FORGED, currency=7)
    forwarder.invoke(record(text, "one", age=0.0 if not valid else 4 * 86_400))

    (letter,) = aws.letters_by_body().values()
    (refusal,) = aws.refusals
    for told in (forwarder.log_of("one")["event_id"], letter["eventId"], refusal["eventId"]):
        assert told.startswith("order-1")
        assert told.isprintable()
    assert [line for line in forwarder.logs if line.get("message_id") != "one"] == []
    assert all(line.isprintable() for line in forwarder.printed.split("\n"))


def test_an_event_id_of_half_a_megabyte_floods_no_log_and_silences_no_refusal(start: Start, aws: Aws) -> None:
    forwarder = start(**REFUSALS)
    huge = [record(body(event_id="x" * 500_000, currency=7), f"huge-{number}") for number in range(3)]
    assert forwarder.invoke(*huge, record(body(event_id="order-1", currency=7), "small")) == set()

    assert len(forwarder.printed) < 20_000
    assert max(len(json.dumps(refusal)) for refusal in aws.refusals) < 2 * MAX_SHOWN
    assert sorted(len(refusal["eventId"]) for refusal in aws.refusals) == [7, *[MAX_SHOWN] * 3]


def test_two_long_event_ids_that_begin_alike_are_two_events(start: Start, aws: Aws) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen")
    forwarder.invoke(*(record(body(event_id="x" * MAX_SHOWN + end)) for end in "ab"))

    assert forwarder.outcomes == {"delivered": 2}
    assert len(aws.table) == 2
