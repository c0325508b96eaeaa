"""The schema and the function say the same of a body, but for the documented differences."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from forwarder_tools.processes import ROOT
from forwarder_tools.samples import expectations, sample_paths
from forwarder_tools.schema.differences import DIFFERENCES, Difference
from kochava_forwarder.contract.models import SHAPES
from kochava_forwarder.contract.problems import InvalidEventError, Problem
from tests.unit.strategies import (
    FULL,
    GONE,
    INSTALL,
    LINK,
    MINIMAL,
    UPDATE,
    Event,
    changed,
    examples,
    nearly_valid,
    read,
)
from tests.unit.tools.schema.explained import EXPLANATIONS, unexplained

VALIDATOR = Draft202012Validator(json.loads((ROOT / "events" / "schema.json").read_text()))
SENDERS = json.loads((ROOT / "tests/unit/contract/cases/bodies.json").read_text())


def refusal(body: str, *, default_app_id: str | None = None) -> tuple[Problem, ...] | None:
    """Returns what the function says is wrong with a body, or None for one that it takes."""
    try:
        read(body, default_app_id=default_app_id)
    except InvalidEventError as refused:
        return refused.problems
    return None


def check(text: str, problems: tuple[Problem, ...] | None) -> None:
    """Checks that the schema says of a body what the function said, or may differ."""
    body = json.loads(text)
    if problems is None:
        assert next(VALIDATOR.iter_errors(body), None) is None, "the schema refuses what the function takes"
    elif VALIDATOR.is_valid(body):
        assert unexplained(body, problems) == [], "the schema takes what the function refuses"


# --- samples and senders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sample_paths(), ids=lambda path: path.stem)
def test_a_sample_is_valid_exactly_when_it_is_not_expected_to_be_invalid(path: Path) -> None:
    for record, expected in zip(json.loads(path.read_text())["Records"], expectations()[path.name], strict=True):
        try:
            body = json.loads(record["body"])
        except ValueError:
            assert expected.outcome == "invalid"
            continue
        problems = refusal(record["body"])
        if expected.outcome == "invalid" and VALIDATOR.is_valid(body):
            assert problems is not None
            assert unexplained(body, problems) == []
        else:
            assert VALIDATOR.is_valid(body) == (expected.outcome != "invalid")


def test_only_three_samples_are_invalid_for_what_a_schema_cannot_say() -> None:
    taken = set()
    for path in sample_paths():
        for record, expected in zip(
            json.loads(path.read_text())["Records"], expectations()[path.name], strict=True
        ):
            if expected.outcome == "invalid" and "not-json" not in path.stem and "mixed" not in path.stem:
                taken |= {path.stem} if VALIDATOR.is_valid(json.loads(record["body"])) else set()

    assert taken == {"invalid-conflicting-values", "invalid-duplicate-keys", "invalid-nan"}


@pytest.mark.parametrize("case", SENDERS, ids=lambda case: case["id"])
def test_a_senders_body_has_one_verdict(case: dict[str, Any]) -> None:
    check(case["body"].removeprefix("\ufeff"), refusal(case["body"]))


# --- a corpus of nearly valid bodies ------------------------------------------------------------------------


def flattened(event: Event) -> Event:
    """Returns a body with the fields of `data` that may stand beside it beside it, unless they do already."""
    data, action = event.get("data"), event.get("action", "event")
    if not isinstance(data, dict) or not isinstance(action, str) or action not in SHAPES:
        return event
    flat = {name: value for name, value in data.items() if name in SHAPES[action].flat and name not in event}
    inner = {name: value for name, value in data.items() if name not in flat}
    kept = {name: value for name, value in event.items() if name != "data"}
    return kept | flat | ({"data": inner} if inner else {})


@given(event=nearly_valid(), flat=st.booleans())
@examples(2000)
def test_a_nearly_valid_body_has_one_verdict(event: Event, flat: bool) -> None:
    text = json.dumps(flattened(event) if flat else event)
    check(text, refusal(text, default_app_id="kodefault"))


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


# --- what a schema cannot say -------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_documented_difference_is_one(difference: Difference) -> None:
    body, problems = json.loads(difference.body), refusal(difference.body)

    assert problems
    assert VALIDATOR.is_valid(body)
    assert all(EXPLANATIONS[difference.name](body, problem) for problem in problems)


def test_every_difference_is_documented_and_explained() -> None:
    assert [difference.name for difference in DIFFERENCES] == list(EXPLANATIONS)


def test_the_schema_is_of_what_is_inside_an_envelope() -> None:
    envelope = {
        "version": "0",
        "id": "1",
        "source": "app",
        "account": "123456789012",
        "time": "2025-10-09T08:53:20Z",
        "region": "us-east-1",
        "resources": [],
        "detail-type": "event",
        "detail": MINIMAL,
    }

    assert refusal(json.dumps(envelope)) is None
    assert not VALIDATOR.is_valid(envelope)
    assert VALIDATOR.is_valid(envelope["detail"])
