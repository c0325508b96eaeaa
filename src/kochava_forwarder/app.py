"""The Lambda function's front door: build the forwarder at cold start, hand it each event."""

from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.settings import Settings

# Settings, connections, TLS sessions, threads and the event loop live across invocations, all of them in here.
_processor = ForwardingProcessor(Dependencies.from_settings(Settings.from_environment()))


def lambda_handler(event: dict[str, Any] | list[Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Forward the records of an SQS event to Kochava.

    Args:
        event: ``{"Records": [...]}``, as Lambda's poller hands it over, or the bare list of EventBridge Pipes.
        context: Lambda's, for the time that is left.

    Returns:
        The ids of the records that SQS must deliver again, as ``{"batchItemFailures": [...]}``.
    """
    return _processor.respond(event, context)
