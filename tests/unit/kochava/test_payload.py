"""The bytes that Kochava gets."""

import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forwarder_tools.sandbox import Contract
from kochava_forwarder.contract.problems import InvalidEventError
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent
from kochava_forwarder.kochava.payload import encode_payload
from tests.unit.strategies import FULL, HEADERS, MINIMAL, USER_AGENTS, changed, examples, nearly_valid, read

PERCENT, RAW = DeviceUaEncoding.PERCENT, DeviceUaEncoding.RAW
ENCODINGS = st.sampled_from(DeviceUaEncoding)

# The known answer of kochava-api.md section 7, whose event_data has no currency yet: that one is ours.
SIGNED = (
    rb'{"action":"event","kochava_app_id":"kotest-app-1","kochava_device_id":"KD0001","data":{"usertime":1521574016,'
    rb'"device_ua":"Mozilla\/5.0","origination_ip":"203.0.113.7","device_ver":"",'
    rb'"device_ids":{"idfa":"07F5A855-1375-4E51-9F15-0EFD4E5C84F4"},"event_name":"Purchase","currency":"USD",'
    rb'"event_data":{"price":9.99}}}'
)
SENT = SIGNED.replace(b"9.99", b'9.99,"currency":"USD"')


def payload(event: object, encoding: DeviceUaEncoding = RAW) -> bytes:
    return encode_payload(read(json.dumps(event)), encoding)


# --- the form -----------------------------------------------------------------------------------------------


def test_the_known_answer_is_sent_as_it_is_but_for_the_second_currency() -> None:
    assert len(SIGNED) == 314
    assert encode_payload(read(SIGNED.decode()), RAW) == SENT
    assert encode_payload(read(SENT.decode()), RAW) == SENT


def test_the_known_answer_is_sent_whatever_the_form_and_order_it_was_published_in() -> None:
    tree = json.loads(SIGNED)
    data = tree.pop("data")
    inside = {name: data.pop(name) for name in ("event_data", "event_name")}
    assert payload(dict(sorted((data | tree).items(), reverse=True)) | {"data": inside}) == SENT


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a/b", rb"a\/b"),
        ("</script>", rb"<\/script>"),
        ("été", rb"\u00e9t\u00e9"),
        ("\U0001f3bf", rb"\ud83c\udfbf"),
        ('"\\', rb"\"\\"),
        ("\\/", rb"\\\/"),
        ("\b\f\n\r\t\x00", rb"\b\f\n\r\t\u0000"),
        ("\u2028", rb"\u2028"),
        ("'&", rb"'&"),
    ],
)
def test_text_is_printed_as_php_prints_it(text: str, printed: bytes) -> None:
    assert b'"event_name":"name' + printed + b'."' in payload(changed({"data.event_name": f"name{text}."}))


def test_numbers_and_constants_are_printed_as_they_came() -> None:
    parameters = {"a": 1, "b": 0.1, "c": True, "d": None, "e": -5, "f": 150.0, "g": 10**30, "h": 1e22}
    printed = b'{"a":1,"b":0.1,"c":true,"d":null,"e":-5,"f":150.0,"g":1' + 30 * b"0" + b',"h":1e+22}'
    assert b'"event_data":' + printed in payload(changed({"data.event_data": parameters}))


def test_there_are_four_keys_at_the_top() -> None:
    assert list(json.loads(payload(FULL))) == ["action", "kochava_app_id", "kochava_device_id", "data"]


@pytest.mark.parametrize("encoding", DeviceUaEncoding)
def test_the_setting_decides_about_the_user_agent(encoding: DeviceUaEncoding) -> None:
    expected = {PERCENT: "Mozilla%2F5.0%20%28Fake%29", RAW: "Mozilla/5.0 (Fake)"}
    assert json.loads(payload(MINIMAL, encoding))["data"]["device_ua"] == expected[encoding]


# --- user agents --------------------------------------------------------------------------------------------

MOZILLA = "Mozilla/5.0 (Linux; Android 14; Pixel 8) Fake/1.0+2"
CFNETWORK = "My%20App/1 CFNetwork/1.0 Darwin/23.0.0"  # what iOS sends for an app named "My App"


