r"""Regular expressions of the contract, in what all readers of JSON Schema have in common. Pure.

Python, ECMAScript and RE2 disagree about ``\d``, ``\s``, ``\w``, lookaheads and flags: none is used here. ``$``
stands only where a last line break is allowed anyway, since Python's also matches before one.
"""

from kochava_forwarder.contract import currency, times
from kochava_forwarder.contract.placeholders import MACRO

BLANK = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # what `str.strip` takes away
EMPTY = f"^[{BLANK}]*$"
NOT_EMPTY = f"[^{BLANK}]"


def trimmed(*alternatives: str) -> str:
    """Return the pattern of a text that is one of the alternatives, outer blanks aside."""
    return f"^[{BLANK}]*(?:{'|'.join(alternatives)})[{BLANK}]*$"


def by_letters(*words: str) -> str:
    """Return the pattern of a text that is one of the words, its blanks, ``_``, ``-`` and capitals aside."""
    letters = ([in_any_case(letter, "k\u212a") for letter in word] for word in words)
    return f"^[{BLANK}_-]*(?:{'|'.join(f'[{BLANK}_-]*'.join(word) for word in letters)})[{BLANK}_-]*$"


def in_any_case(word: str, others: str = "") -> str:
    """Return the pattern of a word in capitals and small letters; `others` are pairs such as ``kK``."""
    more = {pair[0]: pair[1:] for pair in others.split()}
    return "".join(
        f"[{letter.lower()}{letter.upper()}{more.get(letter.lower(), '')}]"
        if letter.isalpha()
        else _literal(letter)
        for letter in word
    )


def _literal(letter: str) -> str:
    return f"\\{letter}" if letter in "[]{}()|*+?.^$\\" else letter


# --- what names nobody --------------------------------------------------------------------------------------

_WORDS = ("null", "undefined", "none", "nil", "nan", "unknown", "n/a", "-", "not set", "[object object]")
_FOLDED = "i\u0130\u0131 k\u212a s\u017f"  # letters that are these in another case
_QUOTES = "\"'"
_UNFILLED = (
    f"[{_QUOTES}(]?(?:{'|'.join(in_any_case(word, _FOLDED) for word in _WORDS)})[{_QUOTES})]?",
    r"[$#%@]?(?:<[\s\S]*>|\{[\s\S]*\})",
    rf"__{MACRO}__|%{{1,2}}{MACRO}%{{1,2}}|\${MACRO}|\[{MACRO}\]|[\\]N|#N/A",
)
NOBODY = f"^[{BLANK}0:-]*$|" + trimmed(*_UNFILLED, "02(?:[:-]?00){5}")
UNFILLED = f"{EMPTY}|" + trimmed(*_UNFILLED)

# --- numbers ------------------------------------------------------------------------------------------------

_WHOLE = "(?:0|[1-9][0-9]*)"
_EXPONENT = "[eE][+-]?[0-9]+"
NUMBER = trimmed(rf"-?{_WHOLE}(?:\.[0-9]+)?(?:{_EXPONENT})?")
TRUTH = trimmed(in_any_case("true"), in_any_case("false"), "[01]")

# --- identifiers --------------------------------------------------------------------------------------------

_HEX = "[0-9A-Fa-f]"
_UUID = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
FORMS = {  # of the identifiers that have one; zeros are kept out by `NOBODY`
    "idfa": trimmed(_UUID),
    "idfv": trimmed(_UUID),
    "adid": trimmed(_UUID),
    "android_id": trimmed(rf"{_HEX}{{1,16}}"),
    "imei": trimmed("[0-9]{1,20}"),
}
_LONG_DIGEST = rf"{_HEX}{{40}}|{_HEX}{{64}}"
DIGESTS = {  # 32 digits may be a UUID without its dashes
    name: trimmed(_LONG_DIGEST) if form == FORMS["idfa"] else trimmed(rf"{_HEX}{{32}}", _LONG_DIGEST)
    for name, form in FORMS.items()
}
EMAIL = rf"[^{BLANK}@<>](?:@|%40)[^{BLANK}@<>]+\.[0-9A-Za-z_]"

