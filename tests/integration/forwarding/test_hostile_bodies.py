"""Bodies that want to break the forwarder: each goes to the dead-letter queue with its reason, the others on."""

import json

import pytest

from forwarder_tools.sandbox import Sandbox
from tests.integration.support import NOT_JSON, Forwarder, body, record, within
from tests.integration.support_servers import MAX_BYTES, Aws


def with_data(text: str) -> str:
    """Return a good body with this piece of JSON in its `data`, instead of the key that it starts with."""
    event = json.loads(body(marker="!"))
    event["data"].pop(text.split('"')[1], None)
    return json.dumps(event).replace('"marker": "!"', text)


def deep(depth: int, start: str = "[", end: str = "]") -> str:
    return start * depth + "1" + end * depth


BODIES: dict[str, tuple[str, str]] = {
    "blank": (" ", "body: not JSON"),
    "text": ("hello", "body: not JSON"),
    "cut off": (body()[:-9], "body: not JSON"),
    "two objects": (body() + body(), "body: not JSON"),
    "trailing comma": (with_data('"a": 1,'), "body: not JSON"),
    "single quotes": ("{'action': 'event'}", "body: not JSON"),
    "two byte order marks": ("\ufeff\ufeff" + body(), "body: not JSON"),
    "base64": ("eyJhY3Rpb24iOiAiZXZlbnQifQ==", "body: is base64: publish the JSON text itself"),
    "gzip in base64": ("H4sIAAAAAAACA6tWSkwuyczPU7JSSi1LzStRqgUAGKXT1BIAAAA=", "body: is gzip: publish"),
    "pointer to S3": (
        '["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]',
        "body: is a pointer to S3",
    ),
    "array": (f"[{body()}]", "body: must be a JSON object"),
    "number": ("1", "body: must be a JSON object"),
    "null": ("null", "body: must be a JSON object"),
    "string of JSON": (json.dumps(body()), "body: must be a JSON object"),
    "empty object": ("{}", "data"),
    "data is null": ('{"data": null}', "data"),
    "data is text": ('{"kochava_app_id": "kotest-app-1", "data": "x"}', "data: must be an object"),
    "brackets to the limit": ("[" * MAX_BYTES, "body: nested too deeply"),
    "braces to the limit": ('{"a":' * (MAX_BYTES // 5), "body: nested too deeply"),
    "balanced and deep": (deep(MAX_BYTES // 2 - 1), "body: nested too deeply"),
    "deep in an event": (with_data(f'"x": {deep(200_000)}'), "body: nested too deeply"),
    "less deep": (with_data(f'"x": {deep(5_000)}'), "data.x: "),
    "deep objects": (with_data(f'"event_data": {{"x": {deep(900, '{"a":', "}")}}}'), "data.event_data.x: "),
    "deep at both levels": (
        with_data(f'"usertime": {deep(900)}').replace('{"action"', f'{{"usertime": {deep(900)}, "action"', 1),
        "usertime: ",
    ),
    "lone surrogate": (with_data('"x": "\\ud800"'), "data.x: is not valid Unicode"),
    "lone low surrogate": (
        with_data('"event_data": {"x": "\\udc00 "}'),
        "data.event_data.x: is not valid Unicode",
    ),
    "lone surrogate as a key": (with_data('"\\ud83d": 1'), "data.?: is not valid Unicode"),
    "swapped surrogates": (with_data('"x": "\\ude00\\ud83d"'), "data.x: is not valid Unicode"),
    "a key twice": (with_data('"currency": "USD", "currency": "EUR"'), "data.currency: is given twice"),
    "a key twice, the same": (with_data('"x": 1, "x": 1'), "data.x: is given twice"),
    "an escaped key twice": (with_data('"x": 1, "\\u0078": 2'), "data.x: is given twice"),
    "data twice": (body()[:-1] + ', "data": {}}', "data: is given twice"),
    "NaN": (with_data('"x": NaN'), "data.x: "),
    "infinity": (with_data('"event_data": {"sum": -Infinity}'), "data.event_data.sum: "),
    "overflowing number": (with_data('"event_data": {"sum": 1e999}'), "data.event_data.sum: "),
    "10,000 digits": (with_data(f'"x": {"9" * 10_000}'), "body: a number has too many digits"),
    "4,000 digits": (with_data(f'"x": {"9" * 4_000}'), "data.x: "),
    "10,000 digits in a text": (with_data(f'"usertime": "{"9" * 10_000}"'), "data.usertime: "),
    "10,000 zeros": (with_data(f'"usertime": "{"0" * 10_000}1521574016"'), "data.usertime: "),
    "other digits": (with_data('"usertime": "\uff11\uff15\uff12\uff11"'), "data.usertime: "),
    "year 9999": (with_data('"usertime": "9999-12-31T23:59:59-23:59"'), "data.usertime: "),
    "year 1": (with_data('"usertime": "0001-01-01T00:00:00+23:59"'), "data.usertime: "),
    "a megabyte of one key": (f'{{"{"k" * (MAX_BYTES - 10)}":1}}', "?: is not a known key"),
    "a user agent without end": (with_data(f'"device_ua": "{"%25" * 300_000}"'), "data.device_ua: "),
    "an address with words": (with_data('"origination_ip": "fe80::1%SELECT"'), "data.origination_ip: "),
    "an address without end": (with_data(f'"origination_ip": "{":" * 900_000}"'), "data.origination_ip: "),
}


@pytest.mark.parametrize(("text", "detail"), BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_dead_lettered_with_its_reason(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, text: str, detail: str
) -> None:
    with within(3):
        assert forwarder.invoke(record(body("a")), record(text), record(body("b"))) == set()
    assert sorted(str(one.device) for one in sandbox.received) == ["a", "b"]
    ((kept, attributes),) = aws.letters_by_body().items()
    assert kept == text
    assert forwarder.outcomes == {"delivered": 2, "invalid": 1}
    if attributes:
        assert attributes["reason"] == "invalid"
        assert detail in attributes["detail"]
    else:
        assert len(text.encode()) > MAX_BYTES - 300, "only a body near the limit leaves no room to say why"


@pytest.mark.parametrize(
    "text",
    [
        "{" + ",".join(f'"a{number // 2}":1' for number in range(20_000)) + "}",
        '{"data":{' + ",".join(f'"a{number // 2}":1' for number in range(20_000)) + "}}",
        "{" + ",".join(['"a":1'] * (MAX_BYTES // 6 - 1)) + "}",
        with_data(",".join(f'"x{number}":[]' for number in range(30_000))),
        with_data('"device_ids":{' + ",".join(f'"x{number}":1' for number in range(30_000)) + "}"),
        with_data('"event_data":{' + ",".join(f'"x{number}":{{}}' for number in range(30_000)) + "}"),
        '{"data":{"x":[' + ",".join(["{}"] * 300_000) + "]}}",
    ],
    ids=[
        "repeated keys",
        "repeated keys inside",
        "one key over and over",
        "arrays",
        "identifiers",
        "parameters",
        "objects",
    ],
)
def test_a_body_made_of_thousands_of_mistakes_costs_little(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, text: str
) -> None:
    assert len(text) <= MAX_BYTES
    with within(3):
        assert forwarder.invoke(record(body("a")), record(text), record(body("b"))) == set()
    assert len(sandbox.received) == 2
    assert aws.letters_by_body().keys() == {text}


def test_a_reason_of_a_megabyte_does_not_flood_the_log(forwarder: Forwarder) -> None:
    text = with_data('"event_data":{' + ",".join(f'"x{number}":{{}}' for number in range(30_000)) + "}")
    assert forwarder.invoke(record(text, "one")) == set()
    assert len(forwarder.log_of("one")["detail"]) < 64 * 1024


@pytest.mark.parametrize("text", ["", "\ud800", body("x").replace("x", "\ud800"), "\x00", "\ufffe"], ids=ascii)
def test_a_body_that_sqs_would_never_take_stays_in_the_queue_and_harms_nobody(
    forwarder: Forwarder, sandbox: Sandbox, aws: Aws, text: str
) -> None:
    poison = [record(f"{NOT_JSON} {number}") for number in range(2)]
    assert forwarder.invoke(poison[0], record(body("a")), record(text, "odd"), record(body("b")), poison[1]) == {
        "odd"
    }
    assert sorted(str(one.device) for one in sandbox.received) == ["a", "b"]
    assert aws.letters_by_body().keys() == {one["body"] for one in poison}, "though they come with the odd one"
    assert forwarder.outcomes == {"delivered": 2, "invalid": 2, "misconfigured": 1}


@pytest.mark.parametrize(
    "text",
    [
        with_data('"event_data": {"sum": 1.5e-7, "name": "\\ud83d\\ude00 \\u2028 </script> \\u0000"}'),
        with_data('"x": "\\ufffe \\uffff"'),
        with_data('"x": ' + json.dumps('é/"\\' * 90_000, ensure_ascii=False)),
        with_data('"event_data": {' + ", ".join(f'"p{number}": "x"' for number in range(20_000)) + "}"),
    ],
    ids=["escapes", "noncharacters", "a long text", "many parameters"],
)
def test_an_odd_body_that_keeps_the_contract_arrives_as_it_was(
    forwarder: Forwarder, sandbox: Sandbox, text: str
) -> None:
    with within(3):
        assert forwarder.invoke(record(text)) == set()
    (received,) = sandbox.received
    published = json.loads(text)["data"]
    assert received.problems == ()
    assert received.body.isascii()
    assert {name: received.data[name] for name in published if name != "device_ua"} == {
        name: value for name, value in published.items() if name != "device_ua"
    }
