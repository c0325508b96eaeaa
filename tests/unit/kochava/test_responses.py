"""What an answer of Kochava's means: the table of docs/kochava-api.md section 8, written here a second time."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kochava_forwarder.http.response import Response
from kochava_forwarder.kochava.responses import says_success, seconds_to_wait, verdict_for
from kochava_forwarder.policy.outcomes import Outcome, Verdict
from tests.unit.strategies import examples

PAYLOAD = b'{"action":"event","data":{"event_name":"Skiing","device_ids":{"custom":"alice-in-kent"}}}'
SUCCESS = b'{"success":"1"}'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def expected(status: int, *, retry_after: bool = False) -> Outcome:  # noqa: PLR0911 - a table
    match status:
        case 429:
            return Outcome.THROTTLED
        case 501 | 505:
            return Outcome.REJECTED
        case 401 | 403 | 404 | 407:
            return Outcome.MISCONFIGURED
        case 408 | 425:
            return Outcome.THROTTLED if retry_after else Outcome.UNAVAILABLE
        case _ if 300 <= status <= 399:
            return Outcome.MISCONFIGURED
        case _ if 400 <= status <= 499:
            return Outcome.REJECTED
        case _ if 500 <= status <= 599:
            return Outcome.THROTTLED if retry_after else Outcome.UNAVAILABLE
        case _:
            return Outcome.UNCONFIRMED


NOT_ACCEPTED = [status for status in range(100, 1000) if not 200 <= status <= 299]


@pytest.mark.parametrize("body", [SUCCESS, b"", b"<html>"], ids=["success", "empty", "text"])
def test_every_other_status_has_its_outcome_whatever_the_body_says(body: bytes) -> None:
    for status in NOT_ACCEPTED:
        verdict = verdict_for(Response(status, body), PAYLOAD, NOW)
        assert (verdict.outcome, verdict.retry_after) == (expected(status), None), status


def test_kochava_may_ask_to_wait_where_trying_again_makes_sense() -> None:
    for status in NOT_ACCEPTED:
        verdict = verdict_for(Response(status, b"", "7"), PAYLOAD, NOW)
        outcome = expected(status, retry_after=True)
        assert verdict.outcome is outcome, status
        assert verdict.retry_after == (7.0 if outcome is Outcome.THROTTLED else None), status


@pytest.mark.parametrize("status", range(200, 300))
def test_only_the_body_says_success(status: int) -> None:
    assert verdict_for(Response(status, SUCCESS), PAYLOAD, NOW) == Verdict(Outcome.DELIVERED)
    assert verdict_for(Response(status, b"{}"), PAYLOAD, NOW).outcome is Outcome.UNCONFIRMED
    assert verdict_for(Response(status, b"{}", "7"), PAYLOAD, NOW).retry_after is None
    assert verdict_for(Response(status, b'{"succ', complete=False), PAYLOAD, NOW).outcome is Outcome.AMBIGUOUS


@pytest.mark.parametrize("body", [SUCCESS, b'{"success": "1", "id": 5}\n'])
def test_a_success_that_is_whole_counts_even_if_the_body_is_not(body: bytes) -> None:
    assert verdict_for(Response(200, body, complete=False), PAYLOAD, NOW) == Verdict(Outcome.DELIVERED)


@pytest.mark.parametrize(
    "body", [SUCCESS[:-1], b'{"success":"0"}', b""], ids=["success cut", "no success", "nothing"]
)
def test_a_body_that_was_cut_before_it_says_success_is_ambiguous(body: bytes) -> None:
    assert verdict_for(Response(200, body, complete=False), PAYLOAD, NOW).outcome is Outcome.AMBIGUOUS


@pytest.mark.parametrize(
    "body",
    [
        b'{"success":"1"}',
        b'{"success":1}',
        b'{"success":true}',
        b' {"error": null,\n"success" : "1", "id": 5}\n',
        b'{"success":"1","name":"\xc3\xa9"}',
    ],
)
def test_these_bodies_say_success(body: bytes) -> None:
    assert says_success(body)
    assert verdict_for(Response(200, body), PAYLOAD, NOW) == Verdict(Outcome.DELIVERED)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"1",
        b"true",
        b'"1"',
        b"OK",
        b'[{"success":"1"}]',
        b"{}",
        b'{"success":"0"}',
        b'{"success":0}',
        b'{"success":2}',
        b'{"success":false}',
        b'{"success":null}',
        b'{"success":"true"}',
        b'{"success":"ok"}',
        b'{"success":"01"}',
        b'{"success":["1"]}',
        b'{"success":{"1":1}}',
        b'{"Success":"1"}',
        b'{"data":{"success":"1"}}',
        b'{"success":"1"',
        b'{"success":"1"}}',
        b'{"success":"1"}{"success":"1"}',
        b'<html>{"success":"1"}</html>',
        b'{"success":"1","x":"\xff"}',
        b"[" * 10**6,
        b'{"success":' + b"1" * 10_000 + b"}",
        b"\x00\x00\x00",
    ],
    ids=lambda body: repr(body[:40]),
)
def test_these_bodies_do_not(body: bytes) -> None:
    assert not says_success(body)
    assert verdict_for(Response(200, body), PAYLOAD, NOW).outcome is Outcome.UNCONFIRMED


@examples(200)
@given(st.builds(Response, st.integers(100, 999), st.binary(), st.none() | st.text(), st.booleans()))
def test_any_answer_has_a_verdict(answer: Response) -> None:
    verdict = verdict_for(answer, PAYLOAD, NOW)
    assert isinstance(verdict, Verdict)
    assert len(verdict.detail.encode()) <= 1024


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (Response(400, b'{"error":"no such app"}'), 'HTTP 400: {"error":"no such app"}'),
        (Response(503, b""), "HTTP 503, empty body"),
        (Response(500, b"Alice in Kent, 203.0.113.7: \x00\xff\n bad skiing"), "HTTP 500: * * *, *.0.*.7: bad *"),
        (Response(200, b""), "no success in the answer: HTTP 200, empty body"),
        (Response(200, b'{"success":"0"}'), 'no success in the answer: HTTP 200: {"success":"0"}'),
        (Response(200, b"", complete=False), "HTTP 200, but the answer was cut short"),
    ],
)
def test_the_detail_names_the_status_and_quotes_the_body_without_the_records_words(
    answer: Response, detail: str
) -> None:
    assert verdict_for(answer, PAYLOAD, NOW).detail == detail


# --- Retry-After --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("007", 7),
        ("9" * 400, float("inf")),
        ("9" * 10_000, float("inf")),
        ("Thu, 01 Jan 2026 00:01:30 GMT", 90),
        ("Thursday, 01-Jan-26 00:01:30 GMT", 90),
        ("Thu Jan  1 00:01:30 2026", 90),
        ("Thu, 01 Jan 2026 01:01:30 +0100", 90),
        ("Wed, 31 Dec 2025 23:59:59 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251_635_075_199),
    ],
    ids=lambda value: str(value)[:40],
)
def test_retry_after_is_read(text: str, seconds: float) -> None:
    assert seconds_to_wait(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "7 seconds",
        "0x10",
        "\u0667",
        "Thu, 32 Jan 2026 00:00:00 GMT",
        "Thu, 01 Jan 10000 00:00:00 GMT",
        f"Thu, 01 Jan {'9' * 400} 00:00:00 GMT",
        f"Thu, 01 Jan {'9' * 10_000} 00:00:00 GMT",
        f"Thu, 01 Jan 2026 00:00:00 +{'9' * 30}",
        "2026-01-01T00:00:00Z",
        "\x00",
    ],
    ids=lambda text: repr(text[:40]),
)
def test_what_is_no_retry_after_is_passed_over(text: str) -> None:
    assert seconds_to_wait(text, NOW) is None
    verdict = verdict_for(Response(503, b"", text), PAYLOAD, NOW)
    assert (verdict.outcome, verdict.retry_after) == (Outcome.THROTTLED, None)


@examples(200)
@given(st.integers(0, 10**9), st.integers(-23, 23))
def test_dates_count_from_now_in_any_zone(seconds: int, hours: int) -> None:
    moment = (NOW + timedelta(seconds=seconds)).astimezone(timezone(timedelta(hours=hours)))
    assert seconds_to_wait(format_datetime(moment), NOW) == seconds


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
def test_a_date_without_a_zone_is_not_in_the_machines_own() -> None:
    assert seconds_to_wait("Thu, 01 Jan 2026 00:01:00 -0000", NOW) == 60


DATES = st.from_regex(
    r"\A[A-Z][a-z]{2}, [0-9]{1,3} (Jan|Dec|Foo) [0-9]{1,30} [0-9:]{0,9} ?[+A-Z-]{0,3}[0-9]{0,30}\Z"
)


@examples(300)
@given(st.text() | DATES)
def test_any_text_is_a_number_of_seconds_or_nothing(text: str) -> None:
    seconds = seconds_to_wait(text, NOW)
    assert seconds is None or seconds >= 0


def test_a_date_is_compared_with_the_clock() -> None:
    tomorrow = format_datetime(NOW + timedelta(days=1), usegmt=True)
    wait = verdict_for(Response(429, b"", tomorrow), PAYLOAD, NOW).retry_after
    assert wait == 86_400


def test_a_body_of_any_size_is_quoted_briefly() -> None:
    body = json.dumps({"error": "no " * 10**6}).encode()
    assert len(verdict_for(Response(400, body), PAYLOAD, NOW).detail) < 400
