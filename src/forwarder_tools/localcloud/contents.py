"""What is in a local cloud: messages in queues, lines in logs, looked at without changing any."""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forwarder_tools.localcloud.cloud import get

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forwarder_tools.localcloud.cloud import LocalCloud

COMPLAINTS = ("WARNING [lambda", "ERROR [lambda", "WARNING [sqs", "ERROR [sqs")


@dataclass(frozen=True)
class Message:
    """A message that is in a queue."""

    id: str
    body: str
    attributes: Mapping[str, str]
    """Its message attributes; binary ones in base64."""
    receives: int
    """How often it was received."""
    visible: bool
    """False while somebody works on it, and until its visibility timeout is over."""
    visible_at: float
    """When that is over, in seconds since 1970."""
    group: str | None


def complaints(cloud: LocalCloud) -> list[str]:
    """Return what the cloud itself has logged as going wrong with functions and queues, such as a crash."""
    lines = (cloud.folder / "cloud.log").read_text(errors="replace").splitlines()
    return [line for line in lines if any(mark in line for mark in COMPLAINTS)]


def function_log(cloud: LocalCloud, function_name: str) -> list[str]:
    """Return every line that a function has logged so far, in order; none before its first invocation."""
    settings = cloud.functions.get_function_configuration(FunctionName=function_name)
    group = settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function_name}"
    pages = cloud.logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    try:
        return [event["message"] for page in pages for event in page["events"]]
    except cloud.logs.exceptions.ResourceNotFoundException:
        return []


def peek(cloud: LocalCloud, queue_url: str) -> list[Message]:
    """Return every message in a queue, in order, without receiving any: nothing changes by looking."""
    accounts = get(cloud, f"sqs/messages?{urllib.parse.urlencode({'QueueUrl': queue_url})}")["messages"]
    return [
        Message(
            id=message["MessageId"],
            body=message["Body"],
            attributes={
                name: value.get("StringValue") or value["BinaryValue"]
                for name, value in message["MessageAttributes"].items()
            },
            receives=message["ReceiveCount"],
            visible=message["IsVisible"],
            visible_at=message["VisibleAt"],
            group=message["MessageGroupId"],
        )
        for regions in accounts.values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]
