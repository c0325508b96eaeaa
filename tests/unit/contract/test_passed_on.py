"""What networks say of an install: sent as it is, if a reader can be sure of it."""

import json

import pytest

from tests.unit.strategies import INSTALL, changed, problems, sent

EXTRAS = ("adservices_attribution_details", "iad_attribution_details", "install_referrer", "conversion_data")


@pytest.mark.parametrize("name", EXTRAS)
@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_text_says_nothing_of_an_install(name: str, blank: str) -> None:
    assert sent(changed({f"data.{name}": blank}, INSTALL)) == sent(INSTALL)


@pytest.mark.parametrize("name", EXTRAS)
def test_what_networks_know_of_an_install_is_passed_on(name: str) -> None:
    details = {"a": [1, {"b": None, "c": "é/"}], "iad-click": True, "d": 1.5}
    assert sent(changed({f"data.{name}": details}, INSTALL))["data"][name] == details
    assert sent(changed({f"data.{name}": '{"a": {"b": 1}}'}, INSTALL))["data"][name] == {"a": {"b": 1}}
    assert sent(changed({f"data.{name}": []}, INSTALL))["data"][name] == {}
    assert name not in sent(changed({f"data.{name}": None}, INSTALL))["data"]


@pytest.mark.parametrize(
    ("text", "path", "wrong"),
    [
        ('"text"', "", "must be an object"),
        ("[1]", "", "must be an object"),
        ("1", "", "must be an object"),
        ('{"a": {"b": NaN}}', ".a.b", "must be a finite number"),
        ('{"a": {"b": {"c": 1, "c": 1}}}', ".a.b.c", "is given twice"),
        (r'{"a": {"b": {"c": ["\ud800"]}}}', ".a.b.c.?", "is not valid Unicode"),
        (r'{"a": {"b": {"\ud800": 1}}}', ".a.b.?", "is not valid Unicode"),
        ('{"a":' * 20 + "1" + "}" * 20, ".a" * 17, "is nested too deeply"),
    ],
)
def test_what_is_passed_on_can_be_read(text: str, path: str, wrong: str) -> None:
    event = changed({"data.conversion_data": "PLACE"}, INSTALL)
    body = json.dumps(event).replace('"PLACE"', text)
    assert problems(body) == f"data.conversion_data{path}: {wrong}"
