"""The client against real sockets: each way Kochava can fail has its outcome, its detail, and an end in time."""

import asyncio
import json
import os
import select
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Self, cast

import pytest
import trustme
from urllib3.connection import HTTPConnection
from urllib3.util.ssl_ import create_urllib3_context

from forwarder_tools.sandbox import Fault, Sandbox
from forwarder_tools.sandbox.answers import Answer
from forwarder_tools.sandbox.deliveries import CUT_BODY, DRIP_BODY
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.http import pool
from kochava_forwarder.http.connection import KEEP_IDLE
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.kochava.credentials import CredentialsStore
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.kochava.signing import Credentials
from kochava_forwarder.policy.outcomes import Verdict
from tests.integration.support import body, close_client, within
from tests.integration.support_servers import SUCCESS, Play, RawServer, closed_port, read_request, reset

PAYLOAD = encode_payload(parse_event(body(), sent_at=1760000000, default_app_id=None), DeviceUaEncoding.PERCENT)
PATIENCE = 0.3  # seconds that a request may take


class Client:
    """The client and the event loop it lives on."""

    def __init__(self, endpoint: str, secret: CredentialsStore | None = None) -> None:
        self._runner = asyncio.Runner()
        self._client = KochavaClient(endpoint, secret)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        close_client(self._client, self._runner)
        self._runner.close()

    def post(self, payload: bytes = PAYLOAD, timeout: float = 5.0) -> Verdict:
        async def post() -> Verdict:
            return await self._client.post(payload, timeout)

        return self._runner.run(post())

    def post_all(self, number: int) -> list[Verdict]:
        async def post() -> list[Verdict]:
            return list(await asyncio.gather(*(self._client.post(PAYLOAD, 5.0) for _ in range(number))))

        return self._runner.run(post())

    def wind_down(self, seconds: float) -> None:
        async def wind_down() -> None:
            await self._client.end_invocation(asyncio.get_running_loop().time() + seconds)

        self._runner.run(wind_down())


type Connect = Callable[[str], Client]


@pytest.fixture
def connect(no_thread_left: None) -> Iterator[Connect]:
    del no_thread_left
    with ExitStack() as stack:
        yield lambda endpoint: stack.enter_context(Client(endpoint))


@pytest.fixture
def serve(no_thread_left: None) -> Iterator[Callable[..., RawServer]]:
    del no_thread_left
    with ExitStack() as stack:

        def serve(play: Play, **options: Any) -> RawServer:
            return stack.enter_context(RawServer(play, **options))

        yield serve


type Serve = Callable[..., RawServer]


def said(verdict: Verdict) -> tuple[str, str]:
    return verdict.outcome, verdict.detail


# --- answers that come, whole or not ------------------------------------------------------------------------

CUT_400 = Fault("cut 400", answer=Answer(400, b'{"success":"*","error":"bad"}'), delivery=CUT_BODY)
CUT_503 = Fault("cut 503", answer=Answer(503, b'{"success":"*","error":"busy"}'), delivery=CUT_BODY)
DRIPPED_503 = Fault(
    "dripped 503", answer=Answer(503, b"busy, come again", headers=(("Retry-After", "9"),)), delivery=DRIP_BODY
)
GONE = "sent, but "
ASKED = ': {"success":"*","error":"asked for"}'
CUT = "HTTP 200, but the answer was cut short"


