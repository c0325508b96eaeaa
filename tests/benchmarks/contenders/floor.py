"""The floor: validation and serialisation alone. Nothing is sent."""

from typing import Any

from tests.benchmarks.contenders.models import payload


def handler(event: dict[str, Any], _context: object) -> dict[str, list[Any]]:
    for record in event["Records"]:
        payload(record["body"])
    return {"batchItemFailures": []}
