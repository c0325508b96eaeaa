"""Which address of this machine its containers reach."""

import socket
import struct
import subprocess

from forwarder_tools.processes import ToolError
from forwarder_tools.sandbox.service import LOOPBACK

BRIDGE_NAME = (
    *("docker", "network", "inspect", "bridge"),
    *("--format", '{{index .Options "com.docker.network.bridge.name"}}'),
)
ENGINE_SECONDS = 30
SIOCGIFADDR = 0x8915
"""Linux's request for an interface's address."""


def reachable_address() -> str:
    """Return the address to listen on so that containers get through by `host-gateway`.

    That is the bridge's own address where this machine has the bridge, as on Linux. Docker Desktop keeps it in a
    virtual machine, and forwards to the loopback address.

    Raises:
        ToolError: Docker is not there or does not answer.
    """
    try:
        asked = subprocess.run(BRIDGE_NAME, capture_output=True, text=True, timeout=ENGINE_SECONDS, check=False)
    except FileNotFoundError:
        raise ToolError("docker is not installed: install it, or use `make invoke`, which needs none") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"Docker's engine does not answer within {ENGINE_SECONDS} s: restart it") from None
    if asked.returncode != 0:
        reason = (asked.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise ToolError(f"Docker's engine does not answer ({reason}): start it, or use `make invoke`")
    return address_of(asked.stdout.strip()) or LOOPBACK


def address_of(interface: str) -> str | None:
    """Return an interface's IPv4 address; None where there is no such interface."""
    try:
        import fcntl  # noqa: PLC0415 - Windows has none

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("256s", interface.encode()[:15])
            return socket.inet_ntoa(fcntl.ioctl(any_socket.fileno(), SIOCGIFADDR, request)[20:24])
    except (ImportError, OSError):
        return None
