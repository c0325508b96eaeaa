"""The program that stands in for Kochava, and for SQS: a line comes in, a line of JSON goes out.

    urls      where they are
    counts    of what they got

Its one argument is JSON: `latency` in seconds, `mix` of faults by weight, `certificate` (a PEM file with chain
and key) for HTTPS. It ends with its standard input.
"""

import json
import ssl
import sys
import time
from collections.abc import Mapping

from forwarder_tools.sandbox import Sandbox
from tests.http_server import HttpServer, Reply

SEED = 7
SQS_SECONDS = 0.01
"""What a call takes: about what SQS takes within a region."""

confirmed: list[str] = []
"""The ids of all entries."""


def confirm(_headers: Mapping[str, str], _path: str, body: bytes) -> Reply:
    """Answer a batch call: every entry is done."""
    ids = [entry["Id"] for entry in json.loads(body).get("Entries", [])]
    confirmed.extend(ids)
    time.sleep(SQS_SECONDS)
    done = [{"Id": one, "MessageId": one, "MD5OfMessageBody": ""} for one in ids]
    answer = json.dumps({"Successful": done, "Failed": []}).encode()
    return Reply(200, answer, {"Content-Type": "application/x-amz-json-1.0"})


def main() -> None:
    """Serve until there are no more lines."""
    wish = json.loads(sys.argv[1])
    tls = None
    if wish["certificate"]:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(wish["certificate"])
    sandbox = Sandbox(fast=True, latency=wish["latency"], ssl_context=tls)
    if wish["mix"]:
        sandbox.mix(wish["mix"], seed=SEED)
    with sandbox, HttpServer("sqs", confirm) as queues:
        for line in sys.stdin:
            stats = sandbox.stats
            answer = {
                "urls": {"kochava": sandbox.url, "sqs": queues.url},
                "counts": {
                    "requests": stats.requests,
                    "accepted": stats.accepted,
                    "connections": stats.connections,
                    "queue_entries": len(confirmed),
                },
            }
            print(json.dumps(answer[line.strip()]), flush=True)


if __name__ == "__main__":
    main()
