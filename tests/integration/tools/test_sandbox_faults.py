"""Each fault as a client sees it: the bytes on the socket, the end of the stream, or the reset."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import pairwise

import pytest
import trustme

from forwarder_tools.sandbox import KINDS, Sandbox

BODY = json.dumps(
    {
        "action": "event",
        "kochava_app_id": "kotest-app-1",
        "kochava_device_id": "KD0001",
        "data": {
            "usertime": 1521574016,
            "device_ver": "",
            "device_ids": {"custom": "fake-0001"},
            "device_ua": "",
            "origination_ip": "203.0.113.7",
            "event_name": "View",
        },
    },
    separators=(",", ":"),
).encode()

HEAD = (
    "POST /track/json HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: Unknown\r\n"
    f"Content-Length: {len(BODY)}\r\n\r\n"
).encode()
REQUEST = HEAD + BODY
LAST = REQUEST.replace(b"Host", b"Connection: close\r\nHost")
SUCCESS = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"success":"1"}'
TESTED = set[str]()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def connect(sandbox: Sandbox) -> socket.socket:
    return socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)


def read_to_end(client: socket.socket) -> bytes:
    """Read until the server closes in order; a reset raises."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def exchange(sandbox: Sandbox, *, request: bytes = REQUEST) -> bytes:
    """Send a request and read until the server closes."""
    with connect(sandbox) as client:
        client.sendall(request)
        return read_to_end(client)


def exactly(client: socket.socket, number: int) -> bytes:
    data = b""
    while len(data) < number:
        part = client.recv(number - len(data))
        assert part, f"closed after {data!r}"
        data += part
    return data


def is_open(client: socket.socket) -> bool:
    """Tell whether the connection still answers."""
    client.sendall(REQUEST)
    return exactly(client, len(SUCCESS)) == SUCCESS


def respond_with(sandbox: Sandbox, name: str) -> None:
    TESTED.add(name.partition(":")[0])
    sandbox.script(name)


def outcome(sandbox: Sandbox) -> tuple[str, bool]:
    received = sandbox.received[0]
    return received.answer, received.accepted


@pytest.mark.parametrize(
    ("name", "status", "body", "answer", "accepted"),
    [
        ("ok", "200 OK", b'{"success":"1"}', "200 success", True),
        ("success-false", "200 OK", b'{"success":"0"}', "200 success false", False),
        ("empty", "200 OK", b"", "200 empty", False),
        ("not-json", "200 OK", b"<html>Maintenance</html>", "200 not JSON", False),
        ("redirect", "302 Found", b"", "302", False),
        ("503", "503 Service Unavailable", b'{"success":"0","error":"asked for"}', "503", False),
        ("503:counted", "503 Service Unavailable", b'{"success":"0","error":"asked for"}', "503", True),
        ("599:body=odd", "599 Unknown", b"odd", "599", False),
        ("201", "201 Created", b'{"success":"1"}', "201", True),
    ],
)
def test_whole_answers(  # noqa: PLR0913, PLR0917 - the columns of the table
    sandbox: Sandbox,
    name: str,
    status: str,
    body: bytes,
    answer: str,
    accepted: bool,
) -> None:
    respond_with(sandbox, name)
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += exactly(client, 1)
        assert head.startswith(f"HTTP/1.1 {status}\r\n".encode())
        assert f"Content-Length: {len(body)}\r\n".encode() in head
        assert exactly(client, len(body)) == body
        assert is_open(client)
    assert outcome(sandbox) == (answer, accepted)


def test_no_content_has_no_length_and_no_body(sandbox: Sandbox) -> None:
    sandbox.script("204")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        assert exactly(client, 27) == b"HTTP/1.1 204 No Content\r\n\r\n"
        assert is_open(client)
    assert outcome(sandbox) == ("204", False)


def test_redirect_names_another_path_which_is_not_served(sandbox: Sandbox) -> None:
    respond_with(sandbox, "redirect")
    with connect(sandbox) as client:
        client.sendall(REQUEST + b"GET /elsewhere HTTP/1.1\r\nConnection: close\r\n\r\n")
        answers = read_to_end(client)
    assert b"Location: /elsewhere\r\n" in answers
    assert [received.answer for received in sandbox.received] == ["302", "404 refused"]


def test_retry_after_as_a_date_counts_from_the_answer(sandbox: Sandbox) -> None:
    sandbox.script("429:retry-date=1h")
    with connect(sandbox) as client:
        client.sendall(LAST)
        head = read_to_end(client).decode()
    (date,) = [line.removeprefix("Retry-After: ") for line in head.splitlines() if line.startswith("Retry-After")]
    assert 3595 < parsedate_to_datetime(date).timestamp() - time.time() <= 3600


