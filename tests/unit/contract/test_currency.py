"""The currency of an event: one code, in two places."""

import iso4217
import pytest

from forwarder_tools.sandbox.currencies import CURRENCIES
from kochava_forwarder.contract.currency import ISO_4217, WITHDRAWN
from tests.unit.strategies import (
    GONE,
    Event,
    changed,
    problems,
    sent,
)


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ({"data.currency": "usd", "data.event_data": {"sum": 1}}, "USD"),
        ({"data.currency": "Usd", "data.event_data.currency": "uSD"}, "USD"),
        ({"data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": None, "data.event_data.currency": "eur"}, "EUR"),
        ({"data.currency": "EUR", "data.event_data": {"sum": 1, "currency": None}}, "EUR"),
        ({"data.currency": "EUR", "data.event_data": {"sum": 1, "currency": " "}}, "EUR"),
        ({"data.currency": "", "data.event_data.currency": " eur "}, "EUR"),
        ({"data.currency": "XXX", "data.event_data.sum": 1}, "XXX"),
        ({"data.currency": "HRK", "data.event_data.sum": 1}, "HRK"),
    ],
)
def test_currency_is_sent_in_both_places_in_capitals(said: Event, currency: str) -> None:
    data = sent(changed(said))["data"]
    assert (data["currency"], data["event_data"]["currency"]) == (currency, currency)


@pytest.mark.parametrize("said", [GONE, "legacy"], ids=["no event_data", "bare string"])
def test_currency_stands_alone_where_there_are_no_parameters(said: object) -> None:
    event = changed({"data.currency": "eur", "data.event_data": "x"})
    data = sent(changed({"data.event_data": said}, event))["data"]
    assert data["currency"] == "EUR"
    assert data.get("event_data", GONE) == said


@pytest.mark.parametrize("parameters", [{}, [], {"currency": ""}], ids=repr)
def test_currency_is_not_put_where_there_is_no_amount(parameters: object) -> None:
    data = sent(changed({"data.currency": "eur", "data.event_data": parameters}))["data"]
    assert (data["currency"], data["event_data"]) == ("EUR", {})


@pytest.mark.parametrize("outer", ["", None, " ", GONE])
@pytest.mark.parametrize("inner", ["", None, " ", GONE])
def test_a_currency_that_is_not_known_is_left_out(outer: object, inner: object) -> None:
    event = changed({"data.currency": "x", "data.event_data": {"sum": 1, "currency": "x"}})
    data = sent(changed({"data.currency": outer, "data.event_data.currency": inner}, event))["data"]
    assert "currency" not in data
    assert data["event_data"] == {"sum": 1}


def test_a_currency_is_one_of_iso_4217() -> None:
    published = {currency.code for currency in iso4217.Currency}
    assert not published ^ ISO_4217
    assert not CURRENCIES ^ (published | WITHDRAWN)  # the sandbox's own list
    assert not WITHDRAWN & published


def test_two_currencies_are_refused() -> None:
    event = changed({"data.currency": "EUR", "data.event_data.currency": "USD"})
    assert problems(event) == "data.currency: differs from data.event_data.currency"
