"""What a chaos run is made of: its events, and the faults of Kochava and of AWS; all from a seed."""

import json
from collections import Counter

import pytest

from forwarder_tools.sandbox import KINDS, parse_fault
from forwarder_tools.sandbox.answers import SUCCESS
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.problems import InvalidEventError
from tests.chaos.aws_faults import (
    DENIED_CALLS,
    SHARES,
    TABLE_ACTION,
    AwsFault,
    AwsFaults,
    Call,
    FailedCall,
    corrupted,
    refusal,
    uncertain_dead_letters,
    uncertain_texts,
)
from tests.chaos.kochava_faults import FAULTS, REFUSED, SUCCESSES
from tests.chaos.publications import Event, publications

SEND = Call("AmazonSQS", "SendMessageBatch", {"Entries": [{"Id": "0"}, {"Id": "1"}]})
TABLE = Call("DynamoDB_20120810", TABLE_ACTION, {"Statements": [{"Statement": "INSERT"}] * 2})
ONE = Call("AmazonSQS", "SendMessage", {"MessageBody": "any"})


class TestPublications:
    def test_the_same_seed_publishes_the_same(self) -> None:
        assert publications(200, 7) == publications(200, 7)
        assert publications(200, 7) != publications(200, 8)

    def test_every_event_is_published_once_or_twice_in_order(self) -> None:
        published = publications(1000, 1)
        firsts = list(dict.fromkeys(published))
        aged = [event.number for event in firsts if event.aged]
        others = [event.number for event in firsts if not event.aged]
        assert [event.number for event in firsts] == aged + others
        assert sorted(aged + others) == list(range(1000))
        assert others == sorted(others)
        assert 0 < len(aged) < 30
        assert set(Counter(published).values()) == {1, 2}

    def test_only_good_events_with_an_id_are_repeated(self) -> None:
        for event, copies in Counter(publications(1000, 1)).items():
            assert (copies == 2) is (event.event_id is not None)
            assert not (event.invalid and event.event_id)

    def test_repeats_come_at_once_and_later(self) -> None:
        places: dict[Event, list[int]] = {}
        for place, event in enumerate(publications(1000, 1)):
            places.setdefault(event, []).append(place)
        apart = [last - first for first, *later in places.values() for last in later]
        assert 1 in apart
        assert max(apart) > 50

    def test_good_events_are_good_and_invalid_ones_invalid(self) -> None:
        for event in publications(300, 3):
            if event.invalid:
                with pytest.raises(InvalidEventError):
                    parse_event(event.body, sent_at=1_760_000_000, default_app_id=None)
            else:
                parsed = parse_event(event.body, sent_at=1_760_000_000, default_app_id=None)
                assert (parsed.kochava_device_id, parsed.event_id) == (event.device, event.event_id)


class TestKochavaFaults:
    def test_the_mix_has_every_fault_of_the_sandbox(self) -> None:
        names = {str(name).partition(":")[0] for name in FAULTS}
        assert names >= KINDS.keys()

    def test_most_answers_are_good(self) -> None:
        good = sum(weight for name, weight in FAULTS.items() if str(name) in {"ok", "chunked", "close", "http10"})
        assert good > 0.75 * sum(FAULTS.values())

    def test_whatever_may_hide_an_answer_is_counted_sometimes_and_sometimes_not(self) -> None:
        faults = [parse_fault(str(name)) for name in FAULTS]
        for name in (
            "reset-after-read",
            "cut-headers",
            "cut-body",
            "garbage",
            "hang",
            "drip-headers",
            "500",
            "empty",
        ):
            named = {fault.counted for fault in faults if fault.name.partition(":")[0] == name}
            assert named == {True, False}, name

    def test_the_tables_name_answers_as_the_sandbox_does(self) -> None:
        faults = [parse_fault(str(name)) for name in FAULTS]
        labels = {fault.delivery.label.format(fault.answer or SUCCESS) for fault in faults}
        assert labels >= SUCCESSES
        assert labels & REFUSED == {"400", "405", "410", "413", "422", "501", "505"}


