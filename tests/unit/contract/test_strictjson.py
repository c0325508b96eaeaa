import pytest

from kochava_forwarder.contract import strictjson
from kochava_forwarder.contract.strictjson import NotJsonError, RepeatedKeys


def test_json_is_read() -> None:
    assert strictjson.decode(' {"a": [1, -2.5e3, "\\ud83c\\udfbf", true, null]} ') == {
        "a": [1, -2500.0, "\U0001f3bf", True, None]
    }


def test_a_byte_order_mark_is_skipped() -> None:
    assert strictjson.decode('\ufeff{"a":1}') == {"a": 1}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON: Expecting value at character 0"),
        ("{} {}", "not JSON: Extra data at character 3"),
        ("\ufeff\ufeff{}", "not JSON: Expecting value at character 0"),
        ('{"a":', "not JSON: Expecting value at character 5"),
        ("{\"a\":'b'}", "not JSON: Expecting value at character 5"),
        ('{"a":"\\x"}', "not JSON: Invalid \\escape at character 6"),
        ('"\n"', "not JSON: Invalid control character at character 1"),
        ("[" * 2**20, "nested too deeply"),
        ('{"a":' * 2**18, "nested too deeply"),
        ("[" * 2**19 + "]" * 2**19, "nested too deeply"),
        ("9" * 10_000, "a number has too many digits"),
        ("[-" + "9" * 10_000 + "]", "a number has too many digits"),
    ],
    ids=lambda value: value[:20],
)
def test_what_is_not_json_is_refused_in_words_of_our_own(text: str, reason: str) -> None:
    with pytest.raises(NotJsonError) as refused:
        strictjson.decode(text)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ('{"a":1,"b":2,"a":3}', ["a"]),
        ('{"b":1,"a":1,"b":1,"a":1,"b":1}', ["a", "b"]),
        (r'{"a":1,"\u0061":1}', ["a"]),
    ],
)
def test_keys_given_twice_are_found(text: str, repeated: list[str]) -> None:
    found = strictjson.decode(text)
    assert isinstance(found, RepeatedKeys)
    assert found.repeated == repeated


def test_the_same_key_in_two_objects_is_no_repetition() -> None:
    assert type(strictjson.decode('{"a":{"a":1},"b":{"a":1}}')) is dict


@pytest.mark.timeout(10)  # comparing each with each takes minutes
def test_a_megabyte_of_keys_is_searched_at_once() -> None:
    found = strictjson.decode("{" + ",".join(f'"{number:x}":1' for number in range(10**5)) + ',"0":2}')
    assert found.repeated == ["0"]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        (r'{"a":"\ud800"}', [("a",)]),
        (r'{"a":"\uDFFF"}', [("a",)]),
        (r'{"a":"x\ud800x","b":{"c":"\udc00"}}', [("a",), ("b", "c")]),
        (r'{"\ud800":1}', [("\ud800",)]),
        (r'{"a":"\ud83c\udfbf"}', []),
        (r'{"a":"\\ud800"}', []),
        ('{"a":"\ud800"}', [("a",)]),
        ('{"a":"\U0001f3bf"}', []),
        (r'{"a":{"b":{"c":{"d":"\ud800"}}}}', []),  # deeper than was asked
    ],
)
def test_halves_of_characters_are_found(text: str, paths: list[tuple[str, ...]]) -> None:
    assert list(strictjson.lone_surrogates(text, strictjson.decode(text), 2)) == paths