# --- addresses ----------------------------------------------------------------------------------------------

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_GROUP = f"{_HEX}{{1,4}}"


def _v6() -> str:
    """Return the pattern of an IPv6 address: eight groups, or fewer around ``::``; the last two may be IPv4."""
    last = f"(?:{_GROUP}:{_GROUP}|{_V4})"
    whole = [f"(?:{_GROUP}:){{6}}{last}"]
    for before in range(8):  # groups before the ::
        start = f"{_GROUP}(?::{_GROUP}){{{before - 1}}}::" if before else "::"
        tails = [f"(?:{_GROUP}:){{0,{5 - before}}}{last}"] if before <= 5 else []  # noqa: PLR2004
        tails += [_GROUP] if before <= 6 else []  # noqa: PLR2004
        whole.append(f"{start}(?:{'|'.join(tails)})?" if tails else start)
    return f"(?:{'|'.join(whole)})"


_V6 = _v6()
_PORT = "(?::[0-9]{1,5})?"


def _addresses(v4: str, v6: str) -> tuple[str, ...]:
    """Return the forms in which addresses are printed: alone, in brackets, with a port, a slash, a length."""
    return f"/?{v4}{_PORT}", f"{v4}/32", f"(?:{v4}|{v6})/128", f"/?{v6}", rf"/?\[(?:{v4}|{v6})\]{_PORT}"


ADDRESS = trimmed(*_addresses(_V4, _V6))
_ZERO = "0{1,4}"
_MAPPED_ZERO = rf"[0:]*:[fF]{{4}}:(?:{_ZERO}:{_ZERO}|0\.0\.0\.0)|(?:{_ZERO}:){{5}}[fF]{{4}}::(?:{_ZERO})?"
NO_ADDRESS = f"{UNFILLED}|" + trimmed(*_addresses(r"0\.0\.0\.0", rf"(?:[0:]+(?:0\.0\.0\.0)?|{_MAPPED_ZERO})"))

# --- currencies ---------------------------------------------------------------------------------------------


def _code(name: str) -> str:
    """Return the pattern of a currency that `str.upper` brings to capitals."""
    pattern = in_any_case(name, "i\u0131 s\u017f")
    s, t = in_any_case("S", "s\u017f"), in_any_case("T")
    return pattern.replace(s + t, f"(?:{s}{t}|[\ufb05\ufb06])").replace(s + s, f"(?:{s}{s}|\xdf)")


CURRENCY = f"{UNFILLED}|" + trimmed(*map(_code, sorted(currency.ISO_4217 | currency.WITHDRAWN)))

# --- times --------------------------------------------------------------------------------------------------


def _up_to(digits: str) -> list[str]:
    """Return patterns of the numbers of as many digits that are not greater, the first digit not being 0."""
    smaller = [
        f"{digits[:index]}[{1 if index == 0 else 0}-{int(digit) - 1}][0-9]{{{len(digits) - index - 1}}}"
        for index, digit in enumerate(digits)
        if int(digit) > (1 if index == 0 else 0)
    ]
    return [*smaller, digits]


def _from(digits: str) -> list[str]:
    """Return patterns of the numbers of as many digits that are not smaller."""
    greater = [
        f"{digits[:index]}[{int(digit) + 1}-9][0-9]{{{len(digits) - index - 1}}}"
        for index, digit in enumerate(digits)
        if digit != "9"
    ]
    return [*greater, digits]


_SPAN = "|".join([*_from(str(times.EARLIEST)), *_up_to(str(times.LATEST - 1))])  # whole seconds


def _seconds() -> list[str]:
    """Return patterns of texts that are seconds since 1970, or thousandths, millionths, billionths of them.

    The second before the first is there with a fraction, which a float may round up to the first; numbers with an
    exponent are all there, since no pattern can compute them.
    """
    unit = "(?:[0-9]{3}){0,3}"
    return [
        rf"(?:{_SPAN}){unit}(?:\.[0-9]+)?",
        rf"{times.EARLIEST - 1}{unit}\.[0-9]+",
        rf"{_WHOLE}(?:\.[0-9]+)?{_EXPONENT}",
    ]


