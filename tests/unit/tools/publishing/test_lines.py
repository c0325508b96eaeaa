"""Which events a file has, and where."""

import io
import json

import pytest

from forwarder_tools.publishing.lines import Line, lines_of

ONE = '{\n  "a": {\n    "b": 1\n  }\n}'


def lines(text: str | bytes) -> list[Line]:
    return list(lines_of(io.BytesIO(text.encode() if isinstance(text, str) else text), "f"))


def test_there_is_one_event_a_line_and_blank_lines_count() -> None:
    assert lines('\n{"a": 1}\r\n\n  {"a":  2}') == [Line("f:2", '{"a": 1}'), Line("f:4", '{"a":  2}')]


@pytest.mark.parametrize("text", [ONE, f"\n{ONE}\n", f"\ufeff{ONE}"])
def test_one_event_may_be_written_over_several_lines(text: str) -> None:
    (line,) = lines(text)
    assert json.loads(line.text) == {"a": {"b": 1}}
    assert line.place == ("f:2" if text.startswith("\n") else "f:1")


def test_a_broken_line_is_a_line_also_when_it_is_the_first() -> None:
    assert [line.text for line in lines('{"a": \n{"a": 1}\nx\n')] == ['{"a":', '{"a": 1}', "x"]


def test_one_broken_event_over_several_lines_is_one() -> None:
    assert len(lines(ONE.replace("1", "1,"))) == 1


def test_lines_are_read_as_they_come() -> None:
    file = io.BytesIO(b'{"a": 1}\n' * 10_000)

    assert next(lines_of(file, "f")) == Line("f:1", '{"a": 1}')
    assert file.tell() < 100


def test_what_is_not_utf_8_is_told_apart() -> None:
    assert lines(b'{"a": "\xff"}') == [Line("f:1", '{"a": "\udcff"}')]


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_nothing_is_no_event(text: str) -> None:
    assert lines(text) == []
