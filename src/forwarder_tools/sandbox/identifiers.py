"""What Kochava takes as an identifier of a device or a user.

The tags, and the sections that are named below, are those of docs/kochava-api.md.
"""

import re
from collections.abc import Iterator, Mapping

from forwarder_tools.sandbox import checks

UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

IDENTIFIERS = frozenset(
    "idfa idfv adid android_id imei mac udid rida fire_adid oaid openudid waid custom".split()  # noqa: SIM905
)
"""Kochava's own names, in lower case; any other key may be used, "or a custom variant" (SEED)."""

DEVICE_IDS: Mapping[str, re.Pattern[str]] = {
    "idfa": re.compile(UUID),
    "idfv": re.compile(UUID),
    "adid": re.compile(UUID),
    "android_id": re.compile(r"[0-9a-fA-F]{1,16}"),
    "imei": re.compile(r"[0-9]{1,20}"),
}
"""Identifiers with a known form. Another form is only as good as none: see `has_good_form`."""

DIGEST_LENGTHS = (32, 40, 64)  # of MD5, SHA-1 and SHA-256


def identifier(path: str, value: object) -> Iterator[str]:
    """Find what is wrong with one identifier."""
    if not isinstance(value, str):
        yield f"{path}: must be a string"
    elif checks.is_placeholder(value):
        yield f"{path}: a placeholder names nobody and must be left out"
    elif value != value.strip():
        yield f"{path}: blanks around it"


def identifier_or_none(path: str, value: object) -> Iterator[str]:
    """Find what is wrong with one that is "" when unknown, never null, never a placeholder (OURS)."""
    if value != "":
        yield from identifier(path, value)


def device_ids(path: str, value: object) -> Iterator[str]:
    """Find what is wrong with `device_ids`."""
    if not isinstance(value, dict):
        yield f"{path}: must be an object"
        return
    for name, given in value.items():
        place = checks.join(path, name)
        wrong = list(identifier(place, given))
        yield from wrong
        if name.lower() in IDENTIFIERS and name.lower() not in value:
            yield f"{place}: must be named in lower case"
        if not wrong and name in DEVICE_IDS and _is_digest(name, given):
            yield f"{place}: hashed, raw is wanted"


def _is_digest(name: str, given: str) -> bool:
    if len(given) not in DIGEST_LENGTHS or set(given.lower()) - set("0123456789abcdef"):
        return False
    return len(given) > 32 or name in {"android_id", "imei"}  # noqa: PLR2004 - 32 may be a UUID without dashes


def has_good_form(name: str, given: object) -> bool:
    """Tell whether it names a device: one without a known form does."""
    return isinstance(given, str) and (name not in DEVICE_IDS or bool(DEVICE_IDS[name].fullmatch(given)))


def idfa(path: str, value: object) -> Iterator[str]:
    """Find what is wrong with the identifier that an update must carry."""
    wrong = list(identifier(path, value))
    yield from wrong
    if not wrong and not re.fullmatch(UUID, str(value)):
        yield f"{path}: must be a UUID with dashes"


def identities(path: str, value: object) -> Iterator[str]:
    """Find what is wrong with `identity_link`."""
    if not isinstance(value, dict) or not value:
        yield f"{path}: must be an object with at least one identity"
        return
    for name, identity in value.items():
        place = checks.join(path, name)
        yield from identifier(place, identity)
        if isinstance(identity, str) and re.search(r"\S(@|%40)\S+\.\w", identity):
            yield f"{place}: an e-mail address"
