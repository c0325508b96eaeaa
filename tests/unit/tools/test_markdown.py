"""Tables, and the places of a document that a program writes."""

import pytest

from forwarder_tools.markdown import block, put, table

TEXT = "Prose.\n<!-- a: one -->old<!-- end -->\nMore.\n<!-- a: two --><!-- end -->\n"


def test_a_table_has_a_line_under_its_header() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_block_takes_the_place_of_what_was_there_and_of_nothing_else() -> None:
    assert put(TEXT, "a: one", r"new \1") == TEXT.replace("old", "\n\nnew \\1\n\n")
    assert block(put(TEXT, "a: one", "new"), "a: one") == "new"


def test_a_place_that_is_missing_is_named() -> None:
    with pytest.raises(LookupError, match="a: three"):
        put(TEXT, "a: three", "new")
    with pytest.raises(LookupError, match="a: three"):
        block(TEXT, "a: three")
