"""Tables in Markdown, and the places of a document that a program writes. Pure."""

import re
from collections.abc import Sequence

END = "<!-- end -->"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of text, without a line's end after it."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def put(text: str, place: str, block: str) -> str:
    """Return the text with the block in the place of that name, between `<!-- place -->` and `END`.

    Raises:
        LookupError: the text has no such place.
    """
    begin = f"<!-- {place} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise LookupError(f"no place for {place}: write {begin} and {END} where it belongs")
    return pattern.sub(lambda _: f"{begin}\n\n{block}\n\n{END}", text)


def block(text: str, place: str) -> str:
    """Return what stands in the place of that name.

    Raises:
        LookupError: the text has no such place.
    """
    found = re.search(re.escape(f"<!-- {place} -->") + "(.*?)" + re.escape(END), text, re.DOTALL)
    if not found:
        raise LookupError(f"no place for {place}")
    return found[1].strip()
