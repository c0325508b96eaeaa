"""The sandbox as Python sees it: a server in a thread of its own, and what it is told and asked."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Self

from forwarder_tools.background import Background
from forwarder_tools.sandbox import plan
from forwarder_tools.sandbox.actions import UserAgentForm
from forwarder_tools.sandbox.contract import Contract
from forwarder_tools.sandbox.faults import Fault, parse_fault, parse_repeat
from forwarder_tools.sandbox.kochava import PATH, Kochava
from forwarder_tools.sandbox.ledger import Received, Stats
from forwarder_tools.sandbox.plan import Match
from forwarder_tools.sandbox.server import Connection, stop
from forwarder_tools.sandbox.signing import Credentials

LOOPBACK = "127.0.0.1"
"""The default: what answers like Kochava and records everything need not be reachable from elsewhere."""

BACKLOG = 1024


class Sandbox(Background):
    """A stand-in for Kochava on this machine, serving while the `with` block runs.

    Args:
        host: the address to listen on; another than the loopback one lets containers in, say.
        port: the TCP port; 0 takes a free one.
        ssl_context: the server's context for https; None serves http.
        credentials: events must be signed with these; None asks for no signature.
        user_agent: how `device_ua` must be written: `percent` (encoded once) or `raw`.
        latency: seconds that every answer takes.
        fast: answer every event with success, counting but neither checking nor recording it.
        on_received: called with each record as it is made, on the server's thread.
    """

    def __init__(  # noqa: PLR0913 - each is one independent setting, all by name
        self,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        credentials: Credentials | None = None,
        user_agent: UserAgentForm = "percent",
        latency: float = 0.0,
        fast: bool = False,
        on_received: Callable[[Received], None] | None = None,
    ) -> None:
        super().__init__("kochava-sandbox")
        self._kochava = Kochava(Contract(user_agent), credentials, latency, fast, on_received)
        self._tls = ssl_context
        self._host = host
        self._port = port
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    def __enter__(self) -> Self:
        """Start to serve.

        Raises:
            OSError: the address or the port cannot be had.
        """
        super().__enter__()
        self._started.result()
        return self

    def stop(self) -> None:
        """Reset what is still connected, and stop."""
        loop, leave = self._started.result()
        loop.call_soon_threadsafe(leave.set)

    @property
    def port(self) -> int:
        """The TCP port."""
        return self._port

    @property
    def url(self) -> str:
        """Where events are to be sent."""
        return f"{self.origin}{PATH}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: where the reports lie below."""
        return f"http{'s' if self._tls else ''}://{self._host}:{self._port}"

    @property
    def received(self) -> list[Received]:
        """A copy of what was received since the start or the last `clear`, in order."""
        return self._kochava.ledger.received

    @property
    def connections(self) -> int:
        """TCP connections opened since the start."""
        return self.stats.connections

    @property
    def stats(self) -> Stats:
        """The counts since the start; they go on while one looks."""
        return self._kochava.ledger.stats

    def script(self, *faults: Fault | str, device: str | None = None, event: str | None = None) -> None:
        """Answer the next events with these faults in turn, and as it should be afterwards.

        Rules are asked in the order in which they were added; the first that still has a fault decides.

        Args:
            faults: faults or their names, such as "503", "503*3" (three times), "503*" (until cleared).
            device: only events with this `kochava_device_id`.
            event: only events with this `event_name`.

        Raises:
            FaultError: a name is wrong, or a fault that strikes before reading is meant for certain events.
        """
        responses = [parse_repeat(fault) if isinstance(fault, str) else (fault, 1) for fault in faults]
        self._kochava.plan.add(plan.script(responses, Match(device, event)))

    def always(self, fault: Fault | str, *, device: str | None = None, event: str | None = None) -> None:
        """Answer all events with this fault until cleared; otherwise as `script`."""
        self._kochava.plan.add(plan.script([(_fault(fault), None)], Match(device, event)))

    def mix(self, weights: Mapping[Fault | str, float], *, seed: int) -> None:
        """Answer events with faults at random by weight, such as {"503": 1, "ok": 9}, until cleared.

        The same seed gives the same sequence. Otherwise as `script`.
        """
        self._kochava.plan.add(plan.mix({_fault(fault): weight for fault, weight in weights.items()}, seed))

    def clear(self) -> None:
        """Forget all rules and all that was received; the counts go on."""
        self._kochava.plan.clear()
        self._kochava.ledger.clear()

    def wait_for(self, number: int, timeout: float = 10.0) -> list[Received]:
        """Wait until so many requests were received since the last `clear`, and return them.

        Args:
            number: how many.
            timeout: seconds.

        Raises:
            TimeoutError: they did not come in time.
        """
        return self._kochava.ledger.wait_for(number, timeout)

    def run(self) -> None:
        """Serve."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop, leave = asyncio.get_running_loop(), asyncio.Event()
        try:
            server = await loop.create_server(
                lambda: Connection(self._kochava, loop),
                self._host,
                self._port,
                backlog=BACKLOG,
                reuse_address=True,
                ssl=self._tls,
            )
        except OSError as error:
            self._started.set_exception(error)
            return
        self._port = server.sockets[0].getsockname()[1]
        self._started.set_result((loop, leave))
        await leave.wait()
        await stop(server)


def _fault(fault: Fault | str) -> Fault:
    return parse_fault(fault) if isinstance(fault, str) else fault
