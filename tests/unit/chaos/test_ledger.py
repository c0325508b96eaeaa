"""The ledger of a chaos run: what each line counts, and what turns it red."""

import io
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console

from forwarder_tools.localcloud import Message
from forwarder_tools.sandbox import Received
from tests.chaos.aws_faults import TABLE_ACTION, AwsFault, Call, FailedCall
from tests.chaos.crashes import Crash
from tests.chaos.kochava_faults import ASKED_TO_WAIT
from tests.chaos.ledger import CRASH, KOCHAVA, SCALED_WAIT, SQS, TABLE, TWICE, Evidence, Ledger, record_key
from tests.chaos.publications import Event
from tests.chaos.report import show, show_faults

GOOD, OTHER = (Event(number, f"KD-{number}", f'{{"number": {number}}}', "g") for number in (1, 2))
REPEATED = replace(GOOD, event_id="chaos-1")
INVALID = Event(3, None, "not JSON", "g")
SUCCESS, NO_SUCCESS = "200 success", "reset after reading"


def request(
    event: Event, at: float, answer: str = SUCCESS, *, counted: bool = True, connection: int = 1
) -> Received:
    return Received(
        body=b"",
        event={"kochava_device_id": event.device},
        headers={},
        problems=(),
        answer=answer,
        accepted=counted,
        arrived=at,
        connection=connection,
    )


def dead_letter(event: Event, source: str, reason: str, at: int = 1, *, receives: int = 1) -> Message:
    return Message(
        id=f"dead-{source}-{at}",
        body=event.body,
        attributes={
            "reason": reason,
            "detail": "why",
            "sourceMessageId": source,
            "receiveCount": str(receives),
            "sentAt": "1970-01-01T00:00:00.000+00:00",
            "deadLetteredAt": f"1970-01-01T00:00:{at:02}.000+00:00",
        },
        receives=0,
        visible=True,
        visible_at=0.0,
        group=event.group,
    )


def waiting(message_id: str) -> Message:
    return Message(message_id, "", {}, receives=1, visible=False, visible_at=0.0, group=None)


def run(**seen: object) -> Evidence:
    """A run of one event that was delivered, except for what is given."""
    nothing = Evidence(
        fifo=False,
        messages={"m1": GOOD},
        requests=[request(GOOD, 1)],
        dead=[],
        waiting=[],
        crashes=[],
        failed_calls=[],
        invocation_seconds=6,
        batch=10,
        clock_offset=0,
    )
    return replace(nothing, **seen)  # type: ignore[arg-type] # each test gives what the fields take


def counts(evidence: Evidence) -> Mapping[str, int]:
    return {line.text.strip(): line.count for line in Ledger(evidence).lines if line.count}


def wrong(evidence: Evidence) -> Mapping[str, tuple[str, ...]]:
    ledger = Ledger(evidence)
    found = {line.text.strip(): line.wrong for line in ledger.lines if line.wrong}
    assert ledger.holds is not bool(found)
    return found


def failed(action: str, fault: AwsFault, **asked: object) -> FailedCall:
    return FailedCall(Call("any", action, asked), fault)


def failed_about(key: str) -> FailedCall:
    """Return a call to the deduplication table that failed."""
    return failed(TABLE_ACTION, AwsFault.THROTTLED, Statements=[{"Statement": f"'{key}'"}])


class TestWhereEventsAre:
    def test_every_event_is_somewhere(self) -> None:
        refused = request(OTHER, 2, "400", counted=False)
        evidence = run(
            messages={"m1": GOOD, "m2": OTHER, "m3": INVALID},
            requests=[request(GOOD, 1), refused],
            dead=[dead_letter(OTHER, "m2", "rejected"), dead_letter(INVALID, "m3", "invalid")],
        )
        assert counts(evidence) == {
            "published": 3,
            "delivered: counted by Kochava": 1,
            "dead-lettered: invalid": 1,
            "dead-lettered: rejected": 1,
        }
        assert wrong(evidence) == {}

    def test_a_lost_event_is_named(self) -> None:
        evidence = run(messages={"m1": GOOD, "m2": OTHER})
        assert wrong(evidence) == {"lost": ("event 2 is nowhere",)}

    def test_a_request_that_kochava_did_not_count_delivers_nothing(self) -> None:
        evidence = run(requests=[request(GOOD, 1, "503", counted=False)])
        assert wrong(evidence) == {"lost": ("event 1 is nowhere",)}

    def test_an_event_that_waits_still_is_named_and_not_lost(self) -> None:
        evidence = run(requests=[], waiting=[waiting("m1")])
        assert wrong(evidence) == {"still in the queue": ("event 1 waits",)}

    def test_a_repeated_event_is_one(self) -> None:
        evidence = run(messages={"m1": REPEATED, "m2": REPEATED})
        assert counts(evidence) == {"published": 1, "delivered: counted by Kochava": 1}
        assert wrong(evidence) == {}