def test_chunked(sandbox: Sandbox) -> None:
    respond_with(sandbox, "chunked")
    wanted = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'7\r\n{"succe\r\n8\r\nss":"1"}\r\n0\r\n\r\n'
    )
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        assert exactly(client, len(wanted)) == wanted
        assert is_open(client)
    assert outcome(sandbox) == ("200 success, chunked", True)


def test_100_continue(sandbox: Sandbox) -> None:
    respond_with(sandbox, "100-continue")
    wanted = b"HTTP/1.1 100 Continue\r\n\r\n" + SUCCESS
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        assert exactly(client, len(wanted)) == wanted
    assert outcome(sandbox) == ("200 success, after 100", True)


def test_close(sandbox: Sandbox) -> None:
    respond_with(sandbox, "close")
    wanted = SUCCESS.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    assert exchange(sandbox) == wanted
    assert outcome(sandbox) == ("200 success, closing", True)


def test_silent_close(sandbox: Sandbox) -> None:
    respond_with(sandbox, "silent-close")
    assert exchange(sandbox) == SUCCESS
    assert outcome(sandbox) == ("200 success, closing", True)


def test_http10(sandbox: Sandbox) -> None:
    respond_with(sandbox, "http10")
    assert exchange(sandbox) == b'HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{"success":"1"}'
    assert outcome(sandbox) == ("200 success, HTTP/1.0", True)


def test_huge_is_valid_and_as_long_as_it_says(sandbox: Sandbox) -> None:
    respond_with(sandbox, "huge:size=300000")
    with connect(sandbox) as client:
        client.sendall(LAST)
        head, _, body = read_to_end(client).partition(b"\r\n\r\n")
    assert b"Content-Length: 300000" in head
    assert len(body) == 300_000
    assert json.loads(body)["success"] == "1"
    assert outcome(sandbox) == ("200 success, huge", True)


def test_huge_is_sent_no_faster_than_it_is_read_and_may_be_given_up(sandbox: Sandbox) -> None:
    sandbox.script("huge")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        exactly(client, 100)
        assert exchange(sandbox, request=LAST) == SUCCESS  # so the server has done all it can for the first
        assert sandbox.stats.in_flight == 1  # 64 MiB do not fit into the socket's buffers
    assert exchange(sandbox, request=LAST) == SUCCESS


def test_garbage(sandbox: Sandbox) -> None:
    respond_with(sandbox, "garbage")
    data = exchange(sandbox)
    assert data
    assert not data.startswith(b"HTTP/")
    assert outcome(sandbox) == ("garbage", False)


def test_cut_headers(sandbox: Sandbox) -> None:
    respond_with(sandbox, "cut-headers")
    data = exchange(sandbox)
    assert data.startswith(b"HTTP/1.1 200 OK\r\nCont")
    assert b"\r\n\r\n" not in data
    assert not data.endswith(b"\r\n")
    assert outcome(sandbox) == ("cut inside headers", False)


def test_cut_body(sandbox: Sandbox) -> None:
    respond_with(sandbox, "cut-body")
    assert exchange(sandbox) == SUCCESS[:-8]
    assert outcome(sandbox) == ("cut inside body", False)


def test_reset_before_read_leaves_the_body_unread(sandbox: Sandbox) -> None:
    respond_with(sandbox, "reset-before-read")
    with connect(sandbox) as client:
        client.sendall(HEAD)  # the body is never sent, so only a server that does not wait for it can reset
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert outcome(sandbox) == ("reset before reading", False)
    assert sandbox.received[0].body == b""


def test_reset_before_read_strikes_a_connection_that_was_used_before(sandbox: Sandbox) -> None:
    sandbox.script("ok", "reset-before-read")
    with connect(sandbox) as client:
        assert is_open(client)
        client.sendall(HEAD)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert sandbox.connections == 1


def test_reset_after_read_waits_for_the_body(sandbox: Sandbox) -> None:
    respond_with(sandbox, "reset-after-read")
    with connect(sandbox) as client:
        client.sendall(HEAD)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        client.sendall(BODY)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert outcome(sandbox) == ("reset after reading", False)
    assert sandbox.received[0].body == BODY


@pytest.mark.parametrize("name", ["reset-after-read", "cut-headers", "cut-body", "hang", "garbage"])
def test_an_ambiguous_delivery_is_counted_when_told(sandbox: Sandbox, name: str) -> None:
    sandbox.script(f"{name}:counted")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        assert sandbox.wait_for(1)[0].accepted


def arrivals(client: socket.socket, number: int) -> list[float]:
    times = []
    for _ in range(number):
        exactly(client, 1)
        times.append(time.monotonic())
    return times


def test_drip_headers_sends_one_byte_at_a_time(sandbox: Sandbox) -> None:
    respond_with(sandbox, "drip-headers:every=20ms")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        assert len(client.recv(1000)) == 1
        times = arrivals(client, 4)
    # A slow machine may bunch bytes up, but cannot bring the last one forward.
    assert times[-1] - times[0] > 0.04
    assert outcome(sandbox) == ("dripping headers", True)


