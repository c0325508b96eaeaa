"""AWS as the caller has set it up: clients, the queues of a stack, and its errors in one line."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools.processes import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sqs import SQSClient

# Ctrl-C waits for a copy and its deletion to end, so neither may take long.
CONFIG = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})

_REMEDIES = {
    "AWS.SimpleQueueService.NonExistentQueue": "check the queue's URL, the region and the account",
    "QueueDoesNotExist": "check the queue's URL, the region and the account",
    "ValidationError": "check the stack's name, the region and the account",
    "AccessDenied": "these credentials lack the right to it",
    "AccessDeniedException": "these credentials lack the right to it",
    "ExpiredToken": "sign in again",
    "ExpiredTokenException": "sign in again",
    "NoCredentialsError": "sign in to AWS, or set AWS_PROFILE",
    "NoRegionError": "set AWS_REGION, or a profile that names one",
    "ProfileNotFound": "check AWS_PROFILE",
    "EndpointConnectionError": "check the network, the region and AWS_ENDPOINT_URL",
}
"""What to do about an error, by AWS's code or botocore's class."""


@dataclass(frozen=True)
class Queues:
    """The URLs of a dead-letter queue and, where it is known, of the event queue it belongs to."""

    dead_letters: str
    events: str | None = None


def sqs_client() -> SQSClient:
    """Return a client for SQS by AWS's own settings: profile, region, endpoint."""
    return boto3.Session().client("sqs", config=CONFIG)


def queues_of_stack(name: str) -> Queues:
    """Return the queues that a stack's outputs name.

    Raises:
        ToolError: the stack has no such outputs.
        ClientError: there is no such stack, or it may not be read.
    """
    stack = boto3.Session().client("cloudformation", config=CONFIG).describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    try:
        return Queues(outputs["DeadLetterQueueUrl"], outputs["EventQueueUrl"])
    except KeyError as missing:
        raise ToolError(f"stack {name} has no output {missing}: name a stack of this project's template") from None


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Turn what AWS refuses and what botocore raises in the block into a `ToolError`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        message = error.response["Error"].get("Message", "").splitlines()[:1]
        raise ToolError(_line(f"{error.operation_name}: {code}: {''.join(message)}", code)) from None
    except BotoCoreError as error:
        raise ToolError(_line(str(error).splitlines()[0], type(error).__name__)) from None


def _line(problem: str, code: str) -> str:
    remedy = _REMEDIES.get(code)
    return f"{problem.rstrip('.')}; {remedy}" if remedy else problem
