import pytest

from kochava_forwarder.policy import outcomes
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, action_for

RETRIED = ("ambiguous", "throttled", "unavailable", "unconfirmed", "misconfigured", "deferred")
TABLE = {
    **dict.fromkeys(("delivered", "duplicate"), Action.ACKNOWLEDGE),
    **dict.fromkeys(("invalid", "rejected", "expired"), Action.DEAD_LETTER),
    **dict.fromkeys(RETRIED, Action.RETRY),
}


def test_the_outcomes_are_those_of_the_design() -> None:
    assert {outcome.value for outcome in Outcome} == set(TABLE)


@pytest.mark.parametrize("ambiguous", AmbiguousDelivery)
@pytest.mark.parametrize("outcome", Outcome)
def test_what_is_done_about_each(outcome: Outcome, ambiguous: AmbiguousDelivery) -> None:
    parked = outcome is Outcome.AMBIGUOUS and ambiguous is AmbiguousDelivery.PARK
    assert action_for(outcome, ambiguous) is (Action.DEAD_LETTER if parked else TABLE[outcome.value])


@pytest.mark.parametrize("outcome", Outcome)
def test_each_has_its_row_in_the_docstring(outcome: Outcome) -> None:
    assert f"\n    {outcome.value}  " in (outcomes.__doc__ or "")
