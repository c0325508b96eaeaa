"""What may be shown of a text that may echo an event."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.redaction import printable, redact
from tests.unit.strategies import examples

PAYLOAD = json.dumps(
    {
        "kochava_app_id": "kotest-app-1",
        "data": {
            "device_ua": "Mozilla%2F5.0%20(iPhone)",
            "origination_ip": "203.0.113.7",
            "price": 9.75,
            "quantity": 42,
            "paid": True,
            "event_data": {"name": "José Müller", "note": "a\nbob_smith", "mail": "carol@b.example"},
        },
    }
).encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("unknown device", "unknown device"),
        ('{"error":"bad price"}', '{"error":"bad price"}'),  # keys are not personal
        ("true story", "true *"),
        ("app kotest-app-1", "* *-*-*"),
        ("José Müller", "* * *"),
        ("Jos? M?ller", "*? *?*"),
        (r"Jos\u00e9 M\u00fcller", "* * *"),
        ("Jos%C3%A9+M%C3%BCller", "* +* *"),
        ("JOS\ufffd mueller", "* *"),
        (r"a\nbob_smith", "* *_*"),
        ("bob's smithy", "*'s *"),
        ("carol@b.example", "*@*.*"),
        ("Mozilla/5.0 (iPhone)", "*/*.* (*)"),
        ("203.0.113.7", "*.*.*.*"),
        ("at 9.75 for 42", "at *.* for *"),
        ("2 of 99", "2 of *"),
        ("code 123, id x1y2z3", "code *, id *"),
        ("\u0663\u0664 \u65e5\u672c not\tfound\x00in\x7f", "not found in"),
        ("", ""),
    ],
)
def test_what_the_event_said_is_starred(text: str, shown: str) -> None:
    assert redact(text, PAYLOAD).removesuffix(" ") == shown


@pytest.mark.parametrize("number", ["1e-7", "1e-07", "-0.0", "1e+22", str(10**30)])
def test_a_number_is_starred_as_it_was_printed(number: str) -> None:
    payload = b'{"data":{"event_data":{"rate":%b}}}' % number.encode()
    assert not re.search(r"\d", redact(f'"price":{number}', payload))


def test_half_a_word_may_be_the_events() -> None:
    assert redact("no user: caro", PAYLOAD) == "no user: *"
    assert redact("arol, unknown user near rol", PAYLOAD) == "*, unknown user * *"


def test_a_word_of_error_messages_is_not_shown_when_the_event_says_it() -> None:
    assert redact("unknown key", b'{"a":"Unknown"}') == "* key"


@pytest.mark.parametrize("before", range(1185, 1205))
def test_a_word_is_not_shown_because_the_text_was_cut_in_it(before: int) -> None:
    padding = ("203 " * 400)[: before - 1] + " "
    assert "car" not in redact(padding + "carol" * 3, b'{"a":"carolcarolcarol"}')


def test_300_characters_are_kept() -> None:
    assert redact("no " * 10_000, b"{}") == ("no " * 100)[:300]


def test_printable_text_is_one_line_of_ascii() -> None:
    assert printable("\r\n a\t\t b\x1b[31m \u00e9 ~") == "a b [31m ~"


# --- the law ------------------------------------------------------------------------------------------------

VALUES = st.text() | st.text("abZé09_ -./\\%+n\n\"'", min_size=2) | st.integers() | st.floats(allow_nan=False)
EVENTS = st.dictionaries(st.just("k") | st.just("v"), VALUES | st.dictionaries(st.just("k"), VALUES), max_size=3)
ECHOES: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.swapcase,
    json.dumps,
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: json.dumps(text).replace("/", "\\/"),
    lambda text: json.dumps(json.dumps(text)),
    lambda text: quote(text, errors="replace"),
    lambda text: quote_plus(text, errors="replace"),
    lambda text: text.encode("utf-8", "replace").decode("ascii", "replace"),
    lambda text: f"unknown_{text}_given",
]


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z0-9]{2,}", text)}


@examples(500)
@given(st.data())
def test_no_word_of_the_event_survives(data: st.DataObject) -> None:
    event: dict[str, Any] = data.draw(EVENTS)
    leaves = [
        str(leaf) for value in event.values() for leaf in (value.values() if isinstance(value, dict) else [value])
    ]
    echoed = [data.draw(st.sampled_from(ECHOES))(leaf) for leaf in leaves]
    text = "".join(word + data.draw(st.sampled_from([" ", ", ", '":"', "=", "\n", "_"])) for word in echoed)
    shown = redact(text, json.dumps(event).encode())
    assert not words(shown) & set().union(*map(words, leaves))
    assert shown.isascii()
    assert len(shown) <= 300