@pytest.mark.parametrize("raw", [MOZILLA, CFNETWORK, "été 1", "okhttp/4.9", "100% +1 x", ""])
@pytest.mark.parametrize(
    "publish",
    [
        pytest.param(lambda raw: raw, id="raw"),
        pytest.param(lambda raw: quote(raw, safe=""), id="encoded"),
        pytest.param(lambda raw: quote(raw, safe="").lower(), id="encoded in lower case"),
        pytest.param(lambda raw: quote(raw, safe="/;,?:@&=+$-_.!~*'()#"), id="encoded as encodeURI does"),
        pytest.param(lambda raw: quote(quote(raw, safe=""), safe=""), id="encoded twice"),
        pytest.param(lambda raw: quote(quote(quote(raw, safe=""), safe=""), safe=""), id="encoded three times"),
        pytest.param(quote_plus, id="encoded with + for spaces"),
        pytest.param(lambda raw: quote_plus(quote_plus(raw)), id="encoded twice with + for spaces"),
    ],
)
def test_a_user_agent_is_encoded_once_however_it_was_published(raw: str, publish: Callable[[str], str]) -> None:
    published = publish(raw)
    lower = published.lower() == published
    for encoding, expected in ((PERCENT, quote(raw, safe="")), (RAW, raw)):
        result = encode_user_agent(published, encoding)
        assert (result.lower() if lower else result) == (expected.lower() if lower else expected)


@pytest.mark.parametrize(
    ("published", "percent", "raw"),
    [
        ("a+b", "a%2Bb", "a+b"),  # nothing says that it was encoded
        ("a+b%2Fc", "a%20b%2Fc", "a b/c"),  # HTML forms and PHP's urlencode() write spaces so
        ("a+b%20c", "a%2Bb%20c", "a+b c"),  # what escapes spaces has no other way to write them
        ("HTC+HD2", "HTC%2BHD2", "HTC+HD2"),  # a documented limit: not to be told from a plus
        ("Mozilla/5.0+(X;+Y)", "Mozilla%2F5.0%20%28X%3B%20Y%29", "Mozilla/5.0 (X; Y)"),  # as IIS logs it
        ("Mozilla%2F5.0+(X;+Y)", "Mozilla%2F5.0%20%28X%3B%20Y%29", "Mozilla/5.0 (X; Y)"),
        ("Fake/1+(X)+Y/2", "Fake%2F1%20%28X%29%20Y%2F2", "Fake/1 (X) Y/2"),
        ("(X)+Y", "%28X%29%20Y", "(X) Y"),
        ("X;+Y", "X%3B%20Y", "X; Y"),
        ("Fake/1 (X;+Y)", "Fake%2F1%20%28X%3B%2BY%29", "Fake/1 (X;+Y)"),  # it has blanks of its own
        ("Fake/1.0+2", "Fake%2F1.0%2B2", "Fake/1.0+2"),
        ("100%", "100%25", "100%"),
        ("%zz%2", "%25zz%252", "%zz%2"),
        ("%FF%41", "%FFA", "\u00ffA"),  # not UTF-8
        ("x" * 8192, "x" * 8192, "x" * 8192),
    ],
    ids=lambda value: value[:20],
)
def test_user_agents_of_odd_forms(published: str, percent: str, raw: str) -> None:
    assert encode_user_agent(published, PERCENT) == percent
    assert encode_user_agent(published, RAW) == raw


@examples(250)
@given(USER_AGENTS, ENCODINGS)
def test_encoding_a_user_agent_twice_is_encoding_it_once(user_agent: str, encoding: DeviceUaEncoding) -> None:
    once = encode_user_agent(user_agent, encoding)
    assert encode_user_agent(once, encoding) == once


@examples(300)
@given(USER_AGENTS)
def test_the_setting_loses_nothing(user_agent: str) -> None:
    percent = encode_user_agent(user_agent, PERCENT)
    assert re.fullmatch(r"(?:[A-Za-z0-9_.~-]|%[0-9A-F]{2})*", percent)
    assert encode_user_agent(percent, RAW) == encode_user_agent(user_agent, RAW)


@pytest.mark.parametrize(
    "nothing",
    [None, "", " ", "null", "Undefined", "(null)", "%28null%29", "unknown", "-", "<ua>", "{user_agent}", "0"],
)
def test_a_user_agent_that_was_never_filled_in_is_empty(nothing: str | None) -> None:
    for encoding in DeviceUaEncoding:
        assert json.loads(payload(changed({"data.device_ua": nothing}), encoding))["data"]["device_ua"] == ""


# --- laws ---------------------------------------------------------------------------------------------------


EVENTS = nearly_valid(mistakes=2).map(json.dumps)


def printed(body: str, encoding: DeviceUaEncoding) -> bytes | None:
    """Returns what is sent for a body, if it is accepted."""
    try:
        return encode_payload(read(body), encoding)
    except InvalidEventError:
        return None


@examples(400)
@given(EVENTS, ENCODINGS)
def test_what_is_accepted_passes_an_independent_check(body: str, encoding: DeviceUaEncoding) -> None:
    payload = printed(body, encoding)
    assert payload is None or Contract(encoding.value).read(HEADERS, payload)[1] == ()


@examples(400)
@given(EVENTS, ENCODINGS)
def test_what_is_sent_would_be_accepted_and_sent_again_the_same(body: str, encoding: DeviceUaEncoding) -> None:
    payload = printed(body, encoding)
    assert payload is None or printed(payload.decode("ascii"), encoding) == payload
