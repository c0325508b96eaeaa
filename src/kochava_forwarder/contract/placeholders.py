"""What names nobody: an identifier that is empty, all zeros, or what programs print for "not known". Pure."""

import re

_WORDS = r"null|undefined|none|nil|nan|unknown|n/a|-|not set|\[object object\]"
_CAPITALS = "IDFA|IDFV|ADID|GAID|AAID|OAID|IFA|IMEI|UDID|UUID|GUID|ID|IDENTIFIER|PLAIN"
MACRO = rf"(?:(?:[A-Z]+_)*(?:{_CAPITALS})|(?:[a-z]+_)*(?:{_CAPITALS.lower()}))"  # DEVICE_ID, idfa
_UNFILLED = (
    rf"[\"'(]?(?:{_WORDS})[\"')]?"
    r"|[$#%@]?(?:<.*>|\{.*\})"  # a template that nobody filled in
    # the same of advertising networks, shells and ad servers: __IDFA__, %%IDFA%%, $IDFA, [idfa]
    rf"|(?-i:__{MACRO}__|%{{1,2}}{MACRO}%{{1,2}}|\${MACRO}|\[{MACRO}\])"
    r"|(?-i:\\N|#N/A)"  # no value, as MySQL and spreadsheets print it
)
_NOBODY = re.compile(
    r"[\s0:-]*"  # what a device says when its user limits ad tracking, or nothing at all
    rf"|{_UNFILLED}"
    r"|02([:-]?00){5}",  # the MAC address that iOS 7+ and Android 6+ give to everybody
    re.IGNORECASE | re.DOTALL,
)
_WORD = re.compile(_UNFILLED, re.IGNORECASE | re.DOTALL)


def names_nobody(text: str) -> bool:
    """Tell whether a text, trimmed, would name the same device for everybody (OURS).

    Zeros are what a device says whose user limits ad tracking; the rest is what is left of a value that was
    missing: ``null``, ``undefined``, ``(null)``, ``<idfa>``, ``${IDFA}``.
    """
    return _NOBODY.fullmatch(text) is not None


def is_unfilled(text: str) -> bool:
    """Tell whether a text, trimmed, is a word for "not known" or a template; unlike zeros, never a name."""
    return not text or _WORD.fullmatch(text) is not None
