"""The currency of an event: one ISO 4217 code, which Kochava reads in two places. Pure."""

from typing import Any

from pydantic_core import PydanticCustomError

from kochava_forwarder.contract.placeholders import is_unfilled
from kochava_forwarder.contract.problems import Problem, refuse

# ISO 4217 list one, as SIX published it on 2026-01-01.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD
HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN
PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD
XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG
"""
ISO_4217 = frozenset(_CODES.split())
# ISO 4217 list three: withdrawn within ten years of that date. Old systems and late events still name them (OURS).
WITHDRAWN = frozenset(["ANG", "BGN", "BYR", "CUC", "HRK", "MRO", "SLL", "STD", "VEF", "ZWL"])
NO_CURRENCY = frozenset({"XTS", "XXX"})  # ISO 4217's codes for a test and for "no currency"
_KNOWN = ISO_4217 | WITHDRAWN


def code(value: Any) -> str | None:
    """Return an ISO 4217 code in upper case; None for null and a text that was never filled in."""
    if value is None:
        return None
    if not isinstance(value, str):
        refuse(((), "must be a three-letter ISO 4217 code"))
    text = value.strip()
    if is_unfilled(text):
        return None
    if text.upper() not in _KNOWN:
        refuse(((), "must be a three-letter ISO 4217 code"))
    return text.upper()


def settle(data: dict[str, Any]) -> list[Problem]:
    """Bring the currency of ``data`` and of ``event_data`` to one code in both places, and return the problems.

    Kochava's pages name the one, and its standard events read the other (DOC, OURS). Where ``event_data`` has
    nothing else, there is no amount that a currency could be of.
    """
    parameters = data.get("event_data")
    places = [data, parameters] if isinstance(parameters, dict) else [data]
    given = [place.get("currency") for place in places]
    if isinstance(given[0], str) and given[0] in _KNOWN and given.count(given[0]) == len(places):
        return []
    problems: list[Problem] = []
    codes: list[str | None] = []
    for place, path, value in zip(places, (("data",), ("data", "event_data")), given, strict=False):
        place.pop("currency", None)
        try:
            known = code(value)
        except PydanticCustomError:
            problems.append(((*path, "currency"), "must be a three-letter ISO 4217 code"))
            known = None
        codes.append(known)
    named = {known for known in codes if known}
    if len(named) > 1:
        problems.append((("data", "currency"), "differs from data.event_data.currency"))
    elif named:
        for place, known in zip(places, codes, strict=True):
            if place or known:
                place["currency"] = next(iter(named))
    return problems
