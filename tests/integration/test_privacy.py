"""Nothing personal is printed, counted or written beside a dead letter, however Kochava or a bug repeats it."""

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from forwarder_tools.sandbox import Fault, Sandbox
from forwarder_tools.sandbox.answers import Answer
from kochava_forwarder.forwarding import delivery
from kochava_forwarder.kochava.payload import encode_payload
from tests.integration.support import FIFO, Forwarder, Json, Start, body, record
from tests.integration.support_servers import Aws, RawServer, read_request

DATA: Json = {
    "device_ids": {
        "idfa": "DEADBEEF-CAFE-4BAD-8F00-BAADF00DFEED",
        "imei": "490154203237518",
        "custom": "customer-Kowalczyk",
    },
    "device_ua": "Lexiphone/77.5 (Quarkus; Zyx/OS)",
    "origination_ip": "198.51.100.234",
    "event_name": "Xylophone bought",
    "event_data": {
        "user_name": "Margarethe Müller-Øster",
        "uri": "https://shop.test/basket?owner=Wolfeschlegel",
        "sum": 86753099.25,
        "quantity": 424242424,
        "note": "Größenwahn 東京",
    },
    "gdpr_privacy_consent": {"gdpr_applies": 1, "tc_string": "CPqZYXWvuTSR" * 90},
}
DEVICE = "KDsecretdevice"
# Pieces, each enough to tell something of somebody; looked for whatever the case.
PRIVATE = [
    *(
        "DEADBEEF",
        "BAADF00DFEED",
        "490154203237518",
        "Kowalczyk",
        "Lexiphone",
        "Quarkus",
        "198.51.100",
        "51.100.234",
    ),
    *(
        "Xylophone",
        "Margar",
        "arethe",
        "ller",
        "Oster",
        "Øster",
        "d8ster",
        "00f8ster",
        "Wolfeschl",
        "86753099",
        "424242424",
    ),
    *("enwahn", "東京", "CPqZYX", "secretdev"),
]


def everything(device: str = DEVICE, **changes: Any) -> str:
    return body(device, **(DATA | changes))


def assert_private(forwarder: Forwarder, aws: Aws) -> None:
    attributes = [entry.get("MessageAttributes") for entry in aws.letters]
    told = (forwarder.printed + json.dumps(attributes, ensure_ascii=False)).casefold()
    assert [piece for piece in PRIVATE if piece.casefold() in told] == []


