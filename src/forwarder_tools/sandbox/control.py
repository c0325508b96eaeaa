"""The control API for other processes, over HTTP on the sandbox's own port.

    GET    /_sandbox/received?after=N&limit=M   {"received": [...], "next": N}: what came, in order
    DELETE /_sandbox/received                   forget it
    GET    /_sandbox/stats                      the counts
    GET    /_sandbox/faults                     {"faults": ["one line for each rule"]}
    POST   /_sandbox/faults                     add a rule (below)
    DELETE /_sandbox/faults                     remove all rules

A rule is `{"script": ["503*2", "429:retry-after=2"]}` or `{"mix": {"503": 1, "well": 9}, "seed": 7}`. Both
take `device` and `event` to say which events they are for; a script also takes `each_device` (true: every
device plays it by itself) and `seconds` (after which it ends).
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from urllib.parse import parse_qs, urlsplit

from forwarder_tools.sandbox import checks
from forwarder_tools.sandbox.answers import Answer, json_answer
from forwarder_tools.sandbox.checks import Check
from forwarder_tools.sandbox.faults import FaultError, parse_fault, parse_turn
from forwarder_tools.sandbox.ledger import Json, Ledger, Received
from forwarder_tools.sandbox.plan import Match, Mix, Plan, Rule, Script
from forwarder_tools.sandbox.reading import Request

PREFIX = "/_sandbox/"

PAGE = 1000
"""Records in one answer unless `limit` says otherwise."""


def answer(request: Request, ledger: Ledger, plan: Plan) -> Answer:
    """Do what a request to the control API asks, and return the answer: 200, 400, 404 or 405."""
    url = urlsplit(request.target)
    methods = {method: act for (method, path), act in _ACTIONS.items() if path == url.path}
    act = methods.get(request.method)
    if not methods:
        paths = sorted({path for _, path in _ACTIONS})
        return json_answer(404, {"error": f"no such path; use one of {', '.join(paths)}"})
    if act is None:
        return json_answer(405, {"error": f"no such method here; use one of {', '.join(methods)}"})
    try:
        return json_answer(200, act(_query(url.query), request.body, ledger, plan))
    except ValueError as error:
        return json_answer(400, {"error": str(error)})


def rule_from(wish: object) -> Rule:
    """Return the rule that a parsed body describes.

    Raises:
        FaultError: it describes none; the message says what to write.
    """
    if not isinstance(wish, dict) or len({"script", "mix"} & wish.keys()) != 1:
        raise FaultError('the body is no rule; write {"script": ["503"]} or {"mix": {"503": 1, "well": 9}}')
    kind = "script" if "script" in wish else "mix"
    for key, value in wish.items():
        if key not in _KEYS[kind]:
            raise FaultError(f"a {kind} has no {key!r}; it takes {', '.join(_KEYS[kind])}")
        for problem in _KEYS[kind][key](key, value):
            raise FaultError(problem.replace(":", "", 1))
    match = Match(wish.get("device"), wish.get("event"))
    return _script(wish, match) if kind == "script" else _mix(wish, match)


def _all(test: Callable[[object], bool], values: Iterable[object]) -> bool:
    found = list(values)
    return bool(found) and all(map(test, found))


_WHO: Mapping[str, Check] = {"device": checks.is_string, "event": checks.is_string}
_KEYS: Mapping[str, Mapping[str, Check]] = {
    "script": {
        "script": checks.holds(
            'must be a list of faults, like ["503"]',
            lambda value: isinstance(value, list) and _all(lambda name: isinstance(name, str), value),
        ),
        **_WHO,
        "each_device": checks.is_boolean,
        "seconds": checks.is_duration,
    },
    "mix": {
        "mix": checks.holds(
            'must be an object of weights, like {"503": 1, "well": 9}',
            lambda value: isinstance(value, dict) and _all(checks.is_number, value.values()),
        ),
        "seed": checks.holds("must be an integer", lambda value: isinstance(value, int)),
        **_WHO,
    },
}


def _script(wish: Json, match: Match) -> Script:
    seconds = wish.get("seconds")
    return Script(
        tuple(parse_turn(name) for name in wish["script"]),
        match,
        each_device=wish.get("each_device", False),
        until=None if seconds is None else time.monotonic() + seconds,
    )


def _mix(wish: Json, match: Match) -> Mix:
    return Mix({parse_fault(name): weight for name, weight in wish["mix"].items()}, wish.get("seed", 0), match)


def _query(text: str) -> dict[str, int]:
    query = {key: values[-1] for key, values in parse_qs(text).items()}
    for key, value in query.items():
        if key not in {"after", "limit"} or not value.isdecimal():
            raise ValueError(f"{key}={value} is not understood; use after=N or limit=N")
    return {key: int(value) for key, value in query.items()}


def _received(query: dict[str, int], _body: bytes, ledger: Ledger, _plan: Plan) -> Json:
    after = query.get("after", 0)
    page = ledger.received[after : after + query.get("limit", PAGE)]
    return {"received": [_as_json(one) for one in page], "next": after + len(page)}


def _as_json(received: Received) -> Json:
    # Bytes that are not UTF-8 are shown, not kept: whoever needs them exactly uses the Python API.
    return asdict(received) | {"body": received.body.decode("utf-8", "backslashreplace")}


def _forget_received(_query: dict[str, int], _body: bytes, ledger: Ledger, _plan: Plan) -> Json:
    ledger.clear()
    return {}


def _stats(_query: dict[str, int], _body: bytes, ledger: Ledger, _plan: Plan) -> Json:
    return ledger.stats.as_json()


def _faults(_query: dict[str, int], _body: bytes, _ledger: Ledger, plan: Plan) -> Json:
    return {"faults": [rule.describe() for rule in plan.rules]}


def _add_faults(query: dict[str, int], body: bytes, ledger: Ledger, plan: Plan) -> Json:
    plan.add(rule_from(json.loads(body)))
    return _faults(query, body, ledger, plan)


def _clear_faults(_query: dict[str, int], _body: bytes, _ledger: Ledger, plan: Plan) -> Json:
    plan.clear()
    return {"faults": []}


_ACTIONS: Mapping[tuple[str, str], Callable[[dict[str, int], bytes, Ledger, Plan], Json]] = {
    ("GET", "/_sandbox/received"): _received,
    ("DELETE", "/_sandbox/received"): _forget_received,
    ("GET", "/_sandbox/stats"): _stats,
    ("GET", "/_sandbox/faults"): _faults,
    ("POST", "/_sandbox/faults"): _add_faults,
    ("DELETE", "/_sandbox/faults"): _clear_faults,
}
