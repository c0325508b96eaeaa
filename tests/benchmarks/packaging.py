"""The built artifact: how long its import takes, what that brings in, how large it is."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.lab import Lab
from tests.benchmarks.worker import UNWANTED

MODELS = "kochava_forwarder.contract.event"
"""The pydantic models alone."""

APP = "kochava_forwarder.app"
IMPORT_SECONDS = 30
_PROGRAM = """
import os, sys, time
os.sched_setaffinity(0, {{{core}}})
began = time.process_time()
import {module}
took = time.process_time() - began
import json
print(json.dumps([took, sorted(set({unwanted}) & set(sys.modules))]))
"""


@dataclass(frozen=True)
class Packaging:
    """Seconds of CPU and bytes.

    Args:
        unwanted: modules that the import brings in and should not.
    """

    models: float
    app: float
    ratio: float
    unwanted: tuple[str, ...]
    unzipped: int
    zipped: int


def examine(lab: Lab, rounds: int) -> Packaging:
    """Measure the artifact."""
    pairs = [(_import(lab, MODELS)[0], *_import(lab, APP)) for _ in range(rounds)]
    with TemporaryDirectory(prefix="bench-") as folder:
        archive = Path(shutil.make_archive(f"{folder}/function", "zip", lab.function))
        zipped = archive.stat().st_size
    return Packaging(
        models=median(models for models, _, _ in pairs),
        app=median(app for _, app, _ in pairs),
        ratio=median(app / models for models, app, _ in pairs),
        unwanted=pairs[0][2],
        unzipped=sum(path.stat().st_size for path in lab.function.rglob("*") if path.is_file()),
        zipped=zipped,
    )


def _import(lab: Lab, module: str) -> tuple[float, tuple[str, ...]]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(core=lab.core, module=module, unwanted=UNWANTED)],
        env=lab.environment(PYTHONPATH=str(lab.function)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=IMPORT_SECONDS,
    )
    took, unwanted = json.loads(done.stdout)
    return took, tuple(unwanted)
