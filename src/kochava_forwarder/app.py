"""The Lambda function's front door: wiring, and what lives across invocations."""

from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from kochava_forwarder.batch import ForwardingProcessor
from kochava_forwarder.kochava import KochavaClient
from kochava_forwarder.queues import Queues
from kochava_forwarder.settings import Settings
from kochava_forwarder.telemetry import Telemetry


def _wire(settings: Settings) -> ForwardingProcessor:
    client = KochavaClient(settings.endpoint, settings.max_workers)
    return ForwardingProcessor(settings, client, Queues(settings.dead_letter_queue_url), Telemetry())


# Settings, connections, TLS sessions, threads and the event loop live across invocations, all of them in here.
_processor = _wire(Settings.from_environment())


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Forwards the records of an SQS event to Kochava.

    Returns:
        The ids of the records that SQS must deliver again, as ``{"batchItemFailures": [...]}``.
    """
    return process_partial_response(
        event, record_handler=_processor.process, processor=_processor, context=context
    )