class TestWhatWasDoneAgain:
    """Event 1 was counted at second 1, and again later."""

    TWICE = (request(GOOD, 1, connection=1), request(GOOD, 9, connection=2))
    FOR_NO_REASON: Mapping[str, tuple[str, ...]] = {
        "for no reason": ("event 1 was done again, although it was 200 success",)
    }

    def test_a_duplicate_for_no_reason(self) -> None:
        assert wrong(run(requests=self.TWICE)) == self.FOR_NO_REASON

    @pytest.mark.parametrize("answer", [NO_SUCCESS, "503", "400", "200 success false", "dripping body"])
    def test_kochava_did_not_say_that_it_counted(self, answer: str) -> None:
        evidence = run(requests=[request(GOOD, 1, answer), request(GOOD, 9)])
        assert wrong(evidence) == {}
        assert counts(evidence)[f"because {KOCHAVA}"] == 1

    @pytest.mark.parametrize("answer", ["200 success, chunked", "200 success, closing", "200 success, HTTP/1.0"])
    def test_kochava_said_so(self, answer: str) -> None:
        assert "for no reason" in wrong(run(requests=[request(GOOD, 1, answer), request(GOOD, 9)]))

    def test_the_last_answer_needs_no_reason(self) -> None:
        assert wrong(run(requests=[request(GOOD, 1, NO_SUCCESS)])) == {}

    def test_each_repetition_needs_its_own_cause(self) -> None:
        evidence = run(requests=[request(GOOD, 1, NO_SUCCESS), *(request(GOOD, at) for at in (8, 16))])
        assert wrong(evidence) == self.FOR_NO_REASON

    @pytest.mark.parametrize("at", [1, 6.9])
    def test_the_worker_died_during_the_invocation(self, at: float) -> None:
        evidence = run(requests=self.TWICE, crashes=[Crash(7, at)])
        assert wrong(evidence) == {}
        assert counts(evidence)[f"because {CRASH}"] == 1

    @pytest.mark.parametrize("at", [-0.1, 7.1])
    def test_a_worker_died_before_or_long_after(self, at: float) -> None:
        evidence = run(requests=self.TWICE, crashes=[Crash(7, at)])
        assert wrong(evidence) == self.FOR_NO_REASON

    def test_another_worker_died(self) -> None:
        on_the_same_connection = request(OTHER, 5, connection=1)
        evidence = run(
            messages={"m1": GOOD, "m2": OTHER},
            requests=[*self.TWICE, on_the_same_connection],
            crashes=[Crash(7, 2)],
        )
        assert wrong(evidence) == self.FOR_NO_REASON

    def test_a_worker_had_no_more_in_hand_than_a_batch(self) -> None:
        events = [Event(number, f"KD-{number}", "{}", "g") for number in range(3)]
        evidence = run(
            messages={str(event.number): event for event in events},
            requests=[request(event, at, connection=at) for event in events for at in (1, 9)],
            crashes=[Crash(7, 2)],
            batch=2,
        )
        assert len(wrong(evidence)["for no reason"]) == 1

    def test_what_the_table_explains_uses_up_nothing_of_a_crash(self) -> None:
        evidence = run(
            messages={"m1": REPEATED, "m2": REPEATED, "m3": OTHER},
            requests=[request(event, at, connection=at) for event in (REPEATED, OTHER) for at in (1, 9)],
            failed_calls=[failed_about(record_key(REPEATED, "m1"))],
            crashes=[Crash(7, 2)],
            batch=1,
        )
        assert wrong(evidence) == {}

    def test_the_table_failed_about_a_repeated_event(self) -> None:
        evidence = run(
            messages={"m1": REPEATED, "m2": REPEATED},
            requests=[request(REPEATED, 1), request(REPEATED, 9)],
            failed_calls=[failed_about(record_key(REPEATED, "m1"))],
        )
        assert wrong(evidence) == {}
        assert counts(evidence)[f"because {TABLE}"] == 1

    def test_the_table_failed_about_another_event(self) -> None:
        evidence = run(
            messages={"m1": REPEATED, "m2": REPEATED},
            requests=[request(REPEATED, 1), request(REPEATED, 9)],
            failed_calls=[failed_about("another")],
        )
        assert wrong(evidence) == self.FOR_NO_REASON

    def test_the_table_failed_about_a_message_that_came_twice(self) -> None:
        about = {message: failed_about(record_key(GOOD, message)) for message in ("m1", "m2")}
        assert wrong(run(requests=self.TWICE, failed_calls=[about["m1"]])) == {}
        assert wrong(run(requests=self.TWICE, failed_calls=[about["m2"]])) == self.FOR_NO_REASON


