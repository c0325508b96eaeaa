"""The model of SQS keeps the rules that the simulation rests on."""

import pytest

from tests.outage.sqs import LONGEST_INVISIBLE, Queue, QueuedMessage, QueueRules

NOW = 1_767_225_600.0
TIMEOUT = 420
MOST_RECEIVES = 3


def a_queue(*, fifo: bool = False, most_in_flight: int = 100) -> Queue:
    return Queue(QueueRules(TIMEOUT, MOST_RECEIVES, fifo, most_in_flight))


def numbers(received: list[QueuedMessage]) -> list[int]:
    return [message.number for message in received]


def test_a_received_message_is_invisible_until_its_timeout() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    assert numbers(queue.receive(10, NOW)) == [1]
    assert (queue.visible, queue.in_flight) == (0, 1)
    assert queue.receive(10, NOW + TIMEOUT - 1) == []
    assert numbers(queue.receive(10, NOW + TIMEOUT)) == [1]


def test_each_receive_counts_and_has_a_receipt_of_its_own() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    seen = []
    for time in (NOW, NOW + TIMEOUT):
        (message,) = queue.receive(10, time)
        seen.append((message.receives, message.receipt))
    assert [receives for receives, _ in seen] == [1, 2]
    assert len({receipt for _, receipt in seen}) == 2
    assert queue.most_receives == 2


def test_a_receive_takes_no_more_than_it_asked_for() -> None:
    queue = a_queue()
    for number in range(5):
        queue.publish(number, NOW)
    assert numbers(queue.receive(3, NOW)) == [0, 1, 2]
    assert numbers(queue.receive(3, NOW)) == [3, 4]


def test_a_deleted_message_never_returns() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    (message,) = queue.receive(10, NOW)
    assert queue.delete(message.receipt)
    assert queue.receive(10, NOW + 2 * TIMEOUT) == []
    assert (queue.visible, queue.in_flight) == (0, 0)


def test_changed_visibility_counts_from_the_call_and_replaces_the_timeout() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    (message,) = queue.receive(10, NOW)
    assert queue.change_visibility(message.receipt, 1800, NOW + 5)
    assert queue.receive(10, NOW + TIMEOUT) == []
    assert queue.receive(10, NOW + 1804) == []
    assert numbers(queue.receive(10, NOW + 1805)) == [1]


def test_visibility_may_be_shortened_down_to_none() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    (message,) = queue.receive(10, NOW)
    assert queue.change_visibility(message.receipt, 0, NOW)
    assert numbers(queue.receive(10, NOW + 0.1)) == [1]


def test_an_old_receipt_is_worth_nothing() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    old = queue.receive(10, NOW)[0].receipt
    queue.receive(10, NOW + TIMEOUT)
    assert not queue.delete(old)
    assert not queue.change_visibility(old, 10, NOW + TIMEOUT)
    assert queue.in_flight == 1


def test_twelve_hours_from_the_receive_are_the_most() -> None:
    queue = a_queue()
    queue.publish(1, NOW)
    (message,) = queue.receive(10, NOW)
    assert not queue.change_visibility(message.receipt, LONGEST_INVISIBLE, NOW + 1)
    assert queue.change_visibility(message.receipt, LONGEST_INVISIBLE - 1, NOW + 1)


@pytest.mark.parametrize("fifo", [False, True])
def test_after_its_last_receive_a_message_is_dead_lettered(*, fifo: bool) -> None:
    queue = a_queue(fifo=fifo)
    queue.publish(1, NOW)
    for receive in range(MOST_RECEIVES):
        assert numbers(queue.receive(10, NOW + receive * TIMEOUT)) == [1]
    assert queue.receive(10, NOW + MOST_RECEIVES * TIMEOUT) == []
    assert numbers(queue.dead_letters) == [1]
    assert (queue.visible, queue.in_flight) == (0, 0)


def test_no_more_than_so_many_are_in_flight() -> None:
    queue = a_queue(most_in_flight=2)
    for number in range(3):
        queue.publish(number, NOW)
    first, _ = queue.receive(10, NOW)
    assert queue.receive(10, NOW) == []
    queue.delete(first.receipt)
    assert numbers(queue.receive(10, NOW)) == [2]


def test_a_group_with_messages_in_flight_waits_and_the_others_do_not() -> None:
    queue = a_queue(fifo=True)
    for number, group in enumerate((7, 7, 8)):
        queue.publish(number, NOW, group)
    first = queue.receive(1, NOW)
    assert numbers(first) == [0]
    assert numbers(queue.receive(10, NOW)) == [2]
    assert queue.receive(10, NOW) == []
    queue.delete(first[0].receipt)
    assert numbers(queue.receive(10, NOW)) == [1]


def test_a_group_keeps_its_order_when_messages_return() -> None:
    queue = a_queue(fifo=True)
    for number in range(3):
        queue.publish(number, NOW, 7)
    first, second = queue.receive(2, NOW)
    queue.change_visibility(second.receipt, 10, NOW)
    queue.change_visibility(first.receipt, 30, NOW)
    queue.publish(3, NOW + 5, 7)
    assert queue.receive(10, NOW + 10) == []  # the first one is still away
    assert numbers(queue.receive(10, NOW + 30)) == [0, 1, 2, 3]


def test_only_the_oldest_messages_of_a_fifo_queue_are_looked_at_until_some_of_them_are_gone() -> None:
    queue = Queue(QueueRules(TIMEOUT, MOST_RECEIVES, fifo=True, most_looked_at=3))
    for number, group in enumerate((7, 7, 7, 8, 9)):
        queue.publish(number, NOW, group)
    first = queue.receive(1, NOW)
    assert numbers(first) == [0]
    assert queue.receive(10, NOW) == [], "group 8 is free, but comes after three others"
    queue.delete(first[0].receipt)
    assert sorted(numbers(queue.receive(10, NOW))) == [1, 2, 3]
    assert queue.receive(10, NOW) == []


def test_what_waits_for_its_next_try_is_still_among_the_oldest() -> None:
    queue = Queue(QueueRules(TIMEOUT, MOST_RECEIVES, fifo=True, most_looked_at=1))
    queue.publish(0, NOW, 7)
    queue.publish(1, NOW, 8)
    (message,) = queue.receive(10, NOW)
    queue.change_visibility(message.receipt, 30, NOW)
    assert queue.receive(10, NOW + 29) == []
    (message,) = queue.receive(10, NOW + 30)
    assert message.number == 0
    queue.delete(message.receipt)
    assert numbers(queue.receive(10, NOW + 30)) == [1]


def test_a_message_that_is_dead_lettered_makes_room_too() -> None:
    queue = Queue(QueueRules(TIMEOUT, 1, fifo=True, most_looked_at=1))
    queue.publish(0, NOW, 7)
    queue.publish(1, NOW, 8)
    queue.receive(10, NOW)
    queue.receive(10, NOW + TIMEOUT)
    assert numbers(queue.receive(10, NOW + TIMEOUT)) == [1]
