"""The sandbox as a server: what it refuses, records, counts and survives; its reports; its command."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from forwarder_tools.sandbox import Credentials, FaultError, Received, Sandbox

EVENT: dict[str, Any] = {
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
}
BODY = json.dumps(EVENT, separators=(",", ":")).encode()
HEADERS = {"Content-Type": "application/json", "User-Agent": "Unknown"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def ask(
    sandbox: Sandbox,
    *,
    method: str = "POST",
    path: str = "/track/json",
    body: bytes | None = BODY,
    headers: Mapping[str, str] = HEADERS,
) -> tuple[int, Any]:
    client = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
    try:
        client.request(method, path, body, dict(headers))
        response = client.getresponse()
        return response.status, json.loads(response.read())
    finally:
        client.close()


def raw(sandbox: Sandbox, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_good_event_succeeds_and_is_on_record(sandbox: Sandbox) -> None:
    assert ask(sandbox) == (200, {"success": "1"})
    (received,) = sandbox.received
    assert (received.body, received.event, received.problems) == (BODY, EVENT, ())
    assert (received.answer, received.accepted, received.connection) == ("200 success", True, 1)
    assert received.headers["user-agent"] == "Unknown"
    assert (received.device, received.event_name) == ("KD0001", "View")
    assert received.data == EVENT["data"]


def test_a_bad_event_is_refused_with_all_its_problems(sandbox: Sandbox) -> None:
    body = BODY.replace(b'"203.0.113.7"', b"null").replace(b'"device_ver":"",', b"")
    status, answer = ask(sandbox, body=body, headers=HEADERS | {"User-Agent": "test"})
    assert (status, answer["success"]) == (400, "0")
    assert answer["error"] == (
        "User-Agent: must be Unknown; data.origination_ip: must be an IP address; data.device_ver: missing"
    )
    (received,) = sandbox.received
    assert "; ".join(received.problems) == answer["error"]
    assert (received.answer, received.accepted) == ("400 refused", False)


def test_a_body_that_is_no_event_is_recorded_as_bytes(sandbox: Sandbox) -> None:
    assert ask(sandbox, body=b"\xff")[0] == 400
    (received,) = sandbox.received
    assert (received.body, received.event, received.device, received.event_name) == (b"\xff", None, None, None)


@pytest.mark.parametrize("key", ["test-api-key", "test-other-key"])
def test_signatures_are_checked_when_credentials_are_given(key: str) -> None:
    credentials = Credentials("test-api-key", "test-app-secret")
    signature = {"Kochava-Api-Key": key, "Kochava-Auth-Token": credentials.token(BODY)}
    with Sandbox(credentials=credentials) as sandbox:
        status, answer = ask(sandbox, headers=HEADERS | signature)
        if key == credentials.api_key:
            assert (status, answer) == (200, {"success": "1"})
        else:
            assert (status, answer) == (401, {"success": "0", "error": "Kochava-Api-Key: does not match"})
            assert not sandbox.received[0].accepted


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/track/jsonx", 404), ("POST", "/", 404), ("GET", "/track/json", 405), ("PUT", "/track/json", 405)],
)
def test_wrong_places(sandbox: Sandbox, method: str, path: str, status: int) -> None:
    assert ask(sandbox, method=method, path=path)[0] == status
    assert [(one.answer, one.accepted) for one in sandbox.received] == [(f"{status} refused", False)]


def test_the_user_agents_form_can_be_set() -> None:
    body = BODY.replace(b'"device_ua":""', b'"device_ua":"Mozilla\\/5.0 (Fake)"')
    with Sandbox() as percent, Sandbox(user_agent="raw") as raw_form:
        assert (ask(percent, body=body)[0], ask(raw_form, body=body)[0]) == (400, 200)


def test_what_is_not_http_is_refused_and_closed(sandbox: Sandbox) -> None:
    assert raw(sandbox, b"\x16\x03\x01 not HTTP\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert ask(sandbox)[0] == 200


def test_a_request_in_pieces_and_in_chunks(sandbox: Sandbox) -> None:
    chunked = (
        b"POST /track/json HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"User-Agent: Unknown\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    )
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as client:
        for position in range(len(chunked)):
            client.sendall(chunked[position : position + 1])
        answer = client.recv(65536)
    assert b'"Content-Length: must be sent once"' in answer
    assert sandbox.received[0].event == EVENT


def test_repeated_headers_are_all_recorded(sandbox: Sandbox) -> None:
    answer = raw(
        sandbox, b"POST /track/json HTTP/1.0\r\nCookie: a=b\r\nCookie: c=d\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert b"Cookie: must not be sent" in answer
    assert sandbox.received[0].headers["cookie"] == "a=b, c=d"


def test_requests_in_flight_at_once_are_counted(sandbox: Sandbox) -> None:
    sandbox.always("hang")
    request = b"POST /track/json HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    clients = [socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) for _ in range(5)]
    for client in clients:
        client.sendall(request)
    sandbox.wait_for(5)
    for client in clients:
        client.close()
    sandbox.clear()
    ask(sandbox)
    assert (sandbox.stats.peak_in_flight, sandbox.connections) == (5, 6)
    assert (sandbox.stats.requests, sandbox.stats.accepted, sandbox.stats.refused) == (6, 1, 5)


def test_waiting_in_vain_says_how_far_it_got(sandbox: Sandbox) -> None:
    ask(sandbox)
    with pytest.raises(TimeoutError, match=r"received 1 of 2 requests in 0\.01 s"):
        sandbox.wait_for(2, timeout=0.01)


def test_waiting_ends_when_the_request_comes(sandbox: Sandbox) -> None:
    sender = threading.Timer(0.02, ask, [sandbox])
    sender.start()
    assert [received.answer for received in sandbox.wait_for(1)] == ["200 success"]
    sender.join()


def test_each_record_is_told_as_it_is_made() -> None:
    told: list[Received] = []
    with Sandbox(on_received=told.append) as sandbox:
        ask(sandbox)
        assert told == sandbox.received


def test_leaving_ends_what_is_still_connected_even_in_the_middle() -> None:
    with Sandbox() as sandbox:
        sandbox.script("hang", "drip-headers:every=1h", "latency=1h")
        clients = [socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) for _ in range(4)]
        for client in clients[:3]:
            client.sendall(b"POST /track/json HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        sandbox.wait_for(3)
        thread_count = threading.active_count()
    assert threading.active_count() == thread_count - 1
    for client in clients:
        client.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=10)


@pytest.mark.parametrize("number", range(10))  # what was just accepted is the hard case, and a matter of luck
def test_leaving_in_the_middle_of_a_handshake(number: int) -> None:
    del number
    with (
        Sandbox(ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)) as sandbox,
        socket.create_connection(("127.0.0.1", sandbox.port), timeout=10) as client,
    ):
        client.sendall(b"\x16")


def test_a_busy_port_is_an_os_error(sandbox: Sandbox) -> None:
    with pytest.raises(OSError, match="address already in use"), Sandbox(port=sandbox.port):
        pass


def test_a_wrong_fault_changes_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(FaultError, match="'nonsense' is not a fault"):
        sandbox.script("503", "nonsense")
    assert ask(sandbox)[0] == 200


def test_faults_for_one_device_leave_others_alone(sandbox: Sandbox) -> None:
    sandbox.script("503", device="KD0002")
    sandbox.always("429", event="Purchase")
    assert ask(sandbox)[0] == 200
    assert ask(sandbox, body=BODY.replace(b"KD0001", b"KD0002"))[0] == 503
    assert ask(sandbox, body=BODY.replace(b"View", b"Purchase"))[0] == 429


# --- fast mode --------------------------------------------------------------------------------------------------


def test_fast_mode_counts_and_answers_in_order_without_looking() -> None:
    request = b"POST /track/json HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    last = request.replace(b"Content", b"Connection: close\r\nContent")
    with Sandbox(fast=True) as sandbox:
        answers = raw(sandbox, request * 99 + last)
        assert answers.count(b'{"success":"1"}') == 100
        assert sandbox.wait_for(100) == []
        assert (sandbox.stats.requests, sandbox.stats.accepted, sandbox.connections) == (100, 100, 1)
        assert ask(sandbox, path="/")[0] == 404


def test_fast_mode_keeps_the_order_when_an_answer_is_late() -> None:
    request = b"POST /track/json HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    with Sandbox(fast=True) as sandbox:
        sandbox.script("503:latency=20ms")
        answers = raw(sandbox, request * 2 + request.replace(b"Content", b"Connection: close\r\nContent"))
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"503", b"200", b"200"]


def test_fast_mode_keeps_latency_and_faults_for_any_event() -> None:
    with Sandbox(fast=True, latency=0.001) as sandbox:
        sandbox.script("503", "reset-before-read")
        assert ask(sandbox)[0] == 503
        with pytest.raises(ConnectionResetError):
            ask(sandbox)
        assert ask(sandbox)[0] == 200
        assert (sandbox.stats.requests, sandbox.stats.accepted) == (3, 1)


# --- the report -------------------------------------------------------------------------------------------------


def test_what_was_received_is_told_in_order(sandbox: Sandbox) -> None:
    ask(sandbox)
    ask(sandbox, body=b"a\xff")

    status, (first, second) = ask(sandbox, method="GET", path="/_sandbox/received", body=None, headers={})
    assert (status, first["event"]) == (200, EVENT)
    assert set(first) == {
        "body", "event", "headers", "problems", "answer", "accepted", "arrived", "connection",
    }  # fmt: skip
    assert second["body"] == "a\\xff"  # bytes that are not text are shown
    assert sandbox.stats.requests == 2  # without the report


# --- command ----------------------------------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "forwarder_tools.sandbox", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_command_prints_its_url_and_events_and_ends_on_a_signal(number: signal.Signals) -> None:
    with command("--port", "0", "--fault", "503", "--latency", "1ms") as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("Kochava sandbox: ").strip()
        host, _, port = url.removeprefix("http://").removesuffix("/track/json").partition(":")
        assert host == "127.0.0.1"
        statuses = []
        for body in (BODY, BODY, b"{}"):
            client = http.client.HTTPConnection(host, int(port), timeout=10)
            client.request("POST", "/track/json", body, HEADERS)
            statuses.append(client.getresponse().status)
            client.close()
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
    assert statuses == [503, 200, 400]
    assert out.splitlines() == ["View  503", "View  200 success", "(no event)  400 refused"]
    assert (errors, process.returncode) == ("", 0)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["--fault", "nonsense"], "use a status from 200 to 599"),
        (["--latency", "soon"], "write it like 50ms"),
        (["--port", "70000"], "use a number from 0 to 65535"),
        (["--credentials", "test-only"], "write them as KEY:SECRET"),
    ],
)
def test_wrong_arguments_are_told_with_the_remedy(arguments: list[str], remedy: str) -> None:
    with command(*arguments) as process:
        _, errors = process.communicate(timeout=10)
    assert process.returncode == 2
    assert remedy in errors.splitlines()[-1]


def test_a_busy_port_is_told_in_one_line(sandbox: Sandbox) -> None:
    with command("--port", str(sandbox.port)) as process:
        out, errors = process.communicate(timeout=10)
    assert (out, process.returncode) == ("", 1)
    assert errors == f"port {sandbox.port} is in use; choose another with --port N, or --port 0 for a free one\n"


def test_the_command_ends_when_its_signal_comes_many_times() -> None:
    with command("--port", "0") as process:
        assert process.stdout is not None
        process.stdout.readline()
        for _ in range(2000):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    # Not 0 when one comes as Python, at its end, has given up its handlers.
    assert process.returncode in {0, -signal.SIGTERM, -signal.SIGINT}
