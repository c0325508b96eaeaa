"""Which entries go in one batch call of SQS, and what its answer says of each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kochava_forwarder.sqs.queues import MAX_BYTES, MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from mypy_boto3_sqs.type_defs import DeleteMessageBatchResultTypeDef, SendMessageBatchResultTypeDef

NOT_CONFIRMED = "not confirmed"


class Failure(NamedTuple):
    """Why SQS did not confirm an entry.

    Args:
        code: SQS's code.
        is_final: whether another try would fail as well, since the entry itself is at fault.
    """

    code: str
    is_final: bool = False


def next_call[T](
    waiting: Sequence[T],
    *,
    size: Callable[[T], int],
    group: Callable[[T], str | None],
    busy: Collection[str] = (),
) -> tuple[list[T], list[T]]:
    """Return what goes in the next call, and what waits for a later one; both in order.

    A call takes no more entries and bytes than SQS does, and at most one of each message group: SQS may confirm
    some entries of a call and refuse others, so that two of a group could change places.

    Args:
        waiting: in the order in which they are to go; none is larger than `MAX_BYTES`.
        size: the bytes that SQS counts for one.
        group: the message group of one; None if it need not keep an order.
        busy: message groups of which none may go now.
    """
    call: list[T] = []
    later: list[T] = []
    held = {*busy}
    room = MAX_BYTES
    for position, item in enumerate(waiting):
        if len(call) == MAX_ENTRIES:
            later += waiting[position:]
            break
        name = group(item)
        if name not in held and size(item) <= room:
            call.append(item)
            room -= size(item)
        else:
            later.append(item)
        if name is not None:
            held.add(name)  # also of one that waits: none of its group may overtake it
    return call, later


def in_calls[T](
    items: Iterable[T], *, size: Callable[[T], int], group: Callable[[T], str | None]
) -> Iterator[list[T]]:
    """Yield all items in the calls that send them one call after the other: see `next_call`."""
    waiting = list(items)
    while waiting:
        call, waiting = next_call(waiting, size=size, group=group)
        yield call


def failures(
    names: Iterable[str], answer: SendMessageBatchResultTypeDef | DeleteMessageBatchResultTypeDef
) -> dict[str, Failure]:
    """Return why SQS did not confirm entries of a batch call, by the names that they had in it.

    Args:
        names: of all entries of the call.
        answer: SQS's.
    """
    confirmed = {success["Id"] for success in answer.get("Successful", [])}
    failed = {
        failure["Id"]: Failure(failure["Code"], is_final=failure.get("SenderFault", False))
        for failure in answer.get("Failed", [])
    }
    return {name: failed.get(name, Failure(NOT_CONFIRMED)) for name in names if name not in confirmed}