@pytest.mark.parametrize(
    ("fault", "outcome", "detail"),
    [
        ("ok", "delivered", ""),
        ("chunked", "delivered", ""),
        ("100-continue", "delivered", ""),
        ("close", "delivered", ""),
        ("silent-close", "delivered", ""),
        ("http10", "delivered", ""),
        ('200:body={"success":1}', "delivered", ""),
        ('200:body={"success":true}', "delivered", ""),
        ("299", "delivered", ""),
        ("huge:size=500000", "delivered", ""),
        ("success-false", "unconfirmed", 'no success in the answer: HTTP 200: {"success":"*"}'),
        ("empty", "unconfirmed", "no success in the answer: HTTP 200, empty body"),
        ("204", "unconfirmed", "no success in the answer: HTTP 204, empty body"),
        ("not-json", "unconfirmed", "no success in the answer: HTTP 200: <html>Maintenance</html>"),
        ("400", "rejected", "HTTP 400" + ASKED),
        (CUT_400, "rejected", 'HTTP 400: {"success":"*"'),
        ("413", "rejected", "HTTP 413" + ASKED),
        ("501", "rejected", "HTTP 501" + ASKED),
        ("401", "misconfigured", "HTTP 401" + ASKED),
        ("404", "misconfigured", "HTTP 404" + ASKED),
        ("redirect", "misconfigured", "HTTP 302, empty body"),
        ("429", "throttled", "HTTP 429" + ASKED),
        ("503:retry-after=9", "throttled", "HTTP 503" + ASKED),
        ("503", "unavailable", "HTTP 503" + ASKED),
        ("408", "unavailable", "HTTP 408" + ASKED),
        (CUT_503, "unavailable", 'HTTP 503: {"success":"*",'),
        ("reset-after-read", "ambiguous", GONE + "connection reset"),
        ("cut-headers", "ambiguous", GONE + "connection closed"),
        ("cut-body", "ambiguous", CUT),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_what_an_answer_means(
    sandbox: Sandbox, connect: Connect, fault: str | Fault, outcome: str, detail: str
) -> None:
    sandbox.script(fault)
    with within(2):
        verdict = connect(sandbox.url).post()
    assert said(verdict) == (outcome, detail)
    assert len(sandbox.received) == 1, "sent once, whatever came of it"


NOT_HTTP = [
    b"\x15\x03\x01\x00\x02\x02\x46 not HTTP\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/1.1\r\n\r\n",
    b"HTTP/1.1 OK 200\r\n\r\n",
    b"HTTP/1.1 99999 OK\r\n\r\n",
    b"HTTP/2 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot hex\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000,
]


@pytest.mark.parametrize("junk", NOT_HTTP, ids=lambda junk: repr(junk[:24]))
def test_what_is_not_http_is_ambiguous(connect: Connect, serve: Serve, junk: bytes) -> None:
    def answer(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        peer.sendall(junk)
        peer.recv(1)

    with within(2):
        verdict = connect(serve(answer).url).post()
    assert verdict.outcome == "ambiguous"
    assert "not an HTTP response" in verdict.detail


@pytest.mark.parametrize(
    ("fault", "outcome", "detail"),
    [
        ("hang", "ambiguous", GONE + "no answer in time"),
        ("drip-headers:every=50ms", "ambiguous", GONE + "no answer in time"),
        ("drip-body:every=50ms", "ambiguous", CUT),
        (DRIPPED_503, "throttled", "HTTP 503: b"),
        ("latency=1h", "ambiguous", GONE + "no answer in time"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_no_server_holds_a_request_beyond_its_time(
    sandbox: Sandbox, connect: Connect, fault: str | Fault, outcome: str, detail: str
) -> None:
    sandbox.script(fault)
    client = connect(sandbox.url)
    start = time.monotonic()
    with within(PATIENCE + 0.4):
        assert said(client.post(timeout=PATIENCE)) == (outcome, detail)
    assert time.monotonic() - start >= PATIENCE - 0.01
    assert said(client.post()) == ("delivered", "")
    assert sandbox.connections == 2, "a connection on which an answer may still come is not used again"


def test_a_late_body_is_over_as_soon_as_it_is_whole(sandbox: Sandbox, connect: Connect) -> None:
    sandbox.script("drip-body:every=10ms")
    with within(1):
        assert said(connect(sandbox.url).post(timeout=30)) == ("delivered", "")


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("9", 9.0),
        ("soon", None),
        ("-1", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2030 00:00:00 +99999999999999", None),
    ],
)
def test_whatever_retry_after_says_the_record_is_throttled(
    sandbox: Sandbox, connect: Connect, retry_after: str, seconds: float | None
) -> None:
    sandbox.script(f"503:retry-after={retry_after}")
    verdict = connect(sandbox.url).post()
    assert (verdict.outcome, verdict.retry_after) == ("throttled", seconds)


def test_a_huge_answer_is_not_read_whole(connect: Connect, serve: Serve) -> None:
    size = 64 * 1024 * 1024
    sent: list[int] = []

    def stream(peer: socket.socket, _number: int) -> None:
        read_request(peer)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n{"success":"1","padding":"' % size)
        while sum(sent) < size:
            sent.append(peer.send(b"x" * 65536))

    server = serve(stream)
    with within(2):
        verdict = connect(server.url).post()
    assert verdict.outcome == "unconfirmed"
    assert len(verdict.detail) < 1024
    assert server.ended.wait(5)
    assert sum(sent) < size / 2  # the rest lay in the kernel's buffers at the most


def test_a_tls_answer_of_many_records_is_read_to_its_end(
    connect: Connect, tls: ssl.SSLContext, trusted: None
) -> None:
    del trusted
    with Sandbox(ssl_context=tls) as sandbox:
        sandbox.script("huge:size=900000")
        assert said(connect(sandbox.url).post()) == ("delivered", "")


# --- connections that do not come about ---------------------------------------------------------------------


def test_a_refused_port_is_unavailable(connect: Connect) -> None:
    with within(1):
        verdict = connect(f"http://127.0.0.1:{closed_port()}/").post()
    assert said(verdict) == ("unavailable", "no connection: refused")


def test_an_unknown_name_is_unavailable(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    client = connect("https://kochava.invalid/track/json")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with within(1):
        assert said(client.post()) == ("unavailable", "no connection: unknown host")


def test_a_name_server_that_hangs_is_unavailable_in_time(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()

    def hang(*_: object, **__: object) -> None:
        release.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    client = connect("https://kochava.invalid/track/json")
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with within(PATIENCE + 0.4):
        assert said(client.post(timeout=PATIENCE)) == ("unavailable", "no connection in time")
    release.set()


def test_a_connection_that_comes_too_late_carries_nothing_of_the_request_that_gave_up(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    release = threading.Event()
    real = socket.getaddrinfo

    def late(*arguments: Any, **options: Any) -> Any:
        release.wait(10)
        return real(*arguments, **options)

    def play(peer: socket.socket, _number: int) -> None:
        seen.append(read_request(peer))
        peer.sendall(SUCCESS)
        peer.recv(1)

    server = serve(play)
    client = connect(server.url)
    monkeypatch.setattr(socket, "getaddrinfo", late)
    assert said(client.post(timeout=PATIENCE)) == ("unavailable", "no connection in time")
    release.set()
    assert said(client.post()) == ("delivered", "")
    assert len(list(filter(None, seen))) == 1


def test_a_connection_that_fails_too_late_fails_no_later_request(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    real = socket.getaddrinfo

    def fail_late_once(*_: object, **__: object) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", real)
        release.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    server = serve(lambda peer, _number: (read_request(peer), peer.sendall(SUCCESS)))
    client = connect(server.url)
    monkeypatch.setattr(socket, "getaddrinfo", fail_late_once)
    assert said(client.post(timeout=PATIENCE)) == ("unavailable", "no connection in time")
    release.set()
    assert said(client.post()) == ("delivered", "")


def test_a_connection_that_ended_before_it_could_be_used_holds_nobody(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = HTTPConnection.connect

    def connect_and_see_the_end(connection: HTTPConnection) -> None:
        real(connection)
        select.select([connection.sock], [], [], 5)

    monkeypatch.setattr(HTTPConnection, "connect", connect_and_see_the_end)
    client = connect(serve(lambda peer, _number: peer.close()).url)
    with within(2):
        assert said(client.post()) == ("unavailable", "no connection: connection closed")


def test_a_connection_that_comes_back_the_moment_its_waiter_gives_up_costs_no_delivery(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived, answer, release = threading.Event(), threading.Event(), threading.Event()

    def play(peer: socket.socket, number: int) -> None:
        read_request(peer)
        arrived.set()
        answer.wait(5)
        peer.sendall(SUCCESS)
        answer_all(peer, number)

    def hang(*_: object, **__: object) -> None:
        release.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def race(client: KochavaClient) -> list[Verdict]:
        sent = asyncio.create_task(client.post(PAYLOAD, 5.0))
        assert await asyncio.to_thread(arrived.wait, 5)
        monkeypatch.setattr(socket, "getaddrinfo", hang)
        waiting = asyncio.create_task(client.post(PAYLOAD, 0.1))
        await asyncio.sleep(0.02)
        answer.set()
        time.sleep(0.3)  # noqa: ASYNC251 - a busy moment: the answer and the other one's time are seen together
        return [await sent, await waiting, await client.post(PAYLOAD, 2.0)]

    client = KochavaClient(serve(play).url)
    with asyncio.Runner() as runner:
        try:
            delivered, gave_up, after = runner.run(race(client))
        finally:
            release.set()
            close_client(client, runner)
    assert said(delivered) == ("delivered", "")
    assert gave_up.outcome == "unavailable"
    assert said(after) == ("delivered", ""), "the connection is still there, and no other can be had"


class LateOpenings:
    """Lets the first connection be opened at once, and each later one when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.done = 0
        self.release = threading.Event()
        real = HTTPConnection.connect
        counting = threading.Lock()

        def connect(connection: HTTPConnection) -> None:
            with counting:
                self.begun += 1
                first = self.begun == 1
            if not first:
                self.release.wait(10)
            real(connection)
            with counting:
                self.done += 1

        monkeypatch.setattr(HTTPConnection, "connect", connect)


def answer_all(peer: socket.socket, _number: int) -> None:
    while read_request(peer):
        peer.sendall(SUCCESS)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[LateOpenings]:
    openings = LateOpenings(monkeypatch)
    yield openings
    openings.release.set()


def test_no_more_connections_are_opened_than_requests_wait_for_one(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch, late: LateOpenings
) -> None:
    monkeypatch.setattr(pool, "LINGER_SECONDS", 5.0)
    client = connect(serve(answer_all).url)
    client.post_all(4)
    client.post_all(4)  # one goes over the connection that is there, and three are being opened for the others
    late.release.set()
    client.wind_down(5)
    assert late.done == 4


def test_an_invocation_leaves_as_many_connections_as_it_had_requests_side_by_side(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch, late: LateOpenings
) -> None:
    monkeypatch.setattr(pool, "LINGER_SECONDS", 5.0)
    client = connect(serve(answer_all).url)
    assert [verdict.outcome for verdict in client.post_all(4)] == ["delivered"] * 4
    assert late.done == 1  # it carried all four, since the others were not there yet
    late.release.set()
    client.wind_down(5)
    assert late.done == 4
    assert [verdict.outcome for verdict in client.post_all(4)] == ["delivered"] * 4
    assert late.begun == 4


def test_connections_that_take_longer_than_a_moment_are_not_waited_for(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch, late: LateOpenings
) -> None:
    monkeypatch.setattr(pool, "LINGER_SECONDS", 0.0)
    client = connect(serve(answer_all).url)
    client.post_all(4)
    with within(1):
        client.wind_down(60)
    assert late.done == 1


def test_the_event_loop_goes_before_the_threads_that_open_connections(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    niceness: list[int] = []
    real = HTTPConnection.connect

    def observed(connection: HTTPConnection) -> None:
        niceness.append(os.getpriority(os.PRIO_PROCESS, 0))
        real(connection)

    monkeypatch.setattr(HTTPConnection, "connect", observed)
    connect(serve(answer_all).url).post()
    assert niceness == [19 if sys.platform == "linux" else ours]
    assert os.getpriority(os.PRIO_PROCESS, 0) == ours


def test_a_connection_counts_as_idle_from_when_a_thread_had_opened_it(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: Callable[[socket.socket, float], object] = vars(pool)["_Connected"]
    monkeypatch.setattr(pool, "_Connected", lambda sock, at: opened(sock, at - KEEP_IDLE))  # then came a freeze
    assert said(connect(serve(answer_all).url).post()) == ("unavailable", "no connection: connection closed")


@pytest.mark.parametrize(("moment", "until"), [(0.05, 60.0), (60.0, 0.05)])
def test_connections_that_nobody_waits_for_hold_no_invocation(  # noqa: PLR0913, PLR0917 - fixtures
    connect: Connect,
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
    late: LateOpenings,
    moment: float,
    until: float,
) -> None:
    monkeypatch.setattr(pool, "LINGER_SECONDS", moment)
    monkeypatch.setattr(pool, "CONNECTORS", 1)
    client = connect(serve(answer_all).url)
    client.post_all(4)
    with within(1):
        client.wind_down(until)
    late.release.set()
    assert client.post().outcome == "delivered"
    client.wind_down(5)
    assert late.begun == 2  # the one that had begun; the others never will


def cut(peer: socket.socket, _number: int) -> None:
    peer.recv(1)


def rst(peer: socket.socket, _number: int) -> None:
    peer.recv(1)
    reset(peer)


def speak_http(peer: socket.socket, _number: int) -> None:
    peer.recv(65536)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("play", "detail"),
    [
        (cut, ("no connection: connection closed", "no connection: connection reset")),
        (rst, ("no connection: connection reset", "no connection: connection closed")),
        (speak_http, ("no connection: TLS failed",)),
    ],
    ids=["cut", "reset", "plain HTTP"],
)
def test_a_handshake_that_fails_is_unavailable(
    connect: Connect, serve: Serve, play: Play, detail: tuple[str, ...]
) -> None:
    server = serve(play)
    with within(2):
        verdict = connect(f"https://{server.address}/").post()
    assert verdict.outcome == "unavailable"
    assert verdict.detail in detail
    assert server.connections == 1


def test_a_handshake_that_hangs_is_unavailable_in_time(connect: Connect, serve: Serve) -> None:
    server: RawServer = serve(lambda _peer, _number: server.leaving.wait(10))
    with within(PATIENCE + 0.4):
        verdict = connect(f"https://{server.address}/").post(timeout=PATIENCE)
    assert said(verdict) == ("unavailable", "no connection in time")


def test_a_handshake_that_hangs_ends_by_itself(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECT_TIMEOUT", 0.2)
    server: RawServer = serve(lambda _peer, _number: server.leaving.wait(10))
    with within(2):
        assert said(connect(f"https://{server.address}/").post()) == ("unavailable", "no connection: timed out")


@pytest.mark.parametrize("name", ["kochava.test", "127.0.0.2"])
def test_a_certificate_for_another_name_is_unavailable(
    connect: Connect, serve: Serve, authority: trustme.CA, trusted: None, name: str
) -> None:
    del trusted
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    seen: list[bytes] = []
    server = serve(lambda peer, _number: seen.append(peer.recv(65536)), tls=context)
    verdict = connect(server.url).post()
    assert said(verdict) == ("unavailable", "no connection: certificate not trusted")
    assert server.ended.wait(5)
    assert not any(seen), "nothing personal went to a stranger"


def test_a_certificate_that_nobody_vouches_for_is_unavailable(connect: Connect, tls: ssl.SSLContext) -> None:
    with Sandbox(ssl_context=tls) as sandbox:
        verdict = connect(sandbox.url).post()
        assert said(verdict) == ("unavailable", "no connection: certificate not trusted")
        assert sandbox.received == []


# --- how much was written decides ---------------------------------------------------------------------------

BULKY = json.dumps({"data": {"padding": "x" * 16 * 1024 * 1024}}).encode()  # more than the kernel takes unread


def test_a_reset_before_the_request_was_written_is_unavailable(connect: Connect, serve: Serve) -> None:
    def unread(peer: socket.socket, _number: int) -> None:
        peer.recv(1)
        reset(peer)

    server = serve(unread, receive_buffer=4096)
    with within(2):
        verdict = connect(server.url).post(BULKY)
    assert verdict.outcome == "unavailable"
    assert verdict.detail.startswith("not sent: ")


def test_a_server_that_never_reads_is_unavailable_in_time(connect: Connect, serve: Serve) -> None:
    server: RawServer = serve(lambda _peer, _number: server.leaving.wait(10), receive_buffer=4096)
    with within(PATIENCE + 0.4):
        verdict = connect(server.url).post(BULKY, timeout=PATIENCE)
    assert said(verdict) == ("unavailable", "not sent: no answer in time")


def test_a_reset_of_a_fresh_connection_is_unavailable_or_ambiguous_but_never_raises(
    connect: Connect, serve: Serve
) -> None:
    server = serve(lambda peer, _number: reset(peer))  # whether the request was written is the kernel's secret
    client = connect(server.url)
    for _ in range(20):
        verdict = client.post()
        assert verdict.outcome == ("unavailable" if verdict.detail.startswith("n") else "ambiguous")


def refuse_and_wait(peer: socket.socket, _number: int) -> None:
    peer.recv(1024)
    peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
    threading.Event().wait(0.2)  # the kernel still holds unread bytes, so that closing sends a reset


def refuse_and_reset(peer: socket.socket, _number: int) -> None:
    peer.recv(1024)
    peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 7\r\n\r\ntoo big")


@pytest.mark.parametrize("play", [refuse_and_wait, refuse_and_reset])
def test_an_answer_before_the_request_is_written_counts(connect: Connect, serve: Serve, play: Play) -> None:
    server = serve(play, receive_buffer=4096)
    with within(2):
        verdict = connect(server.url).post(BULKY)
    assert said(verdict) == ("rejected", "HTTP 413: too big")


def test_a_connection_with_half_a_request_on_it_is_not_used_again(connect: Connect, serve: Serve) -> None:
    answered = threading.Event()

    def refuse_the_first(peer: socket.socket, number: int) -> None:
        if number > 1:
            answer_all(peer, number)
            return
        peer.recv(1024)
        peer.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\n\r\ntoo big")
        answered.wait(5)
        while peer.recv(65536):  # would take the next request for the rest of this one's body
            pass

    client = connect(serve(refuse_the_first, receive_buffer=4096).url)
    assert said(client.post(BULKY)) == ("rejected", "HTTP 413: too big")
    answered.set()
    assert said(client.post(timeout=2)) == ("delivered", "")


def test_a_kept_connection_that_cannot_be_written_is_replaced(connect: Connect, serve: Serve) -> None:
    def reset_the_second(peer: socket.socket, number: int) -> None:
        read_request(peer)
        peer.sendall(SUCCESS)
        if number == 1:
            peer.recv(1)  # the next request has begun
            reset(peer)

    server = serve(reset_the_second)
    client = connect(server.url)
    assert said(client.post()) == ("delivered", "")
    assert said(client.post(BULKY)) == ("delivered", ""), "nothing was sent whole, so that another one decides"
    assert server.connections == 2


def test_what_is_written_in_pieces_arrives_whole(connect: Connect, serve: Serve) -> None:
    seen: list[bytes] = []

    def read(peer: socket.socket, _number: int) -> None:
        seen.append(read_request(peer))
        peer.sendall(SUCCESS)

    server = serve(read)
    assert said(connect(server.url).post(BULKY)) == ("delivered", "")
    assert seen[0].partition(b"\r\n\r\n")[2] == BULKY


# --- the request --------------------------------------------------------------------------------------------


def test_the_exact_bytes_on_the_wire(connect: Connect, serve: Serve) -> None:
    seen: list[bytes] = []

    def keep(peer: socket.socket, _number: int) -> None:
        seen.append(read_request(peer))
        peer.sendall(SUCCESS)

    server = serve(keep)
    assert said(connect(f"http://{server.address}/track/json?x=1").post()) == ("delivered", "")
    assert seen == [
        b"POST /track/json?x=1 HTTP/1.1\r\n"
        b"Host: " + server.address.encode() + b"\r\n"
        b"User-Agent: Unknown\r\n"
        b"Content-Type: application/json\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(PAYLOAD), PAYLOAD)
    ]


@pytest.mark.parametrize(("path", "target"), [("", b"/"), ("?x=1", b"/?x=1"), ("/track/json", b"/track/json")])
def test_an_endpoint_without_a_path_is_asked_at_its_root(
    connect: Connect, serve: Serve, path: str, target: bytes
) -> None:
    seen: list[bytes] = []

    def keep(peer: socket.socket, _number: int) -> None:
        seen.append(read_request(peer))
        peer.sendall(SUCCESS)

    connect(f"http://{serve(keep).address}{path}").post()
    assert [request.partition(b"\r\n")[0] for request in seen] == [b"POST " + target + b" HTTP/1.1"]


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("https://kochava.invalid/", 443), ("http://kochava.invalid/", 80), ("https://kochava.invalid:8443/", 8443)],
)
def test_an_endpoint_without_a_port_is_asked_at_its_schemes_own(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, endpoint: str, port: int
) -> None:
    asked: list[tuple[str, int]] = []

    def look_up(host: str, port: int, *_: object, **__: object) -> None:
        asked.append((host, port))
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    connect(endpoint).post()
    assert asked == [("kochava.invalid", port)]


class Secret:
    """A store whose credentials are always refused; keeps until when it was asked to wait."""

    def __init__(self) -> None:
        self.deadlines: list[float] = []

    async def credentials(self, deadline: float) -> Credentials:
        self.deadlines.append(deadline)
        return Credentials("test-api-key", "test-app-secret")

    async def renewed(self, _refused: Credentials, deadline: float) -> Credentials | None:
        self.deadlines.append(deadline)
        return None

    def close(self) -> None:
        """Keep nothing."""


@pytest.mark.usefixtures("no_thread_left")
def test_reading_the_secret_before_and_after_a_refusal_counts_towards_the_requests_time(sandbox: Sandbox) -> None:
    sandbox.script("401")
    secret = Secret()
    with Client(sandbox.url, cast("CredentialsStore", secret)) as client:
        began = time.monotonic()  # the event loop's clock
        assert client.post(timeout=5).outcome == "misconfigured"
        ended = time.monotonic()
    first, second = secret.deadlines
    assert first == second
    assert began + 5 <= first <= ended + 5


def test_redirects_are_not_followed_and_cookies_not_kept(sandbox: Sandbox, connect: Connect) -> None:
    client = connect(sandbox.url)
    sandbox.script(
        "302:location=/elsewhere:header=Set-Cookie: a=b", "307:location=/track/json", "200:header=Set-Cookie: c=d"
    )
    assert [client.post().outcome for _ in range(4)] == [
        "misconfigured",
        "misconfigured",
        "delivered",
        "delivered",
    ]
    assert [one.answer for one in sandbox.received] == ["302", "307", "200", "200 success"]
    assert not any("cookie" in one.headers for one in sandbox.received)


# --- connections that are kept ------------------------------------------------------------------------------


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_kept_connection_is_used_again(
    connect: Connect, tls: ssl.SSLContext, trusted: None, *, secure: bool
) -> None:
    del trusted
    with Sandbox(ssl_context=tls if secure else None) as sandbox:
        client = connect(sandbox.url)
        for _ in range(3):
            assert {verdict.outcome for verdict in client.post_all(5)} == {"delivered"}
        assert 1 <= sandbox.connections <= 5
        assert len(sandbox.received) == 15


def test_all_connections_share_one_tls_context(
    connect: Connect, tls: ssl.SSLContext, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del trusted
    made: list[ssl.SSLContext] = []

    def make() -> ssl.SSLContext:
        made.append(create_urllib3_context())
        return made[-1]

    monkeypatch.setattr(pool, "create_urllib3_context", make)
    with Sandbox(ssl_context=tls) as sandbox:
        client = connect(sandbox.url)
        client.post_all(5)
        client.wind_down(5)
        client.post_all(10)
        assert sandbox.connections > 1
    assert len(made) == 1


@pytest.mark.parametrize("fault", ["close", "http10", "cut-body", "garbage", "huge"])
def test_a_connection_that_cannot_go_on_is_not_used_again(sandbox: Sandbox, connect: Connect, fault: str) -> None:
    sandbox.script(fault)
    client = connect(sandbox.url)
    client.post()
    assert said(client.post()) == ("delivered", "")
    assert [one.connection for one in sandbox.received] == [1, 2]


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("ending", ["closes", "resets", "says 408"])
def test_a_kept_connection_that_ended_meanwhile_is_noticed_before_use(  # noqa: PLR0913 - fixtures
    connect: Connect,
    serve: Serve,
    tls: ssl.SSLContext,
    trusted: None,
    ending: str,
    *,
    secure: bool,
) -> None:
    del trusted
    seen: list[int] = []
    go_on = threading.Event()

    def play(peer: socket.socket, number: int) -> None:
        read_request(peer)
        seen.append(number)
        peer.sendall(SUCCESS)
        if number == 1:
            go_on.wait(5)  # until the client has read the answer
            if ending == "says 408":
                peer.sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            elif ending == "resets":
                reset(peer)
        else:
            server.leaving.wait(5)

    server = serve(play, tls=tls if secure else None)
    client = connect(server.url)
    assert said(client.post()) == ("delivered", "")
    go_on.set()
    assert server.ended.wait(5)
    assert said(client.post()) == ("delivered", "")
    assert seen == [1, 2]


def test_a_kept_connection_that_ends_on_the_request_is_ambiguous_and_nothing_is_repeated(
    connect: Connect, serve: Serve
) -> None:
    seen: list[bytes] = []

    def play(peer: socket.socket, _number: int) -> None:
        seen.append(read_request(peer))
        peer.sendall(SUCCESS)
        seen.append(read_request(peer))

    client = connect(serve(play).url)
    assert said(client.post()) == ("delivered", "")
    assert said(client.post()) == ("ambiguous", "sent, but connection closed")
    assert len(seen) == 2


def test_more_than_was_asked_is_never_taken_for_the_next_answer(connect: Connect, serve: Serve) -> None:
    def play(peer: socket.socket, number: int) -> None:
        read_request(peer)
        peer.sendall(SUCCESS + SUCCESS if number == 1 else b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")
        peer.recv(1)

    client = connect(serve(play).url)
    assert said(client.post()) == ("delivered", "")
    assert said(client.post()) == ("rejected", "HTTP 400, empty body")
