"""The program that stands in for Kochava, and for SQS: a line comes in, the counts go out as a line of JSON.

Its one argument is JSON: `latency` in seconds, `mix` of faults by weight, `certificate` (a PEM file with chain
and key) for HTTPS. It ends with its standard input.
"""

import json
import ssl
import sys

from forwarder_tools.sandbox import Sandbox
from tests.benchmarks.sqs import QueueStandIn

SEED = 7


def main() -> None:
    """Serve, and tell the counts, until there are no more lines."""
    wish = json.loads(sys.argv[1])
    tls = None
    if wish["certificate"]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(wish["certificate"])
    sandbox = Sandbox(fast=True, latency=wish["latency"], ssl_context=tls)
    if wish["mix"]:
        sandbox.mix(wish["mix"], seed=SEED)
    with sandbox, QueueStandIn() as queues:
        _say({"kochava": sandbox.url, "sqs": queues.url})
        for _ in sys.stdin:
            stats = sandbox.stats
            _say(
                {
                    "requests": stats.requests,
                    "accepted": stats.accepted,
                    "connections": stats.connections,
                    "queue_calls": queues.calls,
                    "queue_entries": queues.entries,
                }
            )


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
