"""CloudWatch's metric math, as far as an alarm here uses it: what it makes of minutes without a value.

After "Using metric math" of CloudWatch's user guide. FILL is left out on purpose: what it does to a metric that
has no value at all is not said there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Series(dict[int, float]):
    """The values of a metric, by minute; a minute without a value is not there."""

    __hash__ = None

    def __add__(self, other: Series | float) -> Series:
        return self._with(other, lambda one, two: one + two)

    def __mul__(self, other: Series | float) -> Series:
        return self._with(other, lambda one, two: one * two)

    def __gt__(self, other: Series | float) -> Series:
        return self._with(other, lambda one, two: one > two)

    def __ge__(self, other: Series | float) -> Series:
        return self._with(other, lambda one, two: one >= two)

    def _with(self, other: Series | float, operator: Callable[[float, float], float]) -> Series:
        """Return a value for each minute that either has; "missing values are treated as 0"."""
        if not isinstance(other, Series):
            return Series({minute: operator(value, other) for minute, value in self.items()})
        return Series({minute: operator(self.get(minute, 0), other.get(minute, 0)) for minute in {*self, *other}})


def _sum(several: Sequence[Series]) -> Series:
    """Return the sum of what is there, for each minute that any of them has."""
    minutes = {minute for each in several for minute in each}
    return Series({minute: sum(each[minute] for each in several if minute in each) for minute in minutes})


def _if(condition: Series, then: Series | float, otherwise: Series | float | None = None) -> Series:
    """Return one or the other for each minute of the condition, and for no minute that it has not."""
    found = Series()
    for minute, holds in condition.items():
        if holds:
            found[minute] = then.get(minute, 0) if isinstance(then, Series) else then
        elif isinstance(otherwise, Series):
            found |= {minute: otherwise[minute]} if minute in otherwise else {}
        elif otherwise is not None:
            found[minute] = otherwise
    return found


def computed(expression: str, metrics: Mapping[str, Series]) -> Series:
    """Return what CloudWatch makes of the metrics; an expression that it takes is one that Python takes, too."""
    found: Series = eval(expression, {"IF": _if, "SUM": _sum}, dict(metrics))  # noqa: S307 - the template's own
    return found


def alarmed(values: Series, *, below: float, periods: int) -> bool:
    """Return whether an alarm is on that asks for so many minutes, all below a threshold, missing ones being good.

    CloudWatch reads more minutes than it asks for, and takes the newest of those that have a value.
    """
    newest = [values[minute] for minute in sorted(values)][-periods:]
    return len(newest) == periods and all(value < below for value in newest)