def test_drip_body_sends_the_headers_at_once(sandbox: Sandbox) -> None:
    respond_with(sandbox, "drip-body:every=20ms")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        exactly(client, SUCCESS.index(b"{"))
        times = arrivals(client, 15)
        assert is_open(client)
    assert times[-1] - times[0] > 0.2
    assert outcome(sandbox) == ("dripping body", True)


def test_hang_never_answers_and_lets_go_when_the_client_does(sandbox: Sandbox) -> None:
    respond_with(sandbox, "hang")
    with connect(sandbox) as client:
        client.sendall(REQUEST)
        sandbox.wait_for(1)
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert sandbox.stats.in_flight == 1
    assert outcome(sandbox) == ("no answer", False)
    assert exchange(sandbox, request=LAST) == SUCCESS


def test_latency_of_a_fault_and_of_the_sandbox_add_up() -> None:
    with Sandbox(latency=0.03) as sandbox, connect(sandbox) as client:
        sandbox.script("latency=40ms")
        begin = time.monotonic()
        client.sendall(REQUEST)
        assert exactly(client, len(SUCCESS)) == SUCCESS
        assert time.monotonic() - begin > 0.069
        begin = time.monotonic()
        assert is_open(client)
        assert time.monotonic() - begin > 0.029


def test_a_bad_event_is_refused_through_a_fault_that_only_delivers(sandbox: Sandbox) -> None:
    sandbox.script("close:latency=1ms")
    answer = exchange(sandbox, request=REQUEST.replace(b"203.0.113.7", b"203.0.113.x"))
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert outcome(sandbox) == ("400 refused, closing", False)


def test_a_bad_event_is_never_accepted_whatever_is_answered(sandbox: Sandbox) -> None:
    sandbox.script("200")
    with connect(sandbox) as client:
        client.sendall(REQUEST.replace(b"203.0.113.7", b"203.0.113.x"))
        assert exactly(client, len(SUCCESS)) == SUCCESS
    assert outcome(sandbox) == ("200", False)


def test_faults_work_over_tls_too() -> None:
    authority = trustme.CA()
    server, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client_side)
    with Sandbox(ssl_context=server) as sandbox:
        assert sandbox.url == f"https://127.0.0.1:{sandbox.port}/track/json"
        sandbox.script("reset-after-read", "cut-body")
        with client_side.wrap_socket(connect(sandbox), server_hostname="127.0.0.1") as client:
            client.sendall(REQUEST)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with client_side.wrap_socket(connect(sandbox), server_hostname="127.0.0.1") as client:
            client.sendall(REQUEST)
            assert read_to_end(client) == SUCCESS[:-8]
        with client_side.wrap_socket(connect(sandbox), server_hostname="127.0.0.1") as client:
            assert is_open(client)


def test_a_script_then_ok(sandbox: Sandbox) -> None:
    sandbox.script("503", "429:retry-after=2")
    with connect(sandbox) as client:
        client.sendall(REQUEST * 3)
        data = b""
        while not data.endswith(SUCCESS):
            data += client.recv(65536)
    assert [received.answer for received in sandbox.received] == ["503", "429", "200 success"]
    assert data.index(b" 503 ") < data.index(b" 429 ") < data.index(b" 200 ")
    assert b"Retry-After: 2\r\n" in data


def test_until_cleared(sandbox: Sandbox) -> None:
    sandbox.always("503")
    with connect(sandbox) as client:
        client.sendall(REQUEST * 3)
        assert [received.answer for received in sandbox.wait_for(3)] == ["503"] * 3
    sandbox.clear()
    assert sandbox.received == []
    with connect(sandbox) as client:
        assert is_open(client)


def test_a_mix_is_the_same_for_the_same_seed() -> None:
    def answers() -> list[str]:
        with Sandbox() as sandbox, connect(sandbox) as client:
            sandbox.mix({"503": 1, "429": 1, "ok": 2}, seed=3)
            client.sendall(REQUEST * 40)
            return [received.answer for received in sandbox.wait_for(40)]

    first = answers()
    assert first == answers()
    assert set(first) == {"503", "429", "200 success"}


def test_arrivals_are_in_order_and_numbered_by_connection(sandbox: Sandbox) -> None:
    for _ in range(2):
        with connect(sandbox) as client:
            client.sendall(REQUEST * 2)
            exactly(client, 2 * len(SUCCESS))
    received = sandbox.received
    assert [one.connection for one in received] == [1, 1, 2, 2]
    assert all(earlier.arrived <= later.arrived for earlier, later in pairwise(received))


def test_every_fault_of_the_table_was_tested_above() -> None:
    assert set(KINDS) <= TESTED
