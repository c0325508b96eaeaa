"""The command `python -m forwarder_tools.sandbox`: the sandbox in a terminal, until Ctrl-C."""

import argparse
import errno
import signal
import socket
import sys
from collections.abc import Sequence
from queue import SimpleQueue

from forwarder_tools.processes import interruptions
from forwarder_tools.sandbox.faults import KINDS, parse_duration
from forwarder_tools.sandbox.ledger import Received
from forwarder_tools.sandbox.service import LOOPBACK, Sandbox
from forwarder_tools.sandbox.signing import Credentials

DEFAULT_PORT = 8787  # where events/env.json sends samples


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C, SIGTERM or a closed terminal, printing one line for each event.

    Args:
        arguments: the command line's; None takes the process's own.

    Returns:
        The exit status: 0, 1 when the port cannot be had, or (by SystemExit) 2 for a wrong argument.
    """
    parser = options("python -m forwarder_tools.sandbox")
    return serve(parser.parse_args(arguments), parser)


def serve(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Do what `main` does, with a command line that has been read.

    Args:
        args: what it says.
        parser: has read it, and tells of a wrong argument.
    """
    try:
        sandbox = Sandbox(
            host=args.host,
            port=_port(args.port),
            credentials=_credentials(args.credentials),
            user_agent=args.user_agent,
            latency=parse_duration(args.latency),
            on_received=_print_line,
        )
        sandbox.script(*args.fault)
    except ValueError as error:
        parser.error(str(error))
    stop: SimpleQueue[int] = SimpleQueue()  # an Event would wait for itself when a signal interrupts another one
    for number in interruptions():
        signal.signal(number, lambda number, _frame: stop.put(number))
    try:
        with sandbox:
            print(f"Kochava sandbox: {sandbox.url}", flush=True)
            stop.get()
    except OSError as error:
        print(_why(error, args.host, args.port), file=sys.stderr)
        return 1
    return 0


def options(name: str) -> argparse.ArgumentParser:
    """Return what reads the command line of a command of this name."""
    parser = argparse.ArgumentParser(
        prog=name,
        description="A stand-in for Kochava's server-to-server API on this machine.",
        epilog="Faults: a status from 200 to 599, or\n"
        + "\n".join(f"  {name:18} {kind.meaning}" for name, kind in KINDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host",
        default=LOOPBACK,
        metavar="ADDRESS",
        help="the address of this machine to listen on (%(default)s); containers reach Docker's bridge",
    )
    parser.add_argument("--port", default=str(DEFAULT_PORT), help="TCP port, 0 for a free one (%(default)s)")
    parser.add_argument("--latency", default="0", metavar="TIME", help="what every answer takes, such as 50ms")
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME",
        help="answer the next event so (503*3: the next three, 503*: all); repeated: in turn",
    )
    parser.add_argument(
        "--credentials", metavar="KEY:SECRET", help="events must be signed with this API key and app secret"
    )
    parser.add_argument(
        "--user-agent",
        choices=("percent", "raw"),
        default="percent",
        help="how device_ua must be written (%(default)s)",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError(f"{text!r} is not a port; use a number from 0 to 65535")
    return int(text)


def _credentials(text: str | None) -> Credentials | None:
    if text is None:
        return None
    api_key, colon, app_secret = text.partition(":")
    if not (api_key and colon and app_secret):
        raise ValueError("--credentials: not an API key and a secret; write them as KEY:SECRET")
    return Credentials(api_key, app_secret)


def _print_line(received: Received) -> None:
    """Print the event's name, or another action, and the answer: never what identifies a person."""
    title = received.title
    print(f"{title if title.isprintable() else ascii(title)}  {received.answer}", flush=True)


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{host} is no address of this machine; choose another with --host ADDRESS"
    reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
    return f"port {port} {reason}; choose another with --port N, or --port 0 for a free one"


if __name__ == "__main__":
    sys.exit(main())
