"""The SQS event that every contender gets: a body of five models' worth of fields, about 706 bytes long.

Standard library only: the workers' environments have nothing else in common.
"""

import json
from typing import Any

type Json = dict[str, Any]

APP_ID = "kobench-app-1"
USER_AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


def body(index: int, now: int) -> str:
    """Return the body of one message: an event of a device of its own.

    Args:
        index: which device.
        now: seconds since 1970.
    """
    event = {
        "action": "event",
        "kochava_app_id": APP_ID,
        "kochava_device_id": f"KDbench{index:08}",
        "data": {
            "usertime": now,
            "app_version": "4.2.0",
            "device_ver": "iPhone15,2-iPhone OS-17.5",
            "device_ids": {"idfa": _uuid(0xA, index), "idfv": _uuid(0xB, index)},
            "device_ua": USER_AGENT,
            "origination_ip": "203.0.113.7",
            "currency": "EUR",
            "app_tracking_transparency": {"att": True, "att_time": now - 60, "att_detail": "authorized"},
            "event_name": "Purchase",
            "event_data": {
                "order_id": f"order-{index:08}",
                "name": "Skis, red",
                "price": 149.95,
                "quantity": 1,
                "currency": "EUR",
            },
        },
    }
    return json.dumps(event)


def sqs_event(records: int, now: float) -> Json:
    """Return an event as Lambda hands it to a function.

    Args:
        records: how many.
        now: seconds since 1970.
    """
    return {"Records": [_record(index, now) for index in range(records)]}


def _record(index: int, now: float) -> Json:
    sent = str(round(now * 1000))
    return {
        "messageId": _uuid(0, index),
        "receiptHandle": f"AQEB{index:08}" + "x" * 200,
        "body": body(index, int(now)),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": sent,
            "SenderId": "123456789012",
            "ApproximateFirstReceiveTimestamp": sent,
        },
        "messageAttributes": {},
        "md5OfBody": "c2cf1996819a6b936ccba3e8b7b7e595",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:kochava-events",
        "awsRegion": "us-east-1",
    }


def _uuid(kind: int, index: int) -> str:
    return f"{kind:08x}-0000-4000-8000-{index:012x}"