def test_a_run_with_every_outcome_tells_nothing_personal(
    start: Start, sandbox: Sandbox, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    forwarder = start(DEDUPLICATION_TABLE="events-seen")
    real = encode_payload

    def fail_at_one(event: Any, *arguments: Any) -> bytes:
        if event.kochava_device_id == "bug":
            raise ValueError(f"no way to print {event}")
        return real(event, *arguments)

    monkeypatch.setattr(delivery, "encode_payload", fail_at_one)
    faults = ["503", "429", "401", "400", "success-false", "not-json", "reset-after-read", "cut-body", "redirect"]
    for fault in faults:
        sandbox.script(fault, device=fault)
    aws.refused[everything("refused", device_ver=1)] = "InternalError"
    once = everything("once").replace('{"action"', '{"event_id": "order-4711", "action"')
    texts = [
        everything(),
        once,
        everything("bug"),
        everything("late"),
        everything("refused", device_ver=1),
        *map(everything, faults),
        everything()[:-3],
        f"[{everything()}]",
        everything(currency="Kowalczyk"),
        everything(usertime="Kowalczyk"),
        everything(origination_ip="198.51.100.234.Kowalczyk"),
        everything(device_ids={"idfa": "Kowalczyk", "imei": "Kowalczyk", "490154203237518": 1}),
        everything(event_data={"nested": {"Kowalczyk": "Kowalczyk"}, "sum": "Kowalczyk"}),
        everything(gdpr_privacy_consent={"gdpr_applies": "Kowalczyk"}),
        everything(app_tracking_transparency={"att": "Kowalczyk", "att_detail": "Kowalczyk"}),
        everything().replace('"action": "event"', '"action": "Kowalczyk"'),
        everything().replace(
            '"action"', '"margarethe@kowalczyk.test": 1, "198.51.100.234": 2, "490154203237518": 3, "action"'
        ),
        everything().replace('"event_name"', '"event_name": "Kowalczyk", "event_name"'),
        everything().replace("Xylophone", "\\ud800"),
    ]
    batch = [record(text, f"m{number}") for number, text in enumerate(texts)]
    batch.append(record(everything("old"), "old", age=4 * 86400.0))
    batch += [record(everything(place), place, queue=FIFO, group="g") for place in ("503", "behind")]
    sandbox.script("503", device="503")
    forwarder.invoke(*batch)
    forwarder.invoke(record(once, "again"))
    assert forwarder.outcomes.keys() == {
        *("delivered", "duplicate", "invalid", "rejected", "expired", "ambiguous", "throttled", "unavailable"),
        *("unconfirmed", "misconfigured", "deferred"),
    }
    assert len(aws.letters) > 10
    assert_private(forwarder, aws)


# --- Kochava repeats what it was sent -----------------------------------------------------------------------


type Echo = Callable[[bytes], bytes]


def decoded(request: bytes) -> bytes:
    return json.dumps(json.loads(request), ensure_ascii=False).encode()


ECHOES: dict[str, Echo] = {
    "as it was": lambda request: request,
    "decoded": decoded,
    "in Latin-1": lambda request: decoded(request).decode().encode("latin-1", "replace"),
    "pretty": lambda request: json.dumps(json.loads(request), indent=2).encode(),
    "inside JSON": lambda request: json.dumps({"success": "0", "request": request.decode()}).encode(),
    "in capitals": lambda request: decoded(request).decode().upper().encode(),
    "percent-encoded": lambda request: quote(decoded(request)).encode(),
    "as a form": lambda request: b"request=" + quote(decoded(request), safe="").replace("%20", "+").encode(),
    "HTML": lambda request: b"<pre>" + decoded(request).replace(b'"', b"&quot;") + b"</pre>",
    "one value": lambda _request: b'{"error":"unknown user_name Margarethe M\\u00fcller-\\u00d8ster"}',
    "one value, decoded": lambda _request: "unknown user_name Margarethe Müller-Øster".encode(),
    "a value's part": lambda _request: b"value too long: Margareth",
    "near half a word": lambda _request: b'{"error":"unexpected input near \\"garethe M"}',
    "run together": lambda _request: b"no such key: kotest_KDsecretdevice_v2",
    "the end only": lambda request: request[len(request) // 2 :],
    "the start of a word": lambda request: request[: request.index(b"Margarethe") + 6],
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("status", [400, 200, 503])
def test_what_kochava_repeats_is_not_told(start: Start, aws: Aws, status: int, echo: Echo) -> None:
    def answer(peer: socket.socket, _number: int) -> None:
        reply = echo(read_request(peer).partition(b"\r\n\r\n")[2])
        peer.sendall(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(reply), reply))
        peer.recv(1)

    with RawServer(answer) as server:
        forwarder = start(KOCHAVA_ENDPOINT=server.url)
        forwarder.invoke(record(everything(), "one"))
    line = forwarder.log_of("one")
    assert f"HTTP {status}" in line["detail"]
    assert_private(forwarder, aws)


@pytest.mark.parametrize("room", range(1100, 1210, 5))
def test_an_echo_that_is_cut_shows_no_half_word(start: Start, sandbox: Sandbox, aws: Aws, room: int) -> None:
    # What is quoted is cut somewhere: wherever that is, half a name is as telling as a whole one.
    text = f"{'x' * room} Margarethe Margarethe"
    sandbox.always(Fault(answer=Answer(400, text.encode())))
    forwarder = start()
    assert forwarder.invoke(record(everything(app_version="x" * room), "one")) == set()
    assert_private(forwarder, aws)


def test_headers_that_repeat_it_are_not_told(start: Start, aws: Aws) -> None:
    def answer(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        peer.sendall(
            b"HTTP/1.1 400 Margarethe\r\nX-Name: Kowalczyk\r\nRetry-After: Kowalczyk\r\n"
            b"Location: /?ip=198.51.100.234\r\nContent-Length: 0\r\n\r\n"
        )
        peer.recv(1)

    with RawServer(answer) as server:
        forwarder = start(KOCHAVA_ENDPOINT=server.url)
        assert forwarder.invoke(record(everything(), "one")) == set()
    assert_private(forwarder, aws)


@pytest.mark.parametrize("line", [b"HTTP/1.1 Margarethe\r\n\r\n", b"Margarethe Kowalczyk\r\n\r\n"])
def test_garbage_that_repeats_it_is_not_told(start: Start, aws: Aws, line: bytes) -> None:
    def answer(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        peer.sendall(line)
        peer.recv(1)

    with RawServer(answer) as server:
        forwarder = start(KOCHAVA_ENDPOINT=server.url)
        assert forwarder.invoke(record(everything(), "one")) == {"one"}
    assert_private(forwarder, aws)
