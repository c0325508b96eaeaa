"""Kochava's part without any network: a request comes in, what to do about it comes out.

One more path is for whoever runs the sandbox: GET /_sandbox/received tells what came, in order.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

from forwarder_tools.sandbox.answers import SUCCESS, Answer, json_answer, refusal
from forwarder_tools.sandbox.contract import Contract, Headers
from forwarder_tools.sandbox.deliveries import Pause, Step
from forwarder_tools.sandbox.faults import Fault
from forwarder_tools.sandbox.ledger import Json, Ledger, Received, device_of, name_of
from forwarder_tools.sandbox.plan import OK, Plan
from forwarder_tools.sandbox.signing import Credentials

PATH = "/track/json"
RECEIVED_PATH = "/_sandbox/received"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, read to its end or, when it is to be reset before, only its headers.

    Attributes:
        target: path and query.
        headers: names in lower case with their values, in order of arrival.
        body: the exact bytes.
        arrived: monotonic seconds at which it began to arrive.
        keep_alive: whether the client wants the connection to stay.
        connection: the number of its TCP connection, from 1.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    arrived: float
    keep_alive: bool
    connection: int


@dataclass(frozen=True, slots=True)
class Kochava:
    """Decides about requests.

    Attributes:
        contract: what an event must look like.
        credentials: as those of `Sandbox`, like `latency`, `fast` and `on_received`.
        ledger: where records go.
        plan: which event gets which fault.
    """

    contract: Contract
    credentials: Credentials | None
    latency: float
    fast: bool
    on_received: Callable[[Received], None] | None
    ledger: Ledger = field(default_factory=Ledger)
    plan: Plan = field(default_factory=Plan)

    def before_reading(self, request: Request) -> Iterator[Step] | None:
        """Return the steps against a request of which only the headers were read; None to read it."""
        fault = self.plan.take_early() if request.target == PATH else None
        if fault is None:
            return None
        self._record(request, fault, SUCCESS)
        return self._perform(fault, SUCCESS)

    def respond(self, request: Request) -> Iterator[Step]:
        """Decide about a complete request, record it, and return the steps to perform."""
        path = request.target.partition("?")[0]
        if request.method == "GET" and path == RECEIVED_PATH:
            return iter((json_answer(200, [_as_json(one) for one in self.ledger.received]).whole(),))
        if path != PATH:
            return self._refuse(request, 404, f"path: not {PATH}")
        if request.method != "POST":
            return self._refuse(request, 405, "method: not POST")
        if self.fast:
            fault = self.plan.take(None, None)
            self.ledger.count(accepted=fault.counted)
            return self._perform(fault, fault.answer or SUCCESS)
        return self._track(request)

    def _refuse(self, request: Request, status: int, problem: str) -> Iterator[Step]:
        answer = refusal(status, problem)
        self._record(request, OK, answer, (problem,))
        return self._perform(OK, answer)

    def _track(self, request: Request) -> Iterator[Step]:
        event, problems = self.contract.read(request.headers, request.body)
        signature = tuple(self.credentials.problems(request.headers, request.body)) if self.credentials else ()
        problems = (*signature, *problems)
        due = refusal(401 if signature else 400, *problems) if problems else SUCCESS
        fault = self.plan.take(device_of(event), name_of(event))
        answer = fault.answer or due
        self._record(request, fault, answer, problems, event)
        return self._perform(fault, answer)

    def _record(
        self,
        request: Request,
        fault: Fault,
        answer: Answer,
        problems: tuple[str, ...] = (),
        event: Json | None = None,
    ) -> None:
        if self.fast:
            self.ledger.count(accepted=fault.counted and not problems, refused=bool(problems))
            return
        headers: dict[str, str] = {}
        for name, value in request.headers:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        received = Received(
            body=request.body,
            event=event,
            headers=headers,
            problems=problems,
            answer=fault.delivery.label.format(answer),
            accepted=fault.counted and not problems,
            arrived=request.arrived,
            connection=request.connection,
        )
        self.ledger.record(received)
        if self.on_received:
            self.on_received(received)

    def _perform(self, fault: Fault, answer: Answer) -> Iterator[Step]:
        latency = self.latency + fault.latency
        if latency:
            yield Pause(latency)
        yield from fault.delivery.steps(answer, fault.tuning)


def _as_json(received: Received) -> Json:
    # Bytes that are not UTF-8 are shown, not kept: whoever needs them exactly uses the Python API.
    return asdict(received) | {"body": received.body.decode("utf-8", "backslashreplace")}
