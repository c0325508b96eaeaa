"""A stand-in for Kochava's server-to-server API, for people, tests, chaos runs and benchmarks.

    with Sandbox() as sandbox:
        sandbox.script("503", "429:retry-after=2")
        ...                      # send events to sandbox.url
        sandbox.wait_for(3)[-1].accepted

It checks what it receives by its own rules (`contract`, `actions`, `identifiers`), misbehaves as told (`faults`,
`deliveries`, `plan`), records everything (`ledger`) and serves the loopback address only (`server`). It shares no
code with the forwarder.
"""

from forwarder_tools.sandbox.contract import Contract
from forwarder_tools.sandbox.faults import KINDS, Fault, FaultError, parse_fault
from forwarder_tools.sandbox.ledger import Received
from forwarder_tools.sandbox.service import Sandbox
from forwarder_tools.sandbox.signing import Credentials

__all__ = [
    "KINDS",
    "Contract",
    "Credentials",
    "Fault",
    "FaultError",
    "Received",
    "Sandbox",
    "parse_fault",
]
