"""The project's template, deployed to a local cloud by the real `sam deploy`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forwarder_tools.processes import ToolError, base_environment, run, tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from forwarder_tools.localcloud.cloud import LocalCloud

DEPLOY_SECONDS = 120

SUPPORTED = {"AlarmStuckMinutes": "0"}
"""What every deployment here leaves out: MiniStack refuses an alarm that is computed from several metrics."""

NOT_STARTED = "RuntimeError"
"""MiniStack's type of error for a function that does not start; what a handler raises has another one."""


@dataclass(frozen=True)
class Stack:
    """The deployed template: its outputs."""

    event_queue_url: str
    event_queue_arn: str
    dead_letter_queue_url: str
    function_name: str


def deploy(cloud: LocalCloud, template: Path, parameters: Mapping[str, str], *, name: str = "forwarder") -> Stack:
    """Deploy a built template with the real `sam deploy`.

    Args:
        cloud: where to.
        template: what `sam build` wrote.
        parameters: the template's parameters that differ from their defaults, beyond `SUPPORTED`.
        name: the stack's name; one cloud takes several stacks.

    Returns:
        The stack's outputs.

    Raises:
        ToolError: `sam deploy` failed, or the template lacks a parameter or an output.
    """
    given = {**SUPPORTED, **parameters}
    pairs = [f"ParameterKey={key},ParameterValue={value}" for key, value in given.items()]
    run(
        [
            *(tool("sam", "bin", "sam"), "deploy", "--template-file", template, "--stack-name", name),
            *("--resolve-s3", "--capabilities", "CAPABILITY_IAM"),
            *("--no-confirm-changeset", "--no-progressbar", "--use-json"),
            *("--parameter-overrides", *pairs),
        ],
        environment=base_environment(
            **cloud.aws_settings, SAM_CLI_TELEMETRY="0", SAM_CLI_POLL_DELAY="0.2", TMPDIR=str(cloud.folder)
        ),
        folder=cloud.folder,
        output=cloud.folder / f"deploy-{name}.log",
        seconds=DEPLOY_SECONDS,
    )
    _mend_concurrency(cloud)
    _allow_batch_statements(cloud, name)
    stack = cloud.stacks.describe_stacks(StackName=name)["Stacks"][0]
    known = {parameter["ParameterKey"] for parameter in stack.get("Parameters", [])}
    if unknown := parameters.keys() - known:
        raise ToolError(f"{template}: has no parameter {', '.join(sorted(unknown))}")
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    try:
        return Stack(
            event_queue_url=outputs["EventQueueUrl"],
            event_queue_arn=outputs["EventQueueArn"],
            dead_letter_queue_url=outputs["DeadLetterQueueUrl"],
            function_name=outputs["ForwarderFunctionName"],
        )
    except KeyError as missing:
        raise ToolError(f"{template}: has no output {missing}") from None


def _mend_concurrency(cloud: LocalCloud) -> None:
    """Set each mapping's concurrency to what it is.

    MiniStack keeps a template's number as the text that the parameter is, and then fails to compare it.
    """
    for mapping in cloud.functions.list_event_source_mappings()["EventSourceMappings"]:
        if scaling := mapping.get("ScalingConfig"):
            cloud.functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)


def _allow_batch_statements(cloud: LocalCloud, name: str) -> None:
    """Allow the function BatchExecuteStatement itself.

    AWS asks for the rights to each statement in it (`dynamodb:PartiQLInsert` ...), as the template grants them on
    the table alone; MiniStack asks for the call's own name, which is no right on AWS, on no table.
    """
    allowed = {"Effect": "Allow", "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"}
    resources = cloud.stacks.describe_stack_resources(StackName=name)["StackResources"]
    for resource in resources:
        if resource["ResourceType"] == "AWS::IAM::Role":
            cloud.iam.put_role_policy(
                RoleName=resource["PhysicalResourceId"],
                PolicyName="local-cloud",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
            )


def warm_up(cloud: LocalCloud, stack: Stack) -> None:
    """Invoke the function without a record, so that it has started; what it makes of that does not matter.

    Raises:
        ToolError: it cannot start; says why.
    """
    error: dict[str, str] = {}
    for _ in range(2):  # the first may meet a worker that a change of the function is ending
        answer = cloud.functions.invoke(FunctionName=stack.function_name, Payload=b"{}")
        error = json.load(answer["Payload"]) if "FunctionError" in answer else {}
        if error.get("errorType") != NOT_STARTED:
            return
    raise ToolError(f"the function does not start: {error['errorMessage']}")
