"""Runs cells: one contender in a fresh process, one stand-in in another, a core for each."""

import json
import math
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import botocore
import trustme

from forwarder_tools import artifact
from forwarder_tools.processes import ROOT, ToolError, base_environment, tool
from tests.benchmarks.programs import Program, cores, program
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
        table: with the deduplication table, in which none of the events is.
        faults: what the stand-in answers at random, by weight.
    """

    records: int
    latency: float = 0.0
    workers: int = 64
    https: bool = False
    memory: int | None = None
    invocations: int = 3
    warm_up: bool = True
    table: bool = False
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
        error: the exception that it raised, by its name.
        apart: seconds of CPU that the contender counted by itself.
    """

    wall: float
    cpu: float
    failed: int = 0
    error: str = ""
    apart: float = 0.0
    requests: int = 0
    accepted: int = 0
    connections: int = 0
    queue_entries: int = 0
    table_calls: int = 0
    table_writes: int = 0


@dataclass(frozen=True)
class Run:
    """What one process of a contender came to; `imported` is the seconds that its import took."""

    invocations: tuple[Invocation, ...]
    imported: float
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
        self._certificate = folder / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self._certificate)
        self._bundle = folder / "authorities.pem"
        self._bundle.write_bytes(AUTHORITIES.read_bytes() + authority.cert_pem.bytes())
        # A copy: whoever builds something else meanwhile may clean the build away.
        self.function = shutil.copytree(artifact.build().parent / artifact.FUNCTION, folder / "function")
        self.core, self.other_core = cores()
        self._peers = tool("peers", "bin", "python")

    def run(self, cell: Cell) -> Run:
        """Run one cell.

        The first invocation follows the import at once, as in Lambda: what that leaves to a thread falls into it.

        Raises:
            ToolError: a program failed, or a request was lost or made twice.
        """
        setting = cell.setting
        with ExitStack() as stack:
            procs = stack.enter_context(limited(setting.memory)) if setting.memory else None
            if setting.memory and procs is None:
                raise ToolError("this machine does not let the benchmark limit a program's share of a core")
            stand_in = stack.enter_context(self._stand_in(setting))
            worker = stack.enter_context(self._worker(cell, stand_in))
            invoke = f"invoke {setting.records}"
            if setting.warm_up:
                _invoke(cell, worker, stand_in, invoke)
            lines = [f"{invoke} {procs or ''}", *[invoke] * (setting.invocations - 1)]
            measured = tuple(_invoke(cell, worker, stand_in, line) for line in lines)
            state = worker.ask("state")
        return Run(measured, **state | {"unwanted": tuple(state["unwanted"])})

    def _stand_in(self, setting: Setting) -> AbstractContextManager[Program]:
        wish = {
            "latency": setting.latency,
            "mix": dict(setting.faults),
            "certificate": str(self._certificate) if setting.https else None,
        }
        environment = base_environment(PYTHONPATH=f"{ROOT / 'src'}:{ROOT}")
        return program(sys.executable, "stand_in", json.dumps(wish), environment, self.other_core)

    def _worker(self, cell: Cell, stand_in: Program) -> AbstractContextManager[Program]:
        urls = stand_in.ask("urls")
        ours = cell.contender.startswith("ours")
        environment = self.environment(
            KOCHAVA_ENDPOINT=urls["kochava"],
            MAX_WORKERS=str(cell.setting.workers),
            AWS_ENDPOINT_URL_SQS=urls["sqs"],
            AWS_ENDPOINT_URL_DYNAMODB=urls["dynamodb"],
            DEDUPLICATION_TABLE="bench-events" if cell.setting.table else "",
            PYTHONPATH=f"{self.function}:{ROOT}" if ours else str(ROOT),
        )
        return program(sys.executable if ours else self._peers, "worker", cell.contender, environment, self.core)

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


def _invoke(cell: Cell, worker: Program, stand_in: Program, line: str) -> Invocation:
    before = stand_in.ask("counts")
    told = worker.ask(line)
    after = stand_in.ask("counts")
    done = Invocation(**told, **{name: after[name] - before[name] for name in before})
    contender, records = cell.contender, cell.setting.records
    if done.failed and contender not in MAY_FAIL and not cell.setting.faults:
        raise ToolError(f"{contender}: {done.failed} of {records} records failed {done.error}".rstrip())
    expected = 0 if contender == "floor" else records
    if done.requests != expected and not (done.failed and contender in MAY_FAIL):
        raise ToolError(f"{contender}: {done.requests} requests for {expected} records: no figures of that")
    return done
