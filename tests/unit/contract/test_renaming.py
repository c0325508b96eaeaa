"""Own names for Kochava's events: how they are read, and what they change."""

import json

import pytest

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import Event, KochavaEvent
from kochava_forwarder.contract.renaming import read_names, renamed
from tests.unit.strategies import changed


def event(name: str) -> KochavaEvent:
    body = changed({"data.event_name": name, "data.event_data": {"price": 1}})
    return parse_event(json.dumps(body), sent_at=1_760_000_000, default_app_id=None)


def test_only_an_event_of_that_name_is_renamed() -> None:
    names = {"order_done": "Purchase"}
    found = renamed(event("order_done"), names)
    assert isinstance(found, Event)
    assert (found.data.event_name, found.data.event_data) == ("Purchase", {"price": 1})
    other = event("Order_done")
    assert renamed(other, names) is other


def test_an_install_has_no_name() -> None:
    data = {"origination_ip": "203.0.113.7", "device_ua": "Mozilla/5.0 (Fake)", "device_ids": {"custom": "fake-1"}}
    body = {"action": "install", "kochava_app_id": "kotest-app-1", "app_ver": "1", "data": data}
    install = parse_event(json.dumps(body), sent_at=1_760_000_000, default_app_id=None)
    assert renamed(install, {"install": "Purchase"}) is install


def test_names_are_pairs_with_commas_between() -> None:
    text = " order_done = Purchase ,level up=Level Complete,boss=Boss Slain"
    assert read_names(text) == {"order_done": "Purchase", "level up": "Level Complete", "boss": "Boss Slain"}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("order_done", "must be names such as order_done=Purchase, with commas between"),
        ("order_done=", "must be names such as order_done=Purchase, with commas between"),
        ("a=Purchase,", "must be names such as order_done=Purchase, with commas between"),
        ("a=b=Purchase", "must be names such as order_done=Purchase, with commas between"),
        ("a=Purchase,a=View", "names a twice; leave one out"),
        ("a=purchase", "has purchase, which Kochava does not know; did you mean Purchase?"),
    ],
)
def test_a_bad_list_is_refused_in_words(text: str, wrong: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - compared whole
        read_names(text)
    assert str(refused.value) == wrong
