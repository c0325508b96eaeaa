"""Connections over real sockets: what ends them, and when they are not used again."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable

import pytest

from kochava_forwarder.http import connection
from kochava_forwarder.http.connection import KEEP_IDLE, MARGIN, MAX_AGE, Connection, NoAnswerError
from kochava_forwarder.http.pool import ConnectionPool
from kochava_forwarder.http.response import Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
SUCCESS = OK + b"\r\nhi"
REQUEST = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"

type Use[R] = Callable[[Connection, socket.socket], Awaitable[R]]


def run[R](use: Use[R], age: float = 0.0) -> R:
    """Use a connection to a socket of the test's, which was opened `age` seconds ago."""

    async def used() -> R:
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        open_one = Connection(ours, loop, loop.time() - age)
        try:
            return await use(open_one, theirs)
        finally:
            open_one.close()
            theirs.close()

    return asyncio.run(used())


async def exchange(open_one: Connection, theirs: socket.socket, answer: bytes) -> Response:
    """Exchange one request for `answer`."""
    theirs.sendall(answer)
    return await open_one.exchange(REQUEST, asyncio.get_running_loop().time() + 5)


def test_the_limits_are_those_of_load_balancers_and_names() -> None:
    assert KEEP_IDLE < 60, "load balancers drop an idle connection after a minute"
    assert MAX_AGE <= 300, "a name that moves is noticed"


@pytest.mark.parametrize(("age", "usable"), [(0.0, True), (KEEP_IDLE + 1, False)])
def test_a_connection_that_was_opened_long_ago_is_not_used(age: float, *, usable: bool) -> None:
    async def use(open_one: Connection, _: socket.socket) -> bool:
        return open_one.is_usable(KEEP_IDLE)

    assert run(use, age) is usable


def test_a_connection_that_was_opened_long_ago_is_used_if_it_was_used_just_now() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> bool:
        await exchange(open_one, theirs, SUCCESS)
        return open_one.is_usable(KEEP_IDLE)

    assert run(use, KEEP_IDLE + 1) is True


def test_a_busy_connection_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> list[bool]:
        usable = []
        for age in (MAX_AGE, 0.0):
            monkeypatch.setattr(connection, "MAX_AGE", age)
            await exchange(open_one, theirs, SUCCESS)
            usable.append(open_one.is_usable(KEEP_IDLE))
        return usable

    assert run(use) == [True, False]


@pytest.mark.parametrize(
    ("announced", "keep_idle"),
    [(b"", KEEP_IDLE), (b"Keep-Alive: timeout=5\r\n", 5 - MARGIN), (b"Keep-Alive: max=9, timeout=1\r\n", 0.5)],
)
def test_a_servers_announced_idle_time_is_obeyed_with_a_margin(announced: bytes, keep_idle: float) -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> float:
        await exchange(open_one, theirs, OK + announced + b"\r\nhi")
        return open_one.keep_idle

    assert run(use) == keep_idle


def test_a_connection_that_its_server_keeps_for_no_time_is_not_used_again() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> bool:
        await exchange(open_one, theirs, OK + b"Keep-Alive: timeout=0\r\n\r\nhi")
        return open_one.is_usable(KEEP_IDLE)

    assert run(use) is False


@pytest.mark.parametrize("when", ["before", "with", "after"])
def test_a_second_answer_closes_the_connection(when: str) -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> bool:
        if when == "before":
            theirs.sendall(SUCCESS)
            return open_one.is_usable(KEEP_IDLE)
        await exchange(open_one, theirs, SUCCESS * (2 if when == "with" else 1))
        if when == "after":
            theirs.sendall(SUCCESS)
        return open_one.is_usable(KEEP_IDLE)

    assert run(use) is False


def test_an_answer_that_arrived_while_the_process_was_frozen_is_read_before_time_is_called() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> Response:
        loop = asyncio.get_running_loop()
        asked = asyncio.create_task(open_one.exchange(REQUEST, loop.time() + 0.05))
        await asyncio.sleep(0)
        theirs.sendall(SUCCESS)
        threading.Event().wait(0.1)  # frozen: the deadline passes, and the answer lies in the socket
        return await asked

    assert run(use).body == b"hi"


def test_an_answer_that_came_before_the_write_failed_counts() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> tuple[Response, bool]:
        theirs.sendall(SUCCESS)
        theirs.close()
        response = await open_one.exchange(REQUEST, asyncio.get_running_loop().time() + 5)
        return response, open_one.closed

    assert run(use) == (Response(200, b"hi"), True)


def test_a_body_without_a_length_is_not_whole_when_time_runs_out() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> Response:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        return await open_one.exchange(REQUEST, asyncio.get_running_loop().time() + 0.05)

    assert run(use) == Response(200, b"half", complete=False)


def test_an_earlier_deadline_than_the_last_ones_is_kept() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> float:
        loop = asyncio.get_running_loop()
        theirs.sendall(SUCCESS)
        await open_one.exchange(REQUEST, loop.time() + 30)
        began = loop.time()
        with pytest.raises(NoAnswerError, match="no answer in time"):
            await open_one.exchange(REQUEST, began + 0.1)
        return loop.time() - began

    assert run(use) < 5


def test_the_time_of_an_earlier_exchange_ends_no_later_one() -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> Response:
        loop = asyncio.get_running_loop()
        theirs.sendall(SUCCESS)
        first_ends = loop.time() + 0.05
        await open_one.exchange(REQUEST, first_ends)
        asked = asyncio.create_task(open_one.exchange(REQUEST, loop.time() + 5))
        loop.call_at(first_ends + 0.05, theirs.sendall, SUCCESS)
        return await asked

    assert run(use).body == b"hi"


