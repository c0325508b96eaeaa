"""What the template deploys by default, so that the simulation runs under the numbers that are deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import yaml

from forwarder_tools.processes import ROOT
from kochava_forwarder.settings import Settings
from tests.outage.sqs import QueueRules

FIFO_BATCH = 10


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
    def from_template(cls, *, fifo: bool = False) -> Self:
        """Read the template's defaults."""
        template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader
        defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
        timeout = defaults["FunctionTimeout"]
        redrive = template["Resources"]["EventQueue"]["Properties"]["RedrivePolicy"]
        return cls(
            settings=_settings(template, defaults),
            queue=QueueRules(
                visibility_timeout=template["Mappings"]["VisibilityTimeout"][str(timeout)]["Seconds"],
                max_receive_count=redrive["maxReceiveCount"],
                fifo=fifo,
            ),
            batch_size=FIFO_BATCH if fifo else defaults["BatchSize"],
            batching_window=0 if fifo else defaults["BatchingWindow"],
            concurrency=defaults["MaximumConcurrency"],
            function_timeout=timeout,
            memory=defaults["MemorySize"] / 1024,
        )


class _Loader(yaml.SafeLoader):
    """Read CloudFormation's short forms (`!Ref x`) as what follows them."""


def _what_follows(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node, deep=True)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _what_follows)


def _settings(template: Mapping[str, Any], defaults: Mapping[str, Any]) -> Settings:
    """Return the function's settings; those that refer to no parameter get a stand-in's value."""
    variables = template["Resources"]["ForwarderFunction"]["Properties"]["Environment"]["Variables"]
    given = {name: str(defaults[value]) for name, value in variables.items() if value in defaults}
    return Settings.from_environment({"DEAD_LETTER_QUEUE_URL": "https://sqs.invalid/0/dead-letters"} | given)