class TestWhatWasDeadLetteredToo:
    REFUSED = request(GOOD, 3, "400", counted=False)

    def test_a_delivered_event_is_dead_lettered_for_no_reason(self) -> None:
        evidence = run(requests=[request(GOOD, 1), self.REFUSED], dead=[dead_letter(GOOD, "m1", "rejected", 3)])
        assert list(wrong(evidence)) == ["for no reason"]
        assert counts(evidence)["delivered and dead-lettered, each explained below"] == 1

    def test_a_counted_event_is_dead_lettered_because_it_looked_refused(self) -> None:
        evidence = run(requests=[request(GOOD, 1, "400")], dead=[dead_letter(GOOD, "m1", "rejected", 3)])
        assert wrong(evidence) == {}

    def test_a_second_dead_letter_for_no_reason(self) -> None:
        evidence = run(
            fifo=True,
            requests=[self.REFUSED],
            dead=[dead_letter(GOOD, "m1", "rejected", 3), dead_letter(GOOD, "m1", "rejected", 5)],
        )
        assert list(wrong(evidence)) == ["for no reason"]

    def test_a_second_dead_letter_because_sqs_did_not_say_that_it_took_the_first(self) -> None:
        entry = {"MessageAttributes": {"sourceMessageId": {"StringValue": "m1"}}}
        evidence = run(
            requests=[self.REFUSED],
            dead=[dead_letter(GOOD, "m1", "rejected", 3), dead_letter(GOOD, "m1", "rejected", 5)],
            failed_calls=[failed("SendMessageBatch", AwsFault.RESET_AFTER, Entries=[entry])],
        )
        assert wrong(evidence) == {}
        assert counts(evidence)[f"because {SQS}"] == 1

    def test_a_dead_letter_that_sqs_did_not_take_explains_no_second_one(self) -> None:
        entry = {"MessageAttributes": {"sourceMessageId": {"StringValue": "m1"}}}
        evidence = run(
            fifo=True,
            requests=[self.REFUSED],
            dead=[dead_letter(GOOD, "m1", "rejected", 3), dead_letter(GOOD, "m1", "rejected", 5)],
            failed_calls=[failed("SendMessageBatch", AwsFault.RESET_BEFORE, Entries=[entry])],
        )
        assert list(wrong(evidence)) == ["for no reason"]

    def test_a_second_dead_letter_because_a_standard_queue_delivered_the_message_twice(self) -> None:
        dead = [dead_letter(GOOD, "m1", "rejected", at) for at in (3, 9)]
        evidence = run(requests=[self.REFUSED], dead=dead)
        assert wrong(evidence) == {}
        assert counts(evidence)[f"because {TWICE}"] == 1

    def test_a_repeated_event_may_be_refused_once_and_delivered_once(self) -> None:
        evidence = run(
            messages={"m1": REPEATED, "m2": REPEATED},
            requests=[request(REPEATED, 1, "400", counted=False), request(REPEATED, 4)],
            dead=[dead_letter(REPEATED, "m1", "rejected", 2)],
        )
        assert wrong(evidence) == {}


