"""What names the device of an event: ``device_ids`` and ``kochava_device_id``. Pure."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kochava_forwarder.contract.fields import name_of
from kochava_forwarder.contract.names import squeezed
from kochava_forwarder.contract.placeholders import names_nobody
from kochava_forwarder.contract.problems import Problem, refuse

KNOWN = frozenset(  # the names that Kochava knows (SEED, DOC); any other is the publisher's own
    {
        *("idfa", "idfv", "adid", "android_id", "imei", "mac", "udid", "rida", "fire_adid", "oaid"),
        *("openudid", "waid", "custom"),
    }
)
_UUID = re.compile(r"(?![0-]*$)[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
FORMS: Mapping[str, tuple[re.Pattern[str], str]] = MappingProxyType(  # no form matches zeros: they name nobody
    {
        "idfa": (_UUID, "a UUID with dashes"),
        "idfv": (_UUID, "a UUID with dashes"),
        "adid": (_UUID, "a UUID with dashes"),
        "android_id": (re.compile(r"(?!0*$)[0-9A-Fa-f]{1,16}"), "1 to 16 hexadecimal digits"),
        "imei": (re.compile(r"(?!0*$)[0-9]{1,20}"), "digits"),
    }
)
_DIGEST = re.compile(r"(?:[0-9A-Fa-f]{32}){1,2}|[0-9A-Fa-f]{40}")  # MD5, SHA-256, SHA-1
_BARE_UUID = re.compile(r"[0-9A-Fa-f]{32}")
_EMAIL = re.compile(r"[^\s@<>]+(?:@|%40)[^\s@<>]+\.\w")
_DIGEST_NAME = re.compile(r".*(?:md5|sha[_-]?(?:1|256))", re.IGNORECASE | re.DOTALL)
# As other vendors call known identifiers, without "_" and "-": those that are made for advertising, and the rest.
_ADVERTISING_IDS = frozenset(
    {
        *("idfa", "adid", "fireadid", "oaid", "rida", "waid"),
        *("gaid", "aaid", "gpsadid", "googleadid", "googleaid", "googleadvertisingid", "advertisingid"),
        *("ifa", "androidadvertisingid", "amazonadid", "rokuid"),
    }
)
_OTHER_NAMES = _ADVERTISING_IDS | {"ifv", "androiddeviceid"} | {name.replace("_", "") for name in KNOWN}
_OF_A_DIGEST = re.compile(r"md5|sha(?:256|1)")


class NotedIdentifiers(dict[str, str]):
    """Identifiers that are sent, and what is odd about them.

    Attributes:
        misshapen: the names of known identifiers of an unknown form, with what their form must be.
        renamed: whether a known name was written in other letters.
    """

    def __init__(self, identifiers: Mapping[str, str], misshapen: Mapping[str, str], *, renamed: bool) -> None:
        super().__init__(identifiers)
        self.misshapen = misshapen
        self.renamed = renamed


class _Identifier(NamedTuple):
    written: str  # the name as the publisher wrote it
    name: str
    value: str


def device_id(value: Any) -> str:
    """Return ``kochava_device_id`` without outer blanks; an empty string for one that names nobody (OURS)."""
    text = name_of(value)
    return "" if names_nobody(text) else text


def device_ids(value: Any) -> dict[str, str]:
    """Return the identifiers that name a device, under Kochava's names.

    Left out is what names nobody: null, empty, zeros, placeholders (OURS). A known identifier of another form is
    kept, since identifiers are texts to Kochava, and noted in `NotedIdentifiers`; one that is a digest names a
    device that does not exist and is refused (DOC: raw, never hashed).
    """
    if value is None or value == []:  # PHP prints an empty array so
        return {}
    if not isinstance(value, dict):
        refuse(((), "must be an object"))
    for name, identifier in value.items():
        form = FORMS.get(name)
        if form is None or not isinstance(identifier, str) or not form[0].fullmatch(identifier):
            return _read_each(value)
    return value


def _read_each(value: Mapping[str, Any]) -> dict[str, str]:
    problems: list[Problem] = []
    given: list[_Identifier] = []
    for written, identifier in value.items():
        if identifier is not None and not isinstance(identifier, str):
            problems.append(((written,), "must be a string"))
        elif identifier is not None and not names_nobody(text := identifier.strip()):
            given.append(_Identifier(written, written.strip(), text))
    identifiers: dict[str, str] = {}
    misshapen: dict[str, str] = {}
    names = {identifier.name for identifier in given}
    for written, name, text in given:
        known = name.lower()
        sent_as = known if known in KNOWN and known not in names and known not in identifiers else name
        if wrong := _problem(sent_as, text, identifiers):
            problems.append(((written,), wrong))
        elif odd := _form_problem(sent_as, text):
            misshapen[sent_as] = odd
        identifiers[sent_as] = text
    if problems:
        refuse(*problems)
    renamed = not names >= identifiers.keys()
    return NotedIdentifiers(identifiers, misshapen, renamed=renamed) if renamed or misshapen else identifiers


def _problem(name: str, text: str, others: Mapping[str, str]) -> str | None:
    if not name:
        return "an identifier needs a name"
    if name in others:
        return "is given twice"
    return "looks hashed; send it raw" if _is_digest(name, text) else None


def _is_digest(name: str, text: str) -> bool:
    form = FORMS.get(name)
    if form is None or not _DIGEST.fullmatch(text):
        return False
    return form[0] is not _UUID or not _BARE_UUID.fullmatch(text)


def _form_problem(name: str, text: str) -> str | None:
    form = FORMS.get(name)
    if form is None or form[0].fullmatch(text):
        return None
    doubt = " (this is a UUID without dashes, or hashed)" if _BARE_UUID.fullmatch(text) else ""
    return f"must be {form[1]}{doubt}"


def idfa(value: Any) -> str:
    """Return the IDFA of an update: a UUID that is not all zeros, since there is nothing else to update (PEER)."""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    text = value.strip()
    if names_nobody(text):
        refuse(((), "names no device"))
    if wrong := _problem("idfa", text, {}) or _form_problem("idfa", text):
        refuse(((), wrong))
    return text


def identity_link(value: Any) -> dict[str, str]:
    """Return what the publisher calls a user: names and identities, without those that name nobody.

    A whole number is taken as the text that it is. E-mail addresses are refused: Kochava stores none (OURS).
    """
    if not isinstance(value, dict) and value != []:
        refuse(((), "must be an object"))
    problems: list[Problem] = []
    identities: dict[str, str] = {}
    for name, identity in dict(value).items():
        text = str(identity) if isinstance(identity, int) and not isinstance(identity, bool) else identity
        if text is None or (isinstance(text, str) and names_nobody(text.strip())):
            continue
        if wrong := _identity_problem(name.strip(), text, identities):
            problems.append(((name,), wrong))
        else:
            identities[name.strip()] = text.strip()
    if not identities and not problems:
        problems.append(((), "links nobody"))
    if problems:
        refuse(*problems)
    return identities


def _identity_problem(name: str, identity: Any, others: Mapping[str, str]) -> str | None:
    if not isinstance(identity, str):
        return "must be a string"
    if not name:
        return "an identity needs a name"
    if name in others:
        return "is given twice"
    return "looks like an e-mail address, which Kochava does not store" if _EMAIL.search(identity) else None


def identity_problems(kochava_device_id: str, identifiers: Mapping[str, str]) -> list[Problem]:
    """Return why an event names no device; both arguments as they are sent.

    An identifier of an unknown form is none by itself.
    """
    misshapen = identifiers.misshapen if isinstance(identifiers, NotedIdentifiers) else {}
    if kochava_device_id or len(misshapen) < len(identifiers):
        return []
    if misshapen:
        return [((name,), wrong) for name, wrong in misshapen.items()]
    return [((), "names no device, and kochava_device_id neither")]


def is_digest_name(name: str) -> bool:
    """Tell whether an identifier's name says that its value is hashed, as in ``idfa_sha1``."""
    return name not in KNOWN and _DIGEST_NAME.fullmatch(name) is not None


def is_other_name(name: str) -> bool:
    """Tell whether this is another vendor's name, or another spelling, of an identifier that Kochava knows."""
    return name not in KNOWN and squeezed(name) in _OTHER_NAMES


def is_advertising_id(name: str) -> bool:
    """Tell whether this is the name of an advertising id, by Kochava's or another vendor's name, hashed or not."""
    return _OF_A_DIGEST.sub("", squeezed(name)) in _ADVERTISING_IDS
