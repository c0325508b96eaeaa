"""Which entries go in a call to SQS, and what its answer says of them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder_tools.batches import Failure, failures, in_calls, next_call
from kochava_forwarder.sqs.queues import MAX_BYTES, MAX_ENTRIES

ITEMS = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c"]), st.sampled_from([1, MAX_BYTES // 3, MAX_BYTES // 2, MAX_BYTES])
    ),
    max_size=60,
)
type Item = tuple[int, str | None, int]


def group_of(item: Item) -> str | None:
    return item[1]


def size_of(item: Item) -> int:
    return item[2]


@given(ITEMS)
def test_calls_keep_to_sqss_limits_lose_nothing_and_keep_the_order_of_each_group(
    given: list[tuple[str | None, int]],
) -> None:
    items: list[Item] = [(number, group, size) for number, (group, size) in enumerate(given)]
    calls = list(in_calls(items, size=size_of, group=group_of))

    assert all(0 < len(call) <= MAX_ENTRIES and sum(map(size_of, call)) <= MAX_BYTES for call in calls)
    assert sorted(item for call in calls for item in call) == items
    for group in "abc":
        sent = [item for call in calls for item in call if group_of(item) == group]
        assert sent == sorted(sent)
        assert all(sum(group_of(item) == group for item in call) <= 1 for call in calls)


def test_a_busy_group_waits_and_others_pass_it() -> None:
    call, later = next_call("abcab", size=lambda _: 1, group=str, busy={"a"})
    assert (call, later) == (["b", "c"], ["a", "a", "b"])


def test_what_has_no_group_waits_for_nobody() -> None:
    call, later = next_call(string.ascii_lowercase, size=lambda _: 1, group=lambda _: None, busy={"a"})
    assert ("".join(call), "".join(later)) == ("abcdefghij", "klmnopqrstuvwxyz")


@pytest.mark.parametrize("answer", [{}, {"Successful": [], "Failed": []}])
def test_what_an_answer_does_not_name_is_not_confirmed(answer: dict[str, list[dict[str, str]]]) -> None:
    assert failures(["0"], answer) == {"0": Failure("not confirmed")}  # type: ignore[arg-type] # cut short


def test_a_failure_is_final_when_the_entry_is_at_fault() -> None:
    answer = {
        "Successful": [{"Id": "0"}],
        "Failed": [
            {"Id": "1", "Code": "InvalidMessageContents", "SenderFault": True},
            {"Id": "2", "Code": "InternalError", "SenderFault": False},
        ],
    }
    assert failures("012", answer) == {  # type: ignore[arg-type] # the rest of an answer says nothing here
        "1": Failure("InvalidMessageContents", is_final=True),
        "2": Failure("InternalError"),
    }
