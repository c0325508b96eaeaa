"""The program that calls one contender's handler: a line comes in, a line of JSON goes out.

    invoke N    call the handler with N records
    limit PATH  from now on run in the cgroup whose `cgroup.procs` is PATH
    state       peak memory, SSL contexts, modules that should not be there

It imports the standard library and the contender only, and ends with its standard input.
"""

import gc
import importlib
import json
import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from tests.benchmarks.workload import sqs_event

FUNCTION_TIMEOUT = 60.0
"""Seconds; what the template gives a function unless told otherwise."""

UNWANTED = ("boto3", "botocore.session", "requests", "aws_xray_sdk")
"""What only a failure may import. (Powertools itself imports botocore's empty package, in 0.3 ms.)"""


class Context:
    """What Lambda tells a handler about the invocation."""

    function_name = "bench"
    function_version = "$LATEST"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self) -> None:
        self._ends = time.monotonic() + FUNCTION_TIMEOUT

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function would be stopped."""
        return round(1000 * (self._ends - time.monotonic()))


def main() -> None:
    """Import the contender named by the first argument and do what the lines say."""
    answers = _claim_output()
    began = time.process_time()
    contender = importlib.import_module(f"tests.benchmarks.contenders.{sys.argv[1]}")
    _say(answers, {"import_cpu": time.process_time() - began})
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "invoke":
            _say(answers, _invoke(contender, int(arguments[0])))
        elif command == "limit":
            Path(arguments[0]).write_text(str(os.getpid()))
            _say(answers, {})
        else:
            _say(answers, _state())


def _claim_output() -> TextIO:
    """Keep the standard output for the answers; what the contender prints goes nowhere."""
    answers = os.fdopen(os.dup(1), "w")
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return answers


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _invoke(contender: Any, records: int) -> dict[str, Any]:
    event = sqs_event(records, time.time())
    context = Context()
    error = ""
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        failed = len(contender.handler(event, context)["batchItemFailures"])
    except Exception as raised:  # noqa: BLE001 - a contender that gives up has failed, whatever it says
        failed, error = records, type(raised).__name__
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    taken = getattr(contender, "taken", None)
    return {
        "wall": wall,
        "cpu": cpu,
        "failed": failed,
        "error": error,
        "apart": taken() if taken else 0.0,
    }


def _state() -> dict[str, Any]:
    gc.unfreeze()  # else what a contender froze is not among the objects
    return {
        "peak_bytes": _peak_bytes(),
        "ssl_contexts": sum(isinstance(one, ssl.SSLContext) for one in gc.get_objects()),
        "unwanted": [name for name in UNWANTED if name in sys.modules],
    }


def _peak_bytes() -> int:
    # Not `ru_maxrss`: a child that was forked by a larger process begins with that one's peak.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