def test_a_server_that_does_not_answer_in_time_teaches_nothing_about_idle_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> float:
        await exchange(open_one, theirs, SUCCESS)
        with pytest.raises(NoAnswerError, match="no answer in time"):
            await open_one.exchange(REQUEST, asyncio.get_running_loop().time() + 0.05)
        return open_one.keep_idle

    monkeypatch.setattr(connection, "SHORTEST_IDLE", 0.0)
    assert run(use) == KEEP_IDLE


def test_an_idle_connection_that_ends_teaches_to_use_the_next_ones_well_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def use(open_one: Connection, theirs: socket.socket) -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        await exchange(open_one, theirs, SUCCESS)
        idle_since = loop.time()
        await asyncio.sleep(0.1)
        theirs.shutdown(socket.SHUT_WR)
        idle = loop.time() - idle_since
        with pytest.raises(NoAnswerError, match="connection closed"):
            await open_one.exchange(REQUEST, loop.time() + 5)
        return open_one.keep_idle, idle

    monkeypatch.setattr(connection, "SHORTEST_IDLE", 0.0)
    keep_idle, idle = run(use)
    assert keep_idle < idle


def test_an_exchange_that_is_cancelled_closes_its_connection() -> None:
    async def use(open_one: Connection, _: socket.socket) -> bool:
        asked = asyncio.create_task(open_one.exchange(REQUEST, asyncio.get_running_loop().time() + 5))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait([asked])
        return open_one.closed

    assert run(use) is True


def test_nothing_waits_for_room_to_write_once_all_is_written() -> None:
    request = bytes(4 * 1024 * 1024)  # more than the kernel takes unread

    async def written_in_pieces() -> bool:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)  # noqa: FBT003 - the socket's own signature
        open_one = Connection(ours, loop, loop.time())
        with theirs:
            asked = asyncio.create_task(open_one.exchange(request, loop.time() + 5))
            left = len(request)
            while left:
                left -= len(await loop.sock_recv(theirs, left))
            theirs.sendall(SUCCESS)
            await asked
            waits = loop.remove_writer(ours)
            open_one.close()
        return waits

    assert asyncio.run(written_in_pieces()) is False


# --- a server that moves, drains or ends what is idle --------------------------------------------------------


class Server:
    """Answers each request of each connection as told, and counts both."""

    def __init__(self, answer: Callable[[int, int], bytes | None]) -> None:
        self.requests: list[int] = []  # the number of the connection that each came over
        self.connections = 0
        self._answer = answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        count = 0
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            self.requests.append(number)
            answer = self._answer(number, count)
            count += 1
            if answer is None:
                break
            writer.write(answer)
        writer.close()


def pooled[R](server: Server, use: Callable[[ConnectionPool], Awaitable[R]]) -> R:
    async def used() -> R:
        async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
            pool = ConnectionPool("127.0.0.1", listening.sockets[0].getsockname()[1], tls=False)
            try:
                return await use(pool)
            finally:
                pool.close()

    return asyncio.run(used())


async def send(pool: ConnectionPool) -> int | str:
    """Send a request; return the status, or why there is none."""
    try:
        return (await pool.send(REQUEST, asyncio.get_running_loop().time() + 5)).status
    except NoAnswerError as error:
        return str(error)


FAILURES = pytest.mark.parametrize(
    "failure", [b"HTTP/1.1 503 Draining\r\nContent-Length: 0\r\n\r\n", None], ids=["503", "no answer"]
)


@FAILURES
def test_after_a_failure_the_next_request_opens_a_connection_and_so_looks_the_name_up_anew(
    failure: bytes | None,
) -> None:
    server = Server(lambda number, count: failure if (number, count) == (0, 1) else SUCCESS)

    async def use(pool: ConnectionPool) -> list[int | str]:
        return [await send(pool) for _ in range(3)]

    first, _, last = pooled(server, use)
    assert (first, last) == (200, 200)
    assert server.requests == [0, 0, 1]


@FAILURES
def test_after_a_failure_no_other_idle_connection_is_used_either(failure: bytes | None) -> None:
    server = Server(lambda number, _count: failure if number == 1 else SUCCESS)

    async def use(pool: ConnectionPool) -> list[int | str]:
        for one in [await pool.acquire(asyncio.get_running_loop().time() + 5) for _ in range(2)]:
            pool.release(one)
        return [await send(pool) for _ in range(2)]

    _, after = pooled(server, use)
    assert after == 200
    assert server.requests == [1, 2]


def test_the_connection_that_was_used_last_is_used_first() -> None:
    async def use(pool: ConnectionPool) -> bool:
        deadline = asyncio.get_running_loop().time() + 5
        first, last = [await pool.acquire(deadline) for _ in range(2)]
        pool.release(first)
        pool.release(last)
        found = await pool.acquire(deadline)
        pool.release(found)
        return found is last

    assert pooled(Server(lambda _number, _count: SUCCESS), use) is True


def test_one_end_of_an_idle_connection_teaches_how_long_one_may_be_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SHORTEST_IDLE", 0.05)
    server = Server(lambda number, count: None if (number, count) == (0, 1) else SUCCESS)

    async def use(pool: ConnectionPool) -> list[int | str]:
        found = []
        for _ in range(4):
            found.append(await send(pool))
            await asyncio.sleep(0.1)  # idle, for longer than the server likes
        return found

    first, ended, *rest = pooled(server, use)
    assert (first, ended, rest) == (200, "sent, but connection closed", [200, 200])
    assert server.requests == [0, 0, 1, 2], "after the one end no connection is used that was idle as long"
