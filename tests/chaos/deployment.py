"""The template deployed for chaos: its function speaks to the cloud through a gateway, and waits are short."""

import threading
from collections.abc import Mapping
from pathlib import Path

from forwarder_tools.artifact import host_architecture
from forwarder_tools.localcloud import LocalCloud, Stack, deploy, warm_up
from tests.chaos.gateway import Gateway

FUNCTION_SECONDS = 6
"""The function's timeout: bounds what a crash can leave undone, and how long an event stays claimed after it."""

VISIBILITY_SECONDS = 12
"""The event queue's visibility timeout: outlasts a cold start on a busy machine and an invocation."""

CONCURRENCY = 4

_one_at_a_time = threading.Lock()
"""`sam deploy` makes a bucket for itself first, which two of them at once would both begin."""


def deploy_behind(
    gateway: Gateway,
    template: Path,
    parameters: Mapping[str, str],
    *,
    name: str,
    visibility: int = VISIBILITY_SECONDS,
) -> Stack:
    """Deploy a built template, then change on the local cloud what the template leaves no choice in.

    Args:
        gateway: what the function takes for the cloud.
        template: what `sam build` wrote.
        parameters: the template's parameters, beyond those that every such deployment has.
        name: the stack's name.
        visibility: seconds of the event queue's visibility timeout.

    Returns:
        The stack's outputs.

    Raises:
        ToolError: it cannot be deployed, or the function does not start.
    """
    cloud = gateway.cloud
    common = {
        "Architecture": host_architecture(),
        "FunctionTimeout": "30",
        "MaximumConcurrency": str(CONCURRENCY),
        "RequestTimeoutSeconds": "1",
    }
    with _one_at_a_time:
        stack = deploy(cloud, template, {**common, **parameters}, name=name)
    function = stack.function_name
    settings = cloud.functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    cloud.functions.update_function_configuration(
        FunctionName=function,
        Timeout=FUNCTION_SECONDS,
        Environment={"Variables": {**settings, "AWS_ENDPOINT_URL": gateway.url}},
    )
    cloud.sqs.set_queue_attributes(
        QueueUrl=stack.event_queue_url, Attributes={"VisibilityTimeout": str(visibility)}
    )
    warm_up(cloud, stack)
    return stack


def set_horizon(cloud: LocalCloud, stack: Stack, seconds: int) -> None:
    """Set the function's retry horizon."""
    function = stack.function_name
    settings = cloud.functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    cloud.functions.update_function_configuration(
        FunctionName=function, Environment={"Variables": {**settings, "RETRY_HORIZON_SECONDS": str(seconds)}}
    )
    warm_up(cloud, stack)


def listen(cloud: LocalCloud, stack: Stack, *, enabled: bool) -> None:
    """Let the function receive what is in its event queue, or not."""
    found = cloud.functions.list_event_source_mappings(FunctionName=stack.function_name)
    for mapping in found["EventSourceMappings"]:
        cloud.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
