import pytest

from forwarder_tools.deadletters.copies import entry, in_calls, size
from forwarder_tools.deadletters.letter import Letter
from kochava_forwarder.sqs.queues import MAX_ATTRIBUTES, MAX_BYTES
from tests.unit.tools.deadletters.letters import letter, ours

SENT_AT = {"DataType": "String", "StringValue": "2026-12-31T00:00:00.000+00:00"}


def test_the_publishers_attributes_go_and_the_functions_stay() -> None:
    given = letter(
        body='{"a":  1}', reason="expired", sentAt="2026-12-31T00:00:00.000+00:00", tenant="one", blob=b"\0"
    )
    copy = entry("0", given, fifo=False)

    assert copy == {
        "Id": "0",
        "MessageBody": '{"a":  1}',
        "MessageAttributes": {
            "sentAt": SENT_AT,
            "tenant": {"DataType": "String", "StringValue": "one"},
            "blob": {"DataType": "Binary", "BinaryValue": b"\0"},
        },
    }


def test_the_message_group_is_kept_on_either_type_of_queue() -> None:
    assert entry("0", letter(group="g"), fifo=True)["MessageGroupId"] == "g"
    assert entry("0", letter(group="g"), fifo=False)["MessageGroupId"] == "g"
    assert "MessageDeduplicationId" not in entry("0", letter(group="g"), fifo=False)


def test_a_deduplication_id_belongs_to_one_dead_letter() -> None:
    first, again, other = (entry("0", letter(name), fifo=True) for name in ("m-1", "m-1", "m-2"))
    assert first["MessageDeduplicationId"] == again["MessageDeduplicationId"] != other["MessageDeduplicationId"]
    assert first["MessageDeduplicationId"] != "m-1"


def test_sent_at_comes_before_the_publishers_where_not_all_have_room() -> None:
    many = letter(moved=True, **{f"a{number}": "x" for number in range(MAX_ATTRIBUTES)})
    attributes = entry("0", many, fifo=False)["MessageAttributes"]
    assert len(attributes) == MAX_ATTRIBUTES
    assert "sentAt" in attributes

    large = letter(body="x" * (MAX_BYTES - 60), moved=True, tenant="t" * 20)
    assert entry("0", large, fifo=False)["MessageAttributes"].keys() == {"sentAt"}
    assert "MessageAttributes" not in entry("0", letter(body="x" * MAX_BYTES), fifo=False)


def names(calls: list[list[Letter]]) -> list[list[str]]:
    return [[one.message_id for one in call] for call in calls]


def test_a_call_takes_ten() -> None:
    calls = list(in_calls([letter(str(number)) for number in range(23)], fifo=False))
    assert [len(call) for call in calls] == [10, 10, 3]


def test_a_call_takes_a_mebibyte() -> None:
    half = "x" * (MAX_BYTES // 2 - 100)
    calls = list(
        in_calls([letter("1", half), letter("2", half), letter("3", "x" * MAX_BYTES), letter("4")], fifo=False)
    )
    assert names(calls) == [["1", "2", "4"], ["3"]]


def test_a_call_has_one_of_each_message_group_in_order() -> None:
    big = "x" * MAX_BYTES
    given = [
        letter("a1", group="a"),
        letter("b1", big, group="b"),
        letter("b2", group="b"),
        letter("a2", group="a"),
    ]

    assert names(list(in_calls(given, fifo=True))) == [["a1"], ["b1"], ["b2", "a2"]]


def test_a_message_group_orders_nothing_on_a_standard_queue() -> None:
    assert names(list(in_calls([letter("1", group="g"), letter("2", group="g")], fifo=False))) == [["1", "2"]]


@pytest.mark.parametrize(
    "given", [ours("expired", tenant="one"), letter(moved=True, blob=b"\0\1"), letter(body="\u00e9")]
)
def test_a_size_is_at_least_what_sqs_counts(given: Letter) -> None:
    copy = entry("0", given, fifo=False)
    counted = len(copy["MessageBody"].encode())
    for name, value in copy["MessageAttributes"].items():
        content = value.get("BinaryValue") or value["StringValue"].encode()
        counted += len(name) + len(value["DataType"]) + len(bytes(content))  # type: ignore[arg-type] # bytes
    assert size(given) >= counted
