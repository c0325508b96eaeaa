"""The program that stands in for Kochava, SQS and DynamoDB: a line comes in, a line of JSON goes out.

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

TABLE_SECONDS = 0.005
"""The same of DynamoDB."""

confirmed: list[str] = []
"""The ids of all entries."""

writes: list[int] = []
"""How many items each call to the table wrote."""


def confirm(_headers: Mapping[str, str], _path: str, body: bytes) -> Reply:
    """Answer a batch call: every entry is done."""
    ids = [entry["Id"] for entry in json.loads(body).get("Entries", [])]
    confirmed.extend(ids)
    time.sleep(SQS_SECONDS)
    done = [{"Id": one, "MessageId": one, "MD5OfMessageBody": ""} for one in ids]
    return _reply({"Successful": done, "Failed": []})


def write(_headers: Mapping[str, str], _path: str, body: bytes) -> Reply:
    """Answer a call to a table in which nothing is yet: every condition holds, whatever is written."""
    statements = json.loads(body).get("Statements")
    writes.append(len(statements or ["PutItem or UpdateItem"]))
    time.sleep(TABLE_SECONDS)
    return _reply({"Responses": [{} for _ in statements]} if statements else {})


def _reply(answer: Mapping[str, object]) -> Reply:
    return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.0"})


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
    with sandbox, HttpServer("sqs", confirm) as queues, HttpServer("dynamodb", write) as tables:
        for line in sys.stdin:
            stats = sandbox.stats
            answer = {
                "urls": {"kochava": sandbox.url, "sqs": queues.url, "dynamodb": tables.url},
                "counts": {
                    "requests": stats.requests,
                    "accepted": stats.accepted,
                    "connections": stats.connections,
                    "queue_entries": len(confirmed),
                    "table_calls": len(writes),
                    "table_writes": sum(writes),
                },
            }
            print(json.dumps(answer[line.strip()]), flush=True)


if __name__ == "__main__":
    main()
