"""What the template deploys, so that the simulation runs under the numbers that are deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from kochava_forwarder.settings import Settings
from tests.cloudformation import Stack
from tests.outage.sqs import QueueRules


@dataclass(frozen=True, slots=True)
class Deployment:
    """The settings that decide about an outage.

    Args:
        settings: the function's.
        queue: the event queue's attributes.
        batch_size: messages in one invocation at most.
        batching_window: seconds for which Lambda gathers a batch.
        concurrency: execution environments at most.
        function_timeout: seconds one invocation may take.
        memory: of an execution environment, in GB.
    """

    settings: Settings
    queue: QueueRules
    batch_size: int
    batching_window: int
    concurrency: int
    function_timeout: int
    memory: float

    @classmethod
    def from_template(cls, given: Mapping[str, Any] | None = None) -> Self:
        """Read what the template deploys with the `given` parameters, and the defaults for all others."""
        stack = Stack(given or {})
        function, queue = stack.properties("ForwarderFunction"), stack.properties("EventQueue")
        variables = {name: str(value) for name, value in function["Environment"]["Variables"].items()}
        return cls(
            settings=Settings.from_environment(
                variables | {"DEAD_LETTER_QUEUE_URL": "https://sqs.invalid/0/dead"}
            ),
            queue=QueueRules(
                visibility_timeout=queue["VisibilityTimeout"],
                max_receive_count=queue["RedrivePolicy"]["maxReceiveCount"],
                fifo=stack.fifo,
            ),
            batch_size=stack.source["BatchSize"],
            batching_window=stack.source.get("MaximumBatchingWindowInSeconds", 0),
            concurrency=stack.source["ScalingConfig"]["MaximumConcurrency"],
            function_timeout=function["Timeout"],
            memory=function["MemorySize"] / 1024,
        )
