"""`make sandbox`: what `sam local` needs beside it, until Ctrl-C, with a line for each event that arrives.

    python -m forwarder_tools.samlocal.serve --fault 503

It builds the function for this machine, starts a local cloud with a dead-letter queue, and then is the sandbox:
its options are those of `python -m forwarder_tools.sandbox`. The ports are those that `events/env.json` names.
"""

import sys
from collections.abc import Sequence

from forwarder_tools.localcloud import local_cloud
from forwarder_tools.processes import ToolError, end_on_signals
from forwarder_tools.samlocal.bridge import reachable_address
from forwarder_tools.samlocal.files import env_json, write_local_template
from forwarder_tools.sandbox.__main__ import main as serve_sandbox

HOW = """In another terminal, in this folder:
  .tools/sam/bin/sam local invoke ForwarderFunction -e events/purchase.json
  .tools/sam/bin/sam local start-lambda
"""


def main(arguments: Sequence[str] | None = None, name: str = "make sandbox") -> int:
    """Serve until Ctrl-C; return the exit status.

    Args:
        arguments: the command line's; None takes the process's own.
        name: what the command is called in its errors.
    """
    options = sys.argv[1:] if arguments is None else arguments
    end_on_signals()
    try:
        address = reachable_address()
        write_local_template()
        settings = env_json()
        with local_cloud(host=address, port=settings.cloud_port, tls=False) as cloud:
            cloud.sqs.create_queue(QueueName=settings.dead_letter_queue)
            print(f"{HOW}Dead letters: {cloud.url}/000000000000/{settings.dead_letter_queue}", flush=True)
            return serve_sandbox(["--host", address, "--port", str(settings.sandbox_port), *options])
    except ToolError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