_YEAR = "20(?:0[1-9]|[1-9][0-9])"
_MONTH, _DAY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_DATE = rf"(?:(?:{_YEAR}-{_MONTH}-{_DAY}|2000-12-31|2100-01-01)|(?:{_YEAR}{_MONTH}{_DAY}|20001231|21000101))"
_WEEK = "(?:20[0-9]{2}-W(?:0[1-9]|[1-4][0-9]|5[0-3])(?:-[1-7])?|20[0-9]{2}W(?:0[1-9]|[1-4][0-9]|5[0-3])[1-7]?)"
_HOUR, _SIXTY = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]"
# Python reads what follows the hour leniently: 19:26,5 and 1926:56 are times to it.
_CLOCK = rf"{_HOUR}(?::?{_SIXTY}[0-9:.,]*|[.,][0-9]*)?"
_OFFSET = rf"[+-]{_HOUR}[0-9:.,]*"
# It takes any character between date and time, and up to two behind the time.
_ISO = rf"(?:{_DATE}|{_WEEK})[\s\S]{_CLOCK}[\s\S]{{0,2}}(?:Z|{_OFFSET})"
_SPACE = "[\t-\r ]"
_PRINTED = (  # by Ruby, Go and Java
    rf"{_DATE}[Tt ]{_CLOCK}{_SPACE}*(?:[Zz]|UTC|GMT|[+-]{_HOUR}(?::?[0-9]{{2}})?)"
    rf"(?:{_SPACE}(?:[A-Z]{{3,5}}|[+-][0-9]{{2}}(?:[0-9]{{2}})?))?(?:{_SPACE}m=[+-][0-9.]+)?(?:\[[0-9A-Za-z_/+-]+\])?"
)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_NUMBERED_DAY, _FULL_YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", f"(?:{_YEAR}|2000|2100)"
_TIME_OF_DAY, _NAMED_OFFSET = f"{_HOUR}:{_SIXTY}:{_SIXTY}", f"[+-]{_HOUR}[0-9]{{2}}"
_NAMED_ZONE = f"(?:GMT|UTC|UT|{_NAMED_OFFSET})"
_JAVASCRIPT_ZONE = rf"GMT{_NAMED_OFFSET}(?: \([^()]*\))?"
_CALENDAR = (  # RFC 5322 and HTTP; cookies and PHP; Java and `date`; JavaScript
    f"(?:[A-Z][a-z]{{2}}, )?{_NUMBERED_DAY} (?:{_MONTHS}) {_FULL_YEAR} {_TIME_OF_DAY} {_NAMED_ZONE}",
    f"[A-Z][a-z]{{2,8}}, {_NUMBERED_DAY}-(?:{_MONTHS})-{_FULL_YEAR} {_TIME_OF_DAY} {_NAMED_ZONE}",
    f"[A-Z][a-z]{{2}} (?:{_MONTHS}) {{1,2}}{_NUMBERED_DAY} {_TIME_OF_DAY} {_NAMED_ZONE} {_FULL_YEAR}",
    rf"[A-Z][a-z]{{2}} (?:{_MONTHS}) {_NUMBERED_DAY} {_FULL_YEAR} {_TIME_OF_DAY} {_JAVASCRIPT_ZONE}",
)
_DOTNET = rf"/Date\((?:{_SPAN})[0-9]{{3}}(?:[+-][0-9]{{4}})?\)/"
NUMBER_OF_SECONDS = trimmed(*_seconds())
DATE_AND_TIME = trimmed(_ISO, _PRINTED, *_CALENDAR, _DOTNET)

# --- texts --------------------------------------------------------------------------------------------------

APP_ID = trimmed(f"[^{BLANK}<>{{}}]+")
_LETTERS = "authorized", "denied", "notdetermined", "restricted"
ATT_DETAIL = f"{EMPTY}|" + by_letters(*_LETTERS)
JSON_OBJECT = "^\ufeff?[\t\n\r ]*(?:\\{[\\s\\S]*\\}|\\[[\t\n\r ]*\\])[\t\n\r ]*$"  # by its ends alone
