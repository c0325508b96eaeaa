"""``event_data``, and the keys of ``data`` that no model knows: flat. Pure.

The tags are those of `models`: SEED, DOC, SDK, OURS.
"""

from typing import Any

from kochava_forwarder.contract import numbers
from kochava_forwarder.contract.problems import Problem, refuse

RESERVED_PARAMETERS = frozenset(  # must not be used in event_data (DOC)
    {
        "network",
        "source",
        "fb_campaign",
        "campaign",
        "site",
        "creative",
        "attribution_type",
        "integration_type",
        "integration_version",
        "cracked",
        "jailbroken",
    }
)
REVENUE = ("sum", "price")  # a number (SDK)


def scalar(value: Any) -> Any:
    """Return a value that stands for itself: nothing nested, no NaN."""
    if problem := scalar_problem(value):
        refuse(((), problem))
    return value


def scalar_problem(value: Any) -> str | None:
    """Return what is wrong with a `scalar`, if anything."""
    if isinstance(value, str) or value is None:
        return None
    if isinstance(value, int | float):  # true and false are ints
        return None if numbers.is_finite(value) else "must be a finite number"
    return "must be a string, a number, true, false or null (nothing nested)"


def parameters(value: Any) -> dict[str, Any] | str:
    """Return ``event_data``: flat (SEED), or the legacy bare string (SEED); revenue as a number.

    Revenue that is null is left out, revenue as text becomes the number that JSON would read (OURS).
    """
    if isinstance(value, str):
        return value
    if value == []:  # PHP prints an empty array so
        return {}
    if not isinstance(value, dict):
        refuse(((), "must be an object, or a string"))
    problems: list[Problem] = [
        ((name,), "is reserved by Kochava") for name in value if name in RESERVED_PARAMETERS
    ]
    problems += [
        ((name,), problem)
        for name, item in value.items()
        if not isinstance(item, str) and (problem := scalar_problem(item))
    ]
    for name in REVENUE:
        if name in value and not isinstance(value[name], float):
            problems += _read_revenue(value, name)
    if problems:
        refuse(*problems)
    return value


def _read_revenue(parameters: dict[str, Any], name: str) -> list[Problem]:
    amount = parameters[name]
    if amount is None:
        del parameters[name]
        return []
    number = numbers.read(amount)
    if number is None:
        return [((name,), "must be a number")]
    parameters[name] = number
    return [((name,), problem)] if isinstance(amount, str) and (problem := scalar_problem(number)) else []
