"""The program that calls one contender's handler: a line comes in, a line of JSON goes out.

    invoke N [PATH]    call the handler with N records, from now on in the cgroup whose `cgroup.procs` is PATH
    state              seconds of the import, peak memory, SSL contexts, modules that should not be there

It imports the standard library and the contender only, and ends with its standard input.
"""

import gc
import importlib
import json
import os
import re
import ssl
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.benchmarks.workload import sqs_event

FUNCTION_TIMEOUT = 60.0
"""Seconds; what the template gives a function unless told otherwise."""

UNWANTED = ("boto3", "botocore.session", "requests", "aws_xray_sdk")
"""What only a failure may import. (Powertools itself imports botocore's empty package, in 0.3 ms.)"""


def main() -> None:
    """Import the contender named by the first argument and do what the lines say."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    with Path(os.devnull).open("w") as nowhere:  # where what the contender prints goes
        os.dup2(nowhere.fileno(), 1)
    began = time.perf_counter()
    contender = importlib.import_module(f"tests.benchmarks.contenders.{sys.argv[1]}")
    imported = time.perf_counter() - began
    for line in sys.stdin:
        command, *arguments = line.split()
        answers.write(
            json.dumps(invoke(contender, *arguments) if command == "invoke" else _state(imported)) + "\n"
        )


def invoke(contender: Any, records: str, procs: str | None = None) -> dict[str, Any]:
    """Call the handler, and tell what that took."""
    if procs:
        Path(procs).write_text(str(os.getpid()))
    event, ends = sqs_event(int(records), time.time()), time.monotonic() + FUNCTION_TIMEOUT
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: round(1000 * (ends - time.monotonic())))
    error = ""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        failed = len(contender.handler(event, context)["batchItemFailures"])
    except Exception as raised:  # noqa: BLE001 - a contender that gives up has failed, whatever it says
        failed, error = len(event["Records"]), type(raised).__name__
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    apart: list[float] = getattr(contender, "apart", [])
    told = {"wall": wall, "cpu": cpu, "failed": failed, "error": error, "apart": sum(apart)}
    apart.clear()
    return told


def _state(imported: float) -> dict[str, Any]:
    gc.unfreeze()  # else what a contender froze is not among the objects
    # Not `ru_maxrss`: a child that was forked by a larger process begins with that one's peak.
    (peak,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return {
        "imported": imported,
        "peak_bytes": int(peak) * 1024,
        "ssl_contexts": sum(isinstance(one, ssl.SSLContext) for one in gc.get_objects()),
        "unwanted": [name for name in UNWANTED if name in sys.modules],
    }


if __name__ == "__main__":
    main()
