import pytest

from kochava_forwarder import outcomes
from kochava_forwarder.outcomes import AmbiguousDelivery, Outcome, Then, then

RETRIED = ("ambiguous", "throttled", "unavailable", "unconfirmed", "misconfigured", "deferred")
TABLE = {
    **dict.fromkeys(("delivered", "duplicate"), Then.ACKNOWLEDGE),
    **dict.fromkeys(("invalid", "rejected", "expired"), Then.DEAD_LETTER),
    **dict.fromkeys(RETRIED, Then.RETRY),
}


def test_the_outcomes_are_those_of_the_design() -> None:
    assert {outcome.value for outcome in Outcome} == set(TABLE)


@pytest.mark.parametrize("ambiguous", AmbiguousDelivery)
@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_done_about_each(outcome: Outcome, ambiguous: AmbiguousDelivery) -> None:
    parked = outcome is Outcome.AMBIGUOUS and ambiguous is AmbiguousDelivery.PARK
    assert then(outcome, ambiguous) is (Then.DEAD_LETTER if parked else TABLE[outcome.value])


@pytest.mark.parametrize("outcome", Outcome)
def test_each_has_its_row_in_the_docstring(outcome: Outcome) -> None:
    assert f"\n    {outcome.value}  " in (outcomes.__doc__ or "")
