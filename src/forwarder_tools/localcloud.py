"""A cloud on this machine: MiniStack, and the project's template deployed to it by the real `sam deploy`.

It enforces IAM, so the function may do what the template's role allows and no more, and it serves TLS, which
the queues' policies demand. Several may run side by side, each on a port and in a folder of its own; nothing
of one outlives its `with`.
"""

from __future__ import annotations

import json
import socket
import ssl
import tempfile
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import trustme

from forwarder_tools.processes import (
    ToolError,
    base_environment,
    free_port,
    last_lines,
    run,
    running,
    tool,
    wait_for,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
NOT_A_KEY = "test"
"""Stands where AWS tools insist on a key: MiniStack's own word for its root user, worthless elsewhere."""

CA = "ca.pem"
LOOPBACK = "127.0.0.1"
START_SECONDS = 20
DEPLOY_SECONDS = 120


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud: its address, and clients for it."""

    url: str
    folder: Path
    """Where it writes; the log is `cloud.log`, its authority's certificate `ca.pem`. Removed at its end."""

    @property
    def aws_settings(self) -> dict[str, str]:
        """The environment variables with which any AWS tool or library talks to this cloud only."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": NOT_A_KEY,
            "AWS_SECRET_ACCESS_KEY": NOT_A_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CA_BUNDLE": self.authority,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def authority(self) -> str:
        """The file with its authority's certificate."""
        return str(self.folder / CA)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(aws_access_key_id=NOT_A_KEY, aws_secret_access_key=NOT_A_KEY, region_name=REGION)

    @cached_property
    def sqs(self) -> SQSClient:
        """A client for its queues."""
        return self._session.client("sqs", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """A client for its logs."""
        return self._session.client("logs", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def functions(self) -> LambdaClient:
        """A client for its functions."""
        return self._session.client("lambda", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def iam(self) -> IAMClient:
        """A client for its roles."""
        return self._session.client("iam", endpoint_url=self.url, verify=str(self.folder / CA))

    @cached_property
    def stacks(self) -> CloudFormationClient:
        """A client for its stacks."""
        return self._session.client("cloudformation", endpoint_url=self.url, verify=self.authority)


@dataclass(frozen=True)
class Stack:
    """The deployed template: its outputs."""

    event_queue_url: str
    event_queue_arn: str
    dead_letter_queue_url: str
    function_name: str


@dataclass(frozen=True)
class Message:
    """A message that is in a queue."""

    id: str
    body: str
    attributes: Mapping[str, str]
    receives: int
    """How often it was received."""
    visible: bool
    """False while somebody works on it, and until its visibility timeout is over."""
    visible_at: float
    """When that is over, in seconds since 1970."""
    group: str | None


@contextmanager
def local_cloud(*, host: str = LOOPBACK, port: int | None = None, tls: bool = True) -> Iterator[LocalCloud]:
    """Start a cloud, and end it with everything in it.

    Args:
        host: the address of this machine to listen on.
        port: the TCP port; a free one by default.
        tls: serve https. A container has no certificate of this cloud's authority, so it needs http.

    Yields:
        The cloud, ready to be used.

    Raises:
        ToolError: it is not installed or does not start, or the port is in use.
    """
    server = tool("cloud", "bin", "hypercorn")
    port = free_port(host) if port is None else _free(host, port)
    with tempfile.TemporaryDirectory(prefix="local-cloud-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        cloud = LocalCloud(f"http{'s' if tls else ''}://{host}:{port}", folder)
        certificate, key = _certify(folder)
        environment = base_environment(
            GATEWAY_PORT=str(port),
            AUTH="true",
            MINISTACK_REGION=REGION,
            # What functions trust; they inherit it.
            USE_SSL="1" if tls else "0",
            AWS_CA_BUNDLE=cloud.authority,
            # Everything that it writes lands in the one folder that is removed.
            TMPDIR=name,
            STATE_DIR=str(folder / "state"),
            S3_DATA_DIR=str(folder / "s3"),
            PERSIST_STATE="0",
            # Services that nobody needs here, each with a port of its own.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
        )
        # Not MiniStack's own command: with TLS that would take port 443 too, where it can.
        arguments: list[str | Path] = [
            *(server, "ministack.app:app", "--workers", "0", "--keep-alive", "75"),
            *("--bind", f"{host}:{port}"),
            *(("--certfile", certificate, "--keyfile", key) if tls else ()),
        ]
        output = folder / "cloud.log"
        with running(arguments, environment=environment, folder=folder, output=output) as process:
            wait_for(
                lambda: _is_ready(cloud, process, output), seconds=START_SECONDS, what="the local cloud's start"
            )
            yield cloud


def _free(host: str, port: int) -> int:
    """Return the port if nobody listens on it.

    Raises:
        ToolError: somebody does.
    """
    try:
        with socket.create_server((host, port)):
            return port
    except OSError as problem:
        raise ToolError(
            f"port {port} of {host}: {problem.strerror}; end what listens there (another local cloud?)"
        ) from None


def _certify(folder: Path) -> tuple[Path, Path]:
    """Write an authority's certificate to `folder`, and one for the loopback address; returns that and its key."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / CA)
    certificate, key = folder / "cloud.pem", folder / "cloud.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def _is_ready(cloud: LocalCloud, process: subprocess.Popen[bytes], output: Path) -> bool:
    if process.poll() is not None:
        raise ToolError(f"the local cloud ended as it started:\n{last_lines(output)}")
    try:
        _get(cloud, "ready")
    except OSError:
        return False
    return True


def _get(cloud: LocalCloud, path: str) -> Any:
    trust = ssl.create_default_context(cafile=cloud.authority) if cloud.url.startswith("https:") else None
    address = f"{cloud.url}/_ministack/{path}"
    with urllib.request.urlopen(address, timeout=START_SECONDS, context=trust) as answer:  # noqa: S310 - our own URL
        return json.load(answer)


def deploy(cloud: LocalCloud, template: Path, parameters: Mapping[str, str], *, name: str = "forwarder") -> Stack:
    """Deploy a built template with the real `sam deploy`.

    Args:
        cloud: where to.
        template: what `sam build` wrote.
        parameters: the template's parameters that differ from their defaults.
        name: the stack's name; one cloud takes several stacks.

    Returns:
        The stack's outputs.

    Raises:
        ToolError: `sam deploy` failed, or the template lacks a parameter or an output.
    """
    pairs = [f"ParameterKey={key},ParameterValue={value}" for key, value in parameters.items()]
    overrides = ["--parameter-overrides", *pairs] if pairs else []
    run(
        [
            *(tool("sam", "bin", "sam"), "deploy", "--template-file", template, "--stack-name", name),
            *(
                "--resolve-s3",
                "--capabilities",
                "CAPABILITY_IAM",
                "--no-confirm-changeset",
                "--no-progressbar",
            ),
            *overrides,
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


COMPLAINTS = ("WARNING [lambda", "ERROR [lambda", "WARNING [sqs", "ERROR [sqs")

NOT_STARTED = "RuntimeError"
"""MiniStack's type of error for a function that does not start; what a handler raises has another one."""


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
    answer = cloud.functions.invoke(FunctionName=stack.function_name, Payload=b"{}")
    error = json.load(answer["Payload"]) if "FunctionError" in answer else {}
    if error.get("errorType") == NOT_STARTED:
        raise ToolError(f"the function does not start: {error['errorMessage']}")


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
    accounts = _get(cloud, f"sqs/messages?{urllib.parse.urlencode({'QueueUrl': queue_url})}")["messages"]
    return [
        Message(
            id=message["MessageId"],
            body=message["Body"],
            attributes={name: value["StringValue"] for name, value in message["MessageAttributes"].items()},
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
