"""The schema and the function say the same of single values, and of what belongs together."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.strategies import FULL, GONE, INSTALL, LINK, MINIMAL, UPDATE, Event, changed, examples
from tests.unit.tools.schema.verdicts import check, flattened, refusal

TIMES = [
    *(
        "2018-03-20T19:26:56Z",
        "2018-03-20 20:26:56 +0100",
        "20180320T192656Z",
        "2018-W12-2T19:26+01",
        "2100-01-01T00:30+01:00",
    ),
    *(
        "Tue, 20 Mar 2018 19:26:56 GMT",
        "20 Mar 2018 19:26:56 -0000",
        "2000-12-31T20:00:00-05:00",
        "1521574016.25",
        "1.5e9",
    ),
    *(
        "978307199.9999999999",
        "2025-10-09 08:53:20 +0000 UTC m=+0.5",
        "2025-10-09T08:53:20Z[Europe/Berlin]",
        "1521574016000",
    ),
]
ADDRESSES = [
    "203.0.113.7",
    "203.0.113.7:80",
    "[2001:db8::1]:443",
    "::",
    "::ffff:0:0",
    "1:2:3:4:5:6:7::",
    "::1.2.3.4",
    "(null)",
]
CURRENCIES = ["USD", " eur", "XXX", "SSP", "stn", "HRK", ""]
PLACEHOLDERS = [
    "null",
    "(null)",
    "0000-0",
    "02:00:00:00:00:00",
    "${IDFA}",
    "[object Object]",
    "not set",
    "n/a",
    "unknown",
    "un\u212anown",
    "n\u0131l",
    "not \u017fet",
]
NUMBERS = ["1.50", "-0", "1e5", " 10 ", "-1.5E-3"]
SHA_1 = "a9993e364706816aba3e25717850c26c9cd0d89d"
IDENTIFIERS = [
    "07F5A855-1375-4E51-9F15-0EFD4E5C84F4",
    "9774d56d682e549c",
    "900150983cd24fb0d6963f7d28e17f72",
    "3569",
]


@st.composite
def slips(draw: st.DrawFn, texts: list[str], letters: str) -> str:
    """Texts with up to three characters added, replaced or dropped."""
    text = draw(st.sampled_from(texts))
    for _ in range(draw(st.integers(0, 3))):
        at, letter = draw(st.integers(0, len(text))), draw(st.sampled_from(["", *letters]))
        text = text[:at] + letter + text[at + draw(st.integers(0, 1)) :]
    return text


@pytest.mark.parametrize(
    ("path", "texts", "letters", "event"),
    [
        ("data.usertime", TIMES, "0123456789TZz:+-.,W eE\n\x85", FULL),
        ("data.app_tracking_transparency.att_time", TIMES, "0189Z:+-. ", FULL),
        ("data.origination_ip", ADDRESSES, "0129afF:[]. ", FULL),
        ("data.currency", CURRENCIES, "uUsSdDtTnN \x85\u017f\u0131\xdf\ufb06", MINIMAL),
        ("kochava_app_id", [*PLACEHOLDERS, "ko-1"], "nul0-<>{}() \n\u212a\u0130", FULL),
        ("data.device_ids", PLACEHOLDERS, "nul0-<>{}() \n\u212a\u0130\u017f", MINIMAL),
        ("data.idfa", IDENTIFIERS, "0aG- ", UPDATE),
        ("data.event_data.price", NUMBERS, "01-.eE+ \n", FULL),
        ("data.app_tracking_transparency.att_duration", NUMBERS, "01-.eE+ \n", FULL),
        ("data.app_tracking_transparency.att_detail", ["not_determined", "Denied"], "nND_- \x85", FULL),
        ("data.app_tracking_transparency.att", ["true", "FALSE", "1"], "trueF01 ", FULL),
        ("data.identity_link", ["a@b.example", "a%40b.co", "<a@b.c>", "0"], "a@%40.b <>\xe9", LINK),
        ("data.conversion_data", ['{"a": 1}', "[]", " {}"], '{}[]": \n', INSTALL),
    ],
    ids=lambda value: value if isinstance(value, str) and "." in value else "",
)
@given(data=st.data())
@examples(100)
def test_a_text_with_slips_has_one_verdict(
    path: str, texts: list[str], letters: str, event: Event, data: st.DataObject
) -> None:
    value = data.draw(slips(texts, letters))
    others = data.draw(st.sampled_from([{}, {"other": "u-1"}]))
    inner = {"data.device_ids": {"imei": value} | others, "data.identity_link": {"user": value} | others}
    text = json.dumps(changed({path: inner.get(path, value)}, event))
    check(text, refusal(text))


# --- each identifier, alone ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["idfa", " adid", "android_id", "imei", "custom", " "])
@pytest.mark.parametrize("event", [MINIMAL, INSTALL, LINK], ids=["event", "install", "identityLink"])
def test_an_identifier_has_one_verdict(event: Event, name: str) -> None:
    for device_id in ("", "null", "KD1"):
        for value in (*IDENTIFIERS, *PLACEHOLDERS, SHA_1, "0", None, 7):
            body = changed({"kochava_device_id": device_id, "data.device_ids": {name: value}}, event)
            for text in (json.dumps(body), json.dumps(flattened(body))):
                check(text, refusal(text))


CONSENT = {
    f"{applies} {tc_string} {flag} {address}": changed(
        {
            "data.origination_ip": address,
            "data.gdpr_privacy_consent": {"gdpr_applies": applies, "tc_string": tc_string, "ad_user_data": flag}
            | ({} if flag is GONE else {"ad_personalization": 1}),
        }
    )
    for applies in (1, "", None, "yes")
    for tc_string in ("t", " ", None)
    for flag in (0, "", None)
    for address in ("203.0.113.7", "0.0.0.0", None)  # noqa: S104 - nobody's address
}


@pytest.mark.parametrize("flat", [(), ("origination_ip",), ("gdpr_privacy_consent",)], ids=str)
@pytest.mark.parametrize("event", CONSENT.values(), ids=list(CONSENT))
def test_a_consent_has_one_verdict(event: Event, flat: tuple[str, ...]) -> None:
    body = copy.deepcopy(event)
    body |= {name: body["data"].pop(name) for name in flat}
    check(json.dumps(body), refusal(json.dumps(body)))