class TestRules:
    DEAD = dead_letter(INVALID, "m3", "invalid")

    def dead(self, **changes: object) -> Evidence:
        return run(
            messages={"m3": INVALID},
            requests=[],
            dead=[replace(self.DEAD, **changes)],  # type: ignore[arg-type] # each test gives what fields take
        )

    def test_an_invalid_event_is_dead_lettered_as_invalid(self) -> None:
        assert wrong(self.dead()) == {}

    @pytest.mark.parametrize("name", ["reason", "detail", "receiveCount", "deadLetteredAt", "sentAt"])
    def test_a_missing_attribute_is_named(self, name: str) -> None:
        attributes = {key: value for key, value in self.DEAD.attributes.items() if key != name}
        [line] = wrong(self.dead(attributes=attributes))["dead letters without their attributes"]
        assert name in line

    @pytest.mark.parametrize("reason", ["rejected", "expired", "ambiguous", "unavailable"])
    def test_a_wrong_reason(self, reason: str) -> None:
        found = wrong(self.dead(attributes={**self.DEAD.attributes, "reason": reason}))
        assert found == {
            "dead letters with a wrong reason": (f"event 3 is dead-lettered as {reason}, should be invalid",)
        }

    def test_a_good_event_that_kochava_did_not_refuse_is_dead_lettered(self) -> None:
        evidence = run(requests=[], dead=[dead_letter(GOOD, "m1", "rejected")])
        assert list(wrong(evidence)) == ["dead letters with a wrong reason"]

    @pytest.mark.parametrize(
        ("answer", "receives", "right"),
        [
            ("503", 3, False),
            ("503", 4, True),
            ("401", 1, True),
            ("302", 1, True),
            ("509", 1, True),
            ("400", 1, False),
        ],
    )
    def test_an_event_expires_before_a_wait_of_the_longest_step_or_longer_only(
        self, answer: str, receives: int, right: bool
    ) -> None:
        evidence = run(
            requests=[request(GOOD, 1, answer, counted=False)],
            dead=[dead_letter(GOOD, "m1", "expired", receives=receives)],
        )
        assert list(wrong(evidence)) == ([] if right else ["dead letters with a wrong reason"])

    def test_an_aged_event_expires_whatever_is_wrong_with_it(self) -> None:
        aged = replace(GOOD, aged=True)
        expired = [dead_letter(aged, "m1", "expired")]
        assert wrong(run(messages={"m1": aged}, requests=[], dead=expired)) == {}
        for_another_reason = [dead_letter(aged, "m1", "rejected")]
        found = wrong(run(messages={"m1": aged}, requests=[], dead=for_another_reason))
        assert found == {
            "dead letters with a wrong reason": ("event 1 is dead-lettered as rejected, should be expired",)
        }

    def test_another_body(self) -> None:
        assert list(wrong(self.dead(body="NOT JSON"))) == ["dead letters that are not what was published"]

    def test_another_group(self) -> None:
        evidence = replace(self.dead(group="h"), fifo=True)
        assert list(wrong(evidence)) == ["dead letters that are not what was published"]

    def test_an_invalid_event_was_not_dead_lettered(self) -> None:
        assert list(wrong(run(messages={"m3": INVALID}, requests=[]))) == ["lost"]

    def test_a_request_that_breaks_the_contract(self) -> None:
        evidence = run(requests=[request(GOOD, 1), replace(request(GOOD, 0), problems=("no",), accepted=False)])
        assert list(wrong(evidence)) == ["requests that break Kochava's contract"]

    @pytest.mark.parametrize("stray", [OTHER, INVALID])
    def test_a_request_of_nothing_that_was_published(self, stray: Event) -> None:
        evidence = run(requests=[request(GOOD, 1), request(stray, 2)])
        assert list(wrong(evidence)) == ["requests and dead letters of nothing that was published"]

    def test_a_dead_letter_of_nothing_that_was_published(self) -> None:
        evidence = run(dead=[dead_letter(INVALID, "m9", "invalid")])
        assert list(wrong(evidence)) == ["requests and dead letters of nothing that was published"]


