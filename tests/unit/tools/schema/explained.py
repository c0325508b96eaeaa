"""Which documented difference explains that the schema takes a body which the function refuses."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kochava_forwarder.contract.identifiers import FORMS
from kochava_forwarder.contract.numbers import LONGEST_NUMBER
from kochava_forwarder.contract.problems import Problem

type Explains = Callable[[Any, Problem], bool]

_TIMES = {"usertime", "att_time"}
_WHOLE = {"must be a string", "must be 0 or 1", "must be true or false"}


def _value(body: Any, path: Sequence[str | int]) -> Any:
    """Returns what stands at a path, or the text that hides the rest of it."""
    place = body
    for key in path:
        if isinstance(place, str):
            break
        place = place.get(key) if isinstance(place, dict) else place[int(key)]
    return place


def _says(*words: str) -> Explains:
    return lambda _, problem: problem[1].startswith(words)


def _is_whole_fraction(body: Any, problem: Problem) -> bool:
    value = _value(body, problem[0])
    return isinstance(value, float) and value.is_integer() and problem[1] in _WHOLE


def _is_text_of_time(body: Any, problem: Problem) -> bool:
    return problem[0][-1] in _TIMES and isinstance(_value(body, problem[0]), str)


def _is_long_text(body: Any, problem: Problem) -> bool:
    value = _value(body, problem[0])
    return isinstance(value, str) and len(value.strip()) > LONGEST_NUMBER and "number" in problem[1]


def _is_negative_text(body: Any, problem: Problem) -> bool:
    return isinstance(_value(body, problem[0]), str) and problem[1] == "must not be negative"


def _is_in_text(body: Any, problem: Problem) -> bool:
    path, wrong = problem
    hidden = any(isinstance(_value(body, path[:length]), str) for length in range(1, len(path)))
    return hidden or (isinstance(_value(body, path), str) and wrong == "must be an object")


def _is_in_other_letters(body: Any, problem: Problem) -> bool:
    places = [body, body.get("data", {})]
    names = [name.strip() for place in places for name in (_value(place, ["device_ids"]) or ())]
    return "device_ids" in problem[0] and any(name.lower() in FORMS and name not in FORMS for name in names)


def _is_control(body: Any, problem: Problem) -> bool:
    value = _value(body, problem[0])
    return problem[0][-1] == "event_name" and bool(value.strip()) and all(character < " " for character in value)


def _is_email(body: Any, problem: Problem) -> bool:
    return problem[1].startswith("looks like an e-mail address") and not _value(body, problem[0]).isascii()


def _is_no_app(body: Any, problem: Problem) -> bool:
    return problem[0] == ("kochava_app_id",) and body.get("kochava_app_id") is None


EXPLANATIONS: Mapping[str, Explains] = {
    "two values": _says("differs from data."),
    "misplaced": _says("belongs beside data"),
    "given twice": _says("is given twice"),
    "same name": _says("is given twice"),
    "not finite": _says("must be a finite number"),
    "surrogate": _says("is not valid Unicode"),
    "whole number": _is_whole_fraction,
    "no such time": _is_text_of_time,
    "long number": _is_long_text,
    "negative": _is_negative_text,
    "long user agent": _says("must have at most"),
    "text of an object": _is_in_text,
    "too deep": _says("is nested too deeply"),
    "other letters": _is_in_other_letters,
    "control characters": _is_control,
    "e-mail address": _is_email,
    "no app": _is_no_app,
}


def unexplained(body: Any, problems: Sequence[Problem]) -> list[Problem]:
    """Returns the problems of a body, taken by the schema, that no documented difference explains."""
    return [
        problem for problem in problems if not any(explains(body, problem) for explains in EXPLANATIONS.values())
    ]
