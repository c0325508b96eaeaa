"""How SQS and DynamoDB fail the function's calls: which call gets which fault, and its answer. Pure."""

import json
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DENIED_CALLS = 12
"""For how many calls of an action access stays denied."""


class AwsFault(StrEnum):
    """What happens to a call."""

    INTERNAL_ERROR = "500"
    UNAVAILABLE = "503"
    THROTTLED = "throttled"
    DENIED = "access denied for a while"
    RESET_BEFORE = "reset, not done"
    RESET_AFTER = "reset, but done"
    ENTRIES_FAILED = "200, every entry failed"
    ENTRIES_OMITTED = "200, no entry mentioned, not done"
    SOME_REPORTED_FAILED = "200, some entries reported failed, but done"
    SOME_OMITTED = "200, some entries not mentioned, but done"

    @property
    def done(self) -> bool:
        """Whether the service does what it was asked for all the same."""
        return self in _DONE


_DONE = frozenset({AwsFault.RESET_AFTER, AwsFault.SOME_REPORTED_FAILED, AwsFault.SOME_OMITTED})
_WEIGHTS: Mapping[AwsFault, float] = {
    AwsFault.INTERNAL_ERROR: 3,
    AwsFault.UNAVAILABLE: 3,
    AwsFault.THROTTLED: 3,
    AwsFault.DENIED: 0.5,
    AwsFault.RESET_BEFORE: 2,
    AwsFault.RESET_AFTER: 2,
}
_BATCH_WEIGHTS: Mapping[AwsFault, float] = {
    **_WEIGHTS,
    AwsFault.ENTRIES_FAILED: 2,
    AwsFault.ENTRIES_OMITTED: 2,
    AwsFault.SOME_REPORTED_FAILED: 2,
    AwsFault.SOME_OMITTED: 2,
}
# DynamoDB answers statements by their position: it cannot leave one out.
_STATEMENT_WEIGHTS: Mapping[AwsFault, float] = {
    **_WEIGHTS,
    AwsFault.ENTRIES_FAILED: 3,
    AwsFault.SOME_REPORTED_FAILED: 5,
}

TABLE_ACTION = "BatchExecuteStatement"
SHARES: Mapping[str, float] = {
    "SendMessageBatch": 0.4,
    "ChangeMessageVisibilityBatch": 0.12,
    TABLE_ACTION: 0.1,
}
"""The share of each action's calls that fail. Dead letters are few, so that many of their calls have to."""


@dataclass(frozen=True)
class Call:
    """One call of the function's to an AWS service."""

    service: str
    action: str
    request: Mapping[str, Any]

    @property
    def entries(self) -> Sequence[Mapping[str, Any]]:
        """What can fail one by one: the entries of a batch, the statements of a call to the table."""
        found: Sequence[Mapping[str, Any]] = self.request.get("Entries") or self.request.get("Statements", ())
        return found

    @property
    def weights(self) -> Mapping[AwsFault, float]:
        """Which faults it can get, by weight."""
        if self.action == TABLE_ACTION:
            return _STATEMENT_WEIGHTS
        return _BATCH_WEIGHTS if self.entries else _WEIGHTS


@dataclass(frozen=True)
class FailedCall:
    """A call that did not go as it should."""

    call: Call
    fault: AwsFault


class AwsFaults:
    """Decides about calls; the same seed gives an action's calls the same faults in turn. Not thread-safe.

    Args:
        shares: the share of each action's calls that fail.
        seed: any number.
    """

    def __init__(self, shares: Mapping[str, float], seed: int = 0) -> None:
        self._shares = shares
        self._rngs = {action: random.Random(f"{seed} {action}") for action in shares}  # noqa: S311 - no cryptography
        self._denied: dict[str, int] = {}

    def next(self, call: Call) -> AwsFault | None:
        """Return what happens to this call; None lets it pass."""
        action = call.action
        if self._denied.get(action):
            self._denied[action] -= 1
            return AwsFault.DENIED
        if action not in self._rngs or self._rngs[action].random() >= self._shares[action]:
            return None
        [fault] = self._rngs[action].choices(list(call.weights), list(call.weights.values()))
        if fault is AwsFault.DENIED:
            self._denied[action] = DENIED_CALLS - 1
        return fault


def refusal(call: Call, fault: AwsFault) -> tuple[int, bytes]:
    """Return the status and body of the answer that stands for a call that was not done."""
    if fault is AwsFault.ENTRIES_OMITTED:
        return 200, _json({})
    if fault is AwsFault.ENTRIES_FAILED:
        if call.action == TABLE_ACTION:
            return 200, _json({"Responses": [_THROTTLED_STATEMENT for _ in call.entries]})
        return 200, _json({"Successful": [], "Failed": [_failed(entry["Id"]) for entry in call.entries]})
    sqs = call.service == "AmazonSQS"
    status, code = {
        AwsFault.INTERNAL_ERROR: (500, "InternalError" if sqs else "InternalServerError"),
        AwsFault.UNAVAILABLE: (503, "ServiceUnavailable"),
        AwsFault.THROTTLED: (400, "RequestThrottled" if sqs else "ProvisionedThroughputExceededException"),
        AwsFault.DENIED: (403 if sqs else 400, "AccessDenied" if sqs else "AccessDeniedException"),
    }[fault]
    return status, _json({"__type": f"com.amazonaws#{code}", "message": "asked for by chaos"})


def corrupted(fault: AwsFault, answer: bytes) -> bytes:
    """Return the answer to a batch call, with every second entry reported failed, or not mentioned."""
    tree = json.loads(answer)
    if "Responses" in tree:
        tree["Responses"][::2] = [_THROTTLED_STATEMENT for _ in tree["Responses"][::2]]
        return _json(tree)
    entries = tree.get("Successful", [])
    tree["Successful"] = entries[1::2]
    if fault is AwsFault.SOME_REPORTED_FAILED:
        tree["Failed"] = tree.get("Failed", []) + [_failed(entry["Id"]) for entry in entries[::2]]
    return _json(tree)


def uncertain_dead_letters(failed: Iterable[FailedCall]) -> set[str]:
    """Return the ids of the messages that were dead-lettered without the function being told."""
    return {
        entry.get("MessageAttributes", {}).get("sourceMessageId", {}).get("StringValue", "")
        for failure in failed
        if failure.call.action == "SendMessageBatch" and failure.fault.done
        for entry in failure.call.entries
    }


def uncertain_texts(failed: Iterable[FailedCall]) -> set[str]:
    """Return the texts in the failed calls to the deduplication table, its items' keys among them."""
    calls = (failure.call for failure in failed if failure.call.action == TABLE_ACTION)
    return {text for call in calls for statement in call.entries for text in _texts(statement)}


def _texts(statement: Mapping[str, Any]) -> Iterator[str]:
    return iter(_LITERAL.findall(statement["Statement"]))


_LITERAL = re.compile(r"'([^']*)'")
_THROTTLED_STATEMENT = {"Error": {"Code": "ThrottlingError", "Message": "asked for by chaos"}}


def _failed(identifier: str) -> dict[str, Any]:
    return {"Id": identifier, "Code": "InternalError", "Message": "asked for by chaos", "SenderFault": False}


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()
