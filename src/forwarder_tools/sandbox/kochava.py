"""Kochava's part without any network: a request comes in, what to do about it comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from forwarder_tools.sandbox import control
from forwarder_tools.sandbox.answers import SUCCESS, Answer, refusal
from forwarder_tools.sandbox.contract import Contract
from forwarder_tools.sandbox.deliveries import Pause, Step
from forwarder_tools.sandbox.faults import Fault
from forwarder_tools.sandbox.ledger import Json, Ledger, Received, device_of, name_of
from forwarder_tools.sandbox.plan import WELL, Plan
from forwarder_tools.sandbox.reading import Request
from forwarder_tools.sandbox.signing import Credentials

PATH = "/track/json"

SUCCESS_BYTES = SUCCESS.whole()


def tell_nobody(received: Received) -> None:
    """Keep quiet about what was received."""
    del received


@dataclass(frozen=True, slots=True)
class Kochava:
    """Decides about requests.

    Attributes:
        contract: what an event must look like.
        credentials: what it must be signed with; None asks for no signature.
        latency: seconds that every answer takes.
        fast: answer every event with success (after the latency), counting but neither checking nor recording
            it. Faults for any event still strike.
        tell: called with each record as it is made, on the server's thread.
        ledger: where records go.
        plan: which event gets which fault.
    """

    contract: Contract = field(default=Contract())
    credentials: Credentials | None = None
    latency: float = 0.0
    fast: bool = False
    tell: Callable[[Received], None] = tell_nobody
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
        if request.target.startswith(control.PREFIX):
            return iter((control.answer(request, self.ledger, self.plan).whole(),))
        if request.target != PATH:
            answer, problems = refusal(404, f"path: not {PATH}"), (f"path: not {PATH}",)
        elif request.method != "POST":
            answer, problems = refusal(405, "method: not POST"), ("method: not POST",)
        else:
            return self._track(request)
        self._record(request, WELL, answer, problems)
        return self._perform(WELL, answer)

    def respond_fast(self) -> Iterator[Step] | bytes:
        """Decide about an event that nobody looks at; bytes are to be sent at once."""
        fault = self.plan.take(None, None)
        self.ledger.count(accepted=fault.counted)
        if fault is WELL and not self.latency:
            return SUCCESS_BYTES
        return self._perform(fault, fault.answer or SUCCESS)

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
        self.tell(received)

    def _perform(self, fault: Fault, answer: Answer) -> Iterator[Step]:
        latency = self.latency + fault.latency
        if latency:
            yield Pause(latency)
        yield from fault.delivery.steps(answer)
