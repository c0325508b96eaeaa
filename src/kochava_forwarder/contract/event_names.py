"""Names of events that were probably meant to be those of Kochava's standard events. Pure.

Kochava makes a new event of every unknown name, so that a typo silently splits a report (DOC).
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from types import MappingProxyType

from kochava_forwarder.contract.standard_events import STANDARD_EVENTS

LONGEST_NAME = 40  # characters, beyond which no small edit makes a standard event's name
SHORTEST_TYPO = 5  # letters; a shorter name with one of them wrong is most likely a word of its own
SHORTEST_SWAP = 4
# Words that are one letter away from a standard name, and yet events of games and shops.
_WORDS_OF_THEIR_OWN = frozenset(
    {"racing", "raging", "raking", "rafting", "ranting", "ratting", "raving", "razing", "starch"}
)


def _squeezed(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _words(name: str) -> list[str]:
    """Return the words of ``Trial Start``, ``trial_start`` or ``TrialStart``, in lower case."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r"[\W_]+", " ", spaced).casefold().split()


def _forms(word: str) -> Iterator[str]:
    """Yield a word, its plural and its past."""
    yield word
    yield word + "s"
    yield word + "es"
    yield word + ("d" if word.endswith("e") else "ed")


_SQUEEZED = MappingProxyType({_squeezed(name): name for name in STANDARD_EVENTS})
_BY_WORDS = MappingProxyType({tuple(sorted(_words(name))): name for name in STANDARD_EVENTS})
_BASES = MappingProxyType({form: word for words in _BY_WORDS for word in words for form in _forms(word)})


def meant_event(name: str) -> str | None:
    """Return the standard event that another name was probably meant to be; None for a name of its own.

    A name was meant when it is a standard one but for case and punctuation, a single typo (see `_is_typo`), the
    plural or the past of a word, or the order of its words. One with a number in it is a name of its own.
    """
    return None if len(name) > LONGEST_NAME else _meant_event(name)


@lru_cache(maxsize=1024)
def _meant_event(name: str) -> str | None:
    if name in STANDARD_EVENTS or any(map(str.isdigit, name)):
        return None
    squeezed = _squeezed(name)
    if squeezed in _SQUEEZED:
        return _SQUEEZED[squeezed]
    words = sorted(_BASES.get(word, word) for word in _words(name))
    if by_words := _BY_WORDS.get(tuple(words)):
        return by_words
    return next((standard for meant, standard in _SQUEEZED.items() if _is_typo(squeezed, meant)), None)


def _is_typo(name: str, meant: str) -> bool:
    """Tell whether one slip of the finger makes `name` of `meant`: a swap, or a letter wrong, missing or too many.

    A letter put before or after a word, or another first letter, makes another word: Grating, Subscriber. So does
    a prefix: Research, Repurchase, Unsubscribe.
    """
    if name in _WORDS_OF_THEIR_OWN or abs(len(name) - len(meant)) > 1:
        return False
    if len(name) == len(meant):
        wrong = [index for index, (given, letter) in enumerate(zip(name, meant, strict=True)) if given != letter]
        if Counter(name) == Counter(meant):
            return len(name) >= SHORTEST_SWAP and len(wrong) == 2 and wrong[1] - wrong[0] == 1  # noqa: PLR2004
        return len(name) >= SHORTEST_TYPO and len(wrong) == 1 and wrong[0] > 0
    if len(name) < SHORTEST_TYPO:
        return False
    shorter, longer = sorted((name, meant), key=len)
    last = len(longer) - 1 if longer is name else len(longer)  # where the odd letter may stand, the first never
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(1, last))
