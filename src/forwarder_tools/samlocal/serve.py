"""`kochava-forwarder sandbox`: a sandbox of Kochava, until Ctrl-C, with a line for each event that arrives.

    kochava-forwarder sandbox --sam-local --fault 503

Its options are those of `python -m forwarder_tools.sandbox`. With `--sam-local`, as `make sandbox` calls it, it
has beside it what `sam local` needs: the function built for this machine, and a local cloud with a dead-letter
queue. The ports are then those that `events/env.json` names.
"""

import argparse
import sys
from collections.abc import Sequence

from forwarder_tools.processes import ToolError, end_on_signals, require_checkout
from forwarder_tools.sandbox.__main__ import options
from forwarder_tools.sandbox.__main__ import serve as serve_sandbox

HOW = """In another terminal, in this folder:
  .tools/sam/bin/sam local invoke ForwarderFunction -e events/purchase.json
  .tools/sam/bin/sam local start-lambda
"""
SAM_LOCAL = "--sam-local"


def main(arguments: Sequence[str] | None = None, name: str = "kochava-forwarder sandbox") -> int:
    """Serve until Ctrl-C; return the exit status.

    Args:
        arguments: the command line's; None takes the process's own.
        name: what the command is called in its help and errors.
    """
    parser = options(name)
    parser.add_argument(
        SAM_LOCAL,
        action="store_true",
        help="start what `sam local` needs beside it: a build, a dead-letter queue (takes Docker and a checkout)",
    )
    args = parser.parse_args(arguments)
    if not args.sam_local:
        return serve_sandbox(args, parser)
    end_on_signals()
    try:
        require_checkout(f"sandbox {SAM_LOCAL}")
        return _beside_sam_local(arguments, parser)
    except ToolError as problem:
        print(f"{name}: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _beside_sam_local(arguments: Sequence[str] | None, parser: argparse.ArgumentParser) -> int:
    from forwarder_tools.localcloud import local_cloud  # noqa: PLC0415 - what a plain sandbox does not need
    from forwarder_tools.samlocal import bridge, files  # noqa: PLC0415 - the same

    address = bridge.reachable_address()
    files.write_local_template()
    settings = files.env_json()
    with local_cloud(host=address, port=settings.cloud_port, tls=False) as cloud:
        cloud.sqs.create_queue(QueueName=settings.dead_letter_queue)
        print(f"{HOW}Dead letters: {cloud.url}/000000000000/{settings.dead_letter_queue}", flush=True)
        parser.set_defaults(host=address, port=str(settings.sandbox_port))
        return serve_sandbox(parser.parse_args(arguments), parser)


if __name__ == "__main__":
    sys.exit(main())
