"""How SQS and DynamoDB fail the function's calls: which call gets what, from a seed, and how that looks. Pure."""

import json
import random
from collections.abc import Iterable, Mapping
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
    ENTRIES_FORGOTTEN = "200, no entry mentioned, not done"
    ENTRIES_SAID_FAILED = "200, some entries said to have failed, but done"
    ENTRIES_UNSAID = "200, some entries not mentioned, but done"

    @property
    def done(self) -> bool:
        """Whether the service does what it was asked for all the same."""
        return self in _DONE


_DONE = frozenset({AwsFault.RESET_AFTER, AwsFault.ENTRIES_SAID_FAILED, AwsFault.ENTRIES_UNSAID})
_OF_BATCHES = frozenset(fault for fault in AwsFault if fault.name.startswith("ENTRIES"))
_WEIGHTS: Mapping[AwsFault, float] = {
    AwsFault.INTERNAL_ERROR: 3,
    AwsFault.UNAVAILABLE: 3,
    AwsFault.THROTTLED: 3,
    AwsFault.DENIED: 0.5,
    AwsFault.RESET_BEFORE: 2,
    AwsFault.RESET_AFTER: 2,
    AwsFault.ENTRIES_FAILED: 2,
    AwsFault.ENTRIES_FORGOTTEN: 2,
    AwsFault.ENTRIES_SAID_FAILED: 2,
    AwsFault.ENTRIES_UNSAID: 2,
}
STORMY: Mapping[str, float] = {
    "SendMessageBatch": 0.4,
    "ChangeMessageVisibilityBatch": 0.12,
    "PutItem": 0.005,
    "UpdateItem": 0.005,
    "DeleteItem": 0.005,
}
"""The share of each action's calls that fail. Dead letters are few; an event takes two calls to the table."""

FAIR: Mapping[str, float] = {}


@dataclass(frozen=True)
class Call:
    """One call of the function's to an AWS service."""

    service: str
    action: str
    asked: Mapping[str, Any]

    @property
    def batch(self) -> bool:
        """Whether its entries can fail one by one."""
        return self.action.endswith("Batch")


@dataclass(frozen=True)
class Struck:
    """A call that did not go as it should."""

    call: Call
    fault: AwsFault


class AwsWeather:
    """Decides about calls; the same seed gives an action's calls the same faults in turn. Not thread-safe.

    Args:
        seed: any number.
        shares: the share of each action's calls that fail.
    """

    def __init__(self, seed: int = 0, shares: Mapping[str, float] = STORMY) -> None:
        self._shares = shares
        self._dice = {action: random.Random(f"{seed} {action}") for action in shares}  # noqa: S311 - no cryptography
        self._denied: dict[str, int] = {}

    def next(self, call: Call) -> AwsFault | None:
        """Return what happens to this call; None lets it pass."""
        action = call.action
        if self._denied.get(action):
            self._denied[action] -= 1
            return AwsFault.DENIED
        if action not in self._dice or self._dice[action].random() >= self._shares[action]:
            return None
        weights = {fault: weight for fault, weight in _WEIGHTS.items() if call.batch or fault not in _OF_BATCHES}
        [fault] = self._dice[action].choices(list(weights), list(weights.values()))
        if fault is AwsFault.DENIED:
            self._denied[action] = DENIED_CALLS - 1
        return fault


def refusal(call: Call, fault: AwsFault) -> tuple[int, bytes]:
    """Return the status and body of the answer that stands for a call that was not done."""
    if fault is AwsFault.ENTRIES_FORGOTTEN:
        return 200, _json({})
    if fault is AwsFault.ENTRIES_FAILED:
        return 200, _json({"Successful": [], "Failed": [_failed(entry["Id"]) for entry in call.asked["Entries"]]})
    sqs = call.service == "AmazonSQS"
    status, code = {
        AwsFault.INTERNAL_ERROR: (500, "InternalError" if sqs else "InternalServerError"),
        AwsFault.UNAVAILABLE: (503, "ServiceUnavailable"),
        AwsFault.THROTTLED: (400, "RequestThrottled" if sqs else "ProvisionedThroughputExceededException"),
        AwsFault.DENIED: (403 if sqs else 400, "AccessDenied" if sqs else "AccessDeniedException"),
    }[fault]
    return status, _json({"__type": f"com.amazonaws#{code}", "message": "asked for by chaos"})


def spoiled(fault: AwsFault, answer: bytes) -> bytes:
    """Return the answer to a batch call, with every second entry said to have failed, or not mentioned."""
    tree = json.loads(answer)
    entries = tree.get("Successful", [])
    tree["Successful"] = entries[1::2]
    if fault is AwsFault.ENTRIES_SAID_FAILED:
        tree["Failed"] = tree.get("Failed", []) + [_failed(entry["Id"]) for entry in entries[::2]]
    return _json(tree)


def doubted_letters(struck: Iterable[Struck]) -> set[str]:
    """Return the ids of the messages that were dead-lettered without the function being told."""
    return {
        entry.get("MessageAttributes", {}).get("sourceMessageId", {}).get("StringValue", "")
        for one in struck
        if one.call.action == "SendMessageBatch" and one.fault.done
        for entry in one.call.asked["Entries"]
    }


def doubted_keys(struck: Iterable[Struck]) -> set[str]:
    """Return the keys of the deduplication records whose calls failed."""
    found = set()
    for one in struck:
        record = one.call.asked.get("Item") or one.call.asked.get("Key")
        if record:
            found.add(record["id"]["S"])
    return found


def _failed(identifier: str) -> dict[str, Any]:
    return {"Id": identifier, "Code": "InternalError", "Message": "asked for by chaos", "SenderFault": False}


def _json(tree: Any) -> bytes:
    return json.dumps(tree).encode()
