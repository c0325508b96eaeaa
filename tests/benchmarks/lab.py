"""Runs cells: one contender in a fresh process, one stand-in in another, a core for each."""

import json
import math
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import botocore
import trustme

from forwarder_tools import artifact
from forwarder_tools.processes import ROOT, ToolError, base_environment, tool
from tests.benchmarks.programs import Json, Program, cores, program
from tests.benchmarks.share import limited
from tests.benchmarks.workload import APP_ID

AUTHORITIES = Path(botocore.__file__).with_name("cacert.pem")
"""The certificate authorities that a client loads besides ours: loading them is a part of the first request."""

MAY_FAIL = frozenset({"httpx_gathered"})
"""Contenders whose failure is a result. Of the others it would be a figure of something else."""


@dataclass(frozen=True)
class Setting:
    """What a cell is measured under.

    Args:
        records: in each invocation (N).
        latency: seconds that an answer takes (L).
        workers: requests in flight at the most (W).
        https: over TLS.
        memory: MB of the function, which decide its share of a core; None for a full core.
        invocations: how many are measured.
        warm_up: whether one goes before them, at full speed.
        faults: what the stand-in answers at random, by weight.
    """

    records: int
    latency: float = 0.0
    workers: int = 64
    https: bool = False
    memory: int | None = None
    invocations: int = 3
    warm_up: bool = True
    faults: tuple[tuple[str, int], ...] = ()

    @property
    def ideal(self) -> float:
        """The seconds that an invocation takes when nothing but the answers takes time."""
        return math.ceil(self.records / self.workers) * self.latency


@dataclass(frozen=True)
class Cell:
    """What is run: a contender, by its module's name, under a setting."""

    contender: str
    setting: Setting


@dataclass(frozen=True)
class Invocation:
    """What one invocation took, in seconds; `requests` and what follows are the stand-in's own counts.

    Args:
        failed: records that the handler reported failed.
        apart: seconds of CPU that the contender counted by itself.
    """

    wall: float
    cpu: float
    failed: int
    apart: float
    requests: int
    accepted: int
    connections: int
    queue_calls: int
    queue_entries: int


@dataclass(frozen=True)
class Run:
    """What one process of a contender came to."""

    invocations: tuple[Invocation, ...]
    peak_bytes: int
    ssl_contexts: int
    unwanted: tuple[str, ...]


class Lab:
    """Where cells are run.

    Args:
        folder: for certificates, and gone afterwards.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1")
        self._certificate = folder / "server.pem"
        certificate.private_key_and_cert_chain_pem.write_to_path(self._certificate)
        self._bundle = folder / "authorities.pem"
        self._bundle.write_bytes(AUTHORITIES.read_bytes() + authority.cert_pem.bytes())
        # A copy: whoever builds something else meanwhile may clean the build away.
        self.function = shutil.copytree(artifact.build().parent / artifact.FUNCTION, folder / "function")
        self.core, self.other_core = cores()
        self._peers = tool("peers", "bin", "python")

    def run(self, cell: Cell) -> Run:
        """Run one cell.

        Raises:
            ToolError: a program failed, or a request was lost or made twice.
        """
        setting = cell.setting
        with ExitStack() as stack:
            procs = stack.enter_context(limited(setting.memory)) if setting.memory else None
            stand_in, urls = stack.enter_context(self._stand_in(setting))
            worker = stack.enter_context(self._worker(cell, urls))
            if setting.memory and procs is None:
                raise ToolError("this machine does not let the benchmark limit a program's share of a core")
            running = _Running(cell, worker, stand_in)
            lines = [f"limit {procs}"] if procs else []
            if setting.warm_up:
                running.invoke(answers_first=1)
                first = running.invoke(lines)
            else:
                first = running.invoke(lines, answers_first=1)
            measured = (first, *(running.invoke() for _ in range(setting.invocations - 1)))
            state = worker.ask("state")
        return Run(measured, state["peak_bytes"], state["ssl_contexts"], tuple(state["unwanted"]))

    @contextmanager
    def _stand_in(self, setting: Setting) -> Iterator[tuple[Program, Json]]:
        wish = {
            "latency": setting.latency,
            "mix": dict(setting.faults),
            "certificate": str(self._certificate) if setting.https else None,
        }
        environment = base_environment(PYTHONPATH=f"{ROOT / 'src'}:{ROOT}")
        with program(sys.executable, "stand_in", [json.dumps(wish)], environment, self.other_core) as stand_in:
            yield stand_in, stand_in.answer()

    @contextmanager
    def _worker(self, cell: Cell, urls: Json) -> Iterator[Program]:
        ours = cell.contender.startswith("ours")
        environment = self.environment(
            KOCHAVA_ENDPOINT=urls["kochava"],
            MAX_WORKERS=str(cell.setting.workers),
            AWS_ENDPOINT_URL=urls["sqs"],
            PYTHONPATH=f"{self.function}:{ROOT}" if ours else str(ROOT),
        )
        python = sys.executable if ours else str(self._peers)
        with program(python, "worker", [cell.contender], environment, self.core) as worker:
            yield worker

    def environment(self, **more: str) -> dict[str, str]:
        """Return a contender's environment: as Lambda would have it, nowhere near AWS."""
        return base_environment(
            KOCHAVA_APP_ID=APP_ID,
            DEAD_LETTER_QUEUE_URL="http://127.0.0.1/123456789012/dead-letters",
            SSL_CERT_FILE=str(self._bundle),
            REQUESTS_CA_BUNDLE=str(self._bundle),
            LAMBDA_TASK_ROOT=str(self.function),
            AWS_REGION="us-east-1",
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="bench",
            AWS_SECRET_ACCESS_KEY="bench",
            **more,
        )


@contextmanager
def lab() -> Iterator[Lab]:
    """Set up a lab; nothing of it is left afterwards."""
    with TemporaryDirectory(prefix="bench-") as folder:
        yield Lab(Path(folder))


@dataclass(frozen=True)
class _Running:
    cell: Cell
    worker: Program
    stand_in: Program

    def invoke(self, lines: Sequence[str] = (), *, answers_first: int = 0) -> Invocation:
        """Invoke once, without a pause after what comes before.

        The first one follows the import at once, as in Lambda: what an import leaves to a thread falls into it.

        Args:
            lines: for the worker, before the invocation.
            answers_first: how many the worker owes besides those to `lines`: one as long as it is importing.
        """
        setting = self.cell.setting
        before = self.stand_in.ask("counts")
        for line in (*lines, f"invoke {setting.records}"):
            self.worker.tell(line)
        for _ in range(answers_first + len(lines)):
            self.worker.answer()
        told = self.worker.answer()
        after = self.stand_in.ask("counts")
        done = Invocation(
            wall=told["wall"],
            cpu=told["cpu"],
            failed=told["failed"],
            apart=told["apart"],
            **{name: after[name] - before[name] for name in before},
        )
        self._must_be_right(done, told["error"])
        return done

    def _must_be_right(self, done: Invocation, error: str) -> None:
        contender, setting = self.cell.contender, self.cell.setting
        may_fail = contender in MAY_FAIL or setting.faults
        if done.failed and not may_fail:
            raise ToolError(f"{contender}: {done.failed} of {setting.records} records failed {error}".rstrip())
        expected = 0 if contender == "floor" else setting.records
        if done.requests != expected and not (done.failed and contender in MAY_FAIL):
            raise ToolError(f"{contender}: {done.requests} requests for {expected} records: no figures of that")