class TestAwsFaults:
    def test_the_same_seed_fails_the_same_calls(self) -> None:
        one, other = (
            [faults.next(SEND) for _ in range(200)] for faults in (AwsFaults(SHARES, 5), AwsFaults(SHARES, 5))
        )
        assert one == other
        assert len(set(one)) > 5

    def test_the_calls_of_one_action_do_not_change_the_faults_of_another(self) -> None:
        alone, among = AwsFaults(SHARES, 5), AwsFaults(SHARES, 5)
        assert [alone.next(SEND) for _ in range(99)] == [
            (among.next(TABLE), among.next(SEND))[1] for _ in range(99)
        ]

    def test_without_a_share_nothing_fails(self) -> None:
        faults = AwsFaults({}, 5)
        assert {faults.next(SEND) for _ in range(200)} == {None}

    def test_only_batches_fail_entry_by_entry(self) -> None:
        faults = AwsFaults({"SendMessage": 1, "SendMessageBatch": 1}, 5)
        assert not {fault for fault in (faults.next(ONE) for _ in range(500)) if fault and "entr" in fault}
        assert {faults.next(SEND) for _ in range(500)} == set(AwsFault)

    def test_the_table_never_leaves_a_statement_out(self) -> None:
        faults = AwsFaults({TABLE_ACTION: 1}, 5)
        seen = {faults.next(TABLE) for _ in range(500)}
        assert seen == set(AwsFault) - {AwsFault.ENTRIES_OMITTED, AwsFault.SOME_OMITTED}

    def test_access_stays_denied_for_a_while(self) -> None:
        faults = AwsFaults({"SendMessageBatch": 0.05}, 5)
        seen = [faults.next(SEND) for _ in range(5000)]
        first = seen.index(AwsFault.DENIED)
        assert set(seen[first : first + DENIED_CALLS]) == {AwsFault.DENIED}

    def test_a_denied_action_denies_no_other(self) -> None:
        faults = AwsFaults({"SendMessageBatch": 1, TABLE_ACTION: 0}, 5)
        while faults.next(SEND) is not AwsFault.DENIED:
            pass
        assert faults.next(TABLE) is None

    @pytest.mark.parametrize(
        ("call", "fault", "status", "code"),
        [
            (SEND, AwsFault.INTERNAL_ERROR, 500, "InternalError"),
            (SEND, AwsFault.DENIED, 403, "AccessDenied"),
            (TABLE, AwsFault.UNAVAILABLE, 503, "ServiceUnavailable"),
            (TABLE, AwsFault.THROTTLED, 400, "ProvisionedThroughputExceededException"),
        ],
    )
    def test_a_refusal_looks_like_the_services(self, call: Call, fault: AwsFault, status: int, code: str) -> None:
        answered, body = refusal(call, fault)
        assert (answered, json.loads(body)["__type"].partition("#")[2]) == (status, code)

    def test_every_entry_failed(self) -> None:
        status, body = refusal(SEND, AwsFault.ENTRIES_FAILED)
        answer = json.loads(body)
        assert (status, answer["Successful"], [entry["Id"] for entry in answer["Failed"]]) == (200, [], ["0", "1"])

    def test_some_entries_are_reported_failed_or_are_not_mentioned(self) -> None:
        entries = [{"Id": str(number)} for number in range(4)]
        answer = json.dumps({"Successful": entries, "Failed": []}).encode()
        reported = json.loads(corrupted(AwsFault.SOME_REPORTED_FAILED, answer))
        assert [entry["Id"] for entry in reported["Successful"]] == ["1", "3"]
        assert [entry["Id"] for entry in reported["Failed"]] == ["0", "2"]
        omitted = json.loads(corrupted(AwsFault.SOME_OMITTED, answer))
        assert ([entry["Id"] for entry in omitted["Successful"]], omitted["Failed"]) == (["1", "3"], [])

    def test_only_what_was_done_is_uncertain(self) -> None:
        entry = {"MessageAttributes": {"sourceMessageId": {"StringValue": "m1"}}}
        call = Call("AmazonSQS", "SendMessageBatch", {"Entries": [entry]})
        assert uncertain_dead_letters([FailedCall(call, fault) for fault in AwsFault if not fault.done]) == set()
        for fault in (fault for fault in AwsFault if fault.done):
            assert uncertain_dead_letters([FailedCall(call, fault)]) == {"m1"}

    def test_statements_fail_at_their_places(self) -> None:
        _, body = refusal(TABLE, AwsFault.ENTRIES_FAILED)
        assert [answer["Error"]["Code"] for answer in json.loads(body)["Responses"]] == ["ThrottlingError"] * 2
        answer = json.dumps({"Responses": [{}, {}, {}]}).encode()
        reported = json.loads(corrupted(AwsFault.SOME_REPORTED_FAILED, answer))["Responses"]
        assert ["Error" in one for one in reported] == [True, False, True]

    def test_the_keys_of_any_failed_call_to_the_table_are_uncertain(self) -> None:
        statements = [{"Statement": 'DELETE FROM "t" WHERE "id" = \'a\' AND 1 = 2'}, {"Statement": "'b'"}]
        calls = [Call("DynamoDB_20120810", TABLE_ACTION, {"Statements": statements}), SEND]
        assert uncertain_texts(FailedCall(call, AwsFault.THROTTLED) for call in calls) == {"a", "b"}