class TestOrder:
    MESSAGES: Mapping[str, Event] = {"m1": GOOD, "m2": OTHER}

    def test_a_group_in_order(self) -> None:
        in_order = [request(GOOD, 1), request(OTHER, 2)]
        assert wrong(run(fifo=True, messages=self.MESSAGES, requests=in_order)) == {}

    def test_a_group_out_of_order(self) -> None:
        reversed_ = [request(OTHER, 1), request(GOOD, 2)]
        assert wrong(run(fifo=True, messages=self.MESSAGES, requests=reversed_)) == {
            "message groups out of order": ("g: event 2 was counted before event 1",)
        }

    @pytest.mark.parametrize(("dead_at", "in_order"), [(1, True), (9, False)])
    def test_an_event_gives_up_its_place_by_being_dead_lettered_before(self, dead_at: int, in_order: bool) -> None:
        evidence = run(
            fifo=True,
            messages=self.MESSAGES,
            requests=[request(GOOD, 0, "400", counted=False), request(OTHER, 2), request(GOOD, 7)],
            dead=[dead_letter(GOOD, "m1", "rejected", dead_at)],
            crashes=[Crash(7, 3), Crash(8, 8)],
        )
        assert ("message groups out of order" not in wrong(evidence)) is in_order

    def test_other_groups_and_standard_queues_have_no_order(self) -> None:
        reversed_ = [request(OTHER, 1), request(GOOD, 2)]
        assert wrong(run(messages=self.MESSAGES, requests=reversed_)) == {}
        apart = {"m1": replace(GOOD, group="h"), "m2": OTHER}
        assert wrong(run(fifo=True, messages=apart, requests=reversed_)) == {}

    def test_a_repeat_may_deliver_what_was_refused_before(self) -> None:
        evidence = run(
            fifo=True,
            messages={"m1": REPEATED, "m2": OTHER, "m3": REPEATED},
            requests=[request(REPEATED, 1, "400", counted=False), request(OTHER, 2), request(REPEATED, 3)],
            dead=[dead_letter(REPEATED, "m1", "rejected")],
        )
        assert wrong(evidence) == {}

    def test_only_the_first_delivery_counts(self) -> None:
        again = [request(GOOD, 1, NO_SUCCESS), request(OTHER, 2), request(GOOD, 3)]
        assert wrong(run(fifo=True, messages=self.MESSAGES, requests=again)) == {}

    def test_one_that_was_never_counted_does_not(self) -> None:
        refused = Event(0, "KD-0", "{}", "g")
        evidence = run(
            fifo=True,
            messages={"m0": refused, **self.MESSAGES},
            requests=[request(refused, 0, "400", counted=False), request(GOOD, 1), request(OTHER, 2)],
            dead=[dead_letter(refused, "m0", "rejected")],
        )
        assert wrong(evidence) == {}


class TestShow:
    @staticmethod
    def printed(evidence: Evidence) -> str:
        text = io.StringIO()
        console = Console(file=text, width=150)
        show_faults(console, evidence)
        show(console, "a run", Ledger(evidence))
        return text.getvalue()

    def test_the_ledger_names_the_events_of_a_line_that_does_not_hold(self) -> None:
        messages = {str(number): Event(number, f"KD-{number}", "{}", "g") for number in range(9)}
        text = self.printed(run(messages=messages, requests=[]))
        assert "event 0 is nowhere" in text
        assert "event 4 is nowhere" in text
        assert "and 4 more" in text
        assert "event 5" not in text

    def test_faults_are_counted_by_kind(self) -> None:
        requests = [
            request(GOOD, 1, "503", counted=False),
            request(GOOD, 2, "503", counted=False),
            request(GOOD, 3),
        ]
        calls = [failed("SendMessageBatch", AwsFault.THROTTLED)]
        text = self.printed(run(requests=requests, failed_calls=calls, crashes=[Crash(1, 1)]))
        assert "went wrong, of 3: 2 (503 2)" in text
        assert "that failed: 1 (SendMessageBatch throttled 1)" in text
        assert "that died: 1" in text


class TestRetryAfter:
    def tries(self, apart: float) -> Evidence:
        asked = request(GOOD, 1, ASKED_TO_WAIT, counted=False)
        return run(fifo=True, requests=[asked, request(GOOD, 1 + apart)])

    def test_an_event_waits_as_long_as_kochava_asked(self) -> None:
        assert wrong(self.tries(SCALED_WAIT)) == {}
        assert list(wrong(self.tries(SCALED_WAIT - 0.1))) == ["tries sooner than Kochava asked"]

    def test_two_messages_of_one_event_wait_each_for_itself(self) -> None:
        twice: Mapping[str, Event] = {"m1": REPEATED, "m2": REPEATED}
        assert wrong(replace(self.tries(0.1), messages=twice)) == {}

    def test_on_a_standard_queue_two_receives_wait_each_for_itself(self) -> None:
        assert wrong(replace(self.tries(0.1), fifo=False)) == {}
