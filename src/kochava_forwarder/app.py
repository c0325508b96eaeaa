"""The Lambda function's front door: wiring, and what lives across invocations."""

import gc

gc.disable()  # next to nothing of what is imported becomes garbage: looking for it is a twentieth of a cold start

import asyncio
from typing import Any

from aws_lambda_powertools.utilities.batch import process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.forwarding.deduplication import Deduplication
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.kochava.client import KochavaClient
from kochava_forwarder.kochava.credentials import CredentialsStore
from kochava_forwarder.policy.breaker import Breaker
from kochava_forwarder.settings import Settings
from kochava_forwarder.sqs.queues import Queues
from kochava_forwarder.telemetry import Telemetry


def build(settings: Settings) -> Dependencies:
    """Return the forwarder's parts, as `settings` asks for them."""
    telemetry = Telemetry()
    table = settings.deduplication_table
    secret = CredentialsStore(settings.secret_id) if settings.secret_id else None
    return Dependencies(
        settings=settings,
        client=KochavaClient(settings.endpoint, secret),
        queues=Queues(settings.dead_letter_queue_url),
        breaker=Breaker(settings.max_workers),
        telemetry=telemetry,
        deduplication=Deduplication(table, settings.deduplication_window, telemetry.count_table_failure)
        if table
        else None,
    )


# Settings, connections, TLS sessions, threads and the event loop live across invocations, all of them in here.
_processor = ForwardingProcessor(build(Settings.from_environment()), asyncio.Runner())

gc.freeze()
gc.enable()


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Forward the records of an SQS event to Kochava.

    Returns:
        The ids of the records that SQS must deliver again, as ``{"batchItemFailures": [...]}``.
    """
    return process_partial_response(
        event, record_handler=_processor.process, processor=_processor, context=context
    )
