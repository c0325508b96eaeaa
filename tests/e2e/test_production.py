"""The template with every option on that the local cloud knows: it deploys, and an event arrives.

Off is `Rollout`, since the local cloud has no CodeDeploy and refuses the template's resources of it. The pollers,
the event source's metrics, the VPC and the key of the environment it takes, and leaves aside without a word; how
these are deployed is seen in the translated template only.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import boto3
import pytest
from botocore.exceptions import ClientError

from forwarder_tools.artifact import host_architecture
from forwarder_tools.localcloud import LocalCloud, deploy, function_log, peek, warm_up
from forwarder_tools.localcloud.cloud import NOT_A_KEY, REGION
from forwarder_tools.processes import ToolError, wait_for
from forwarder_tools.sandbox import Sandbox
from forwarder_tools.sandbox.signing import Credentials
from tests.cloudformation import Json, Stack
from tests.e2e.conftest import SECONDS, Forwarder, event_of, new_device
from tests.template_options import EVERYTHING, EXISTING, ROLLOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNING = Credentials("a-key", "a-secret")
SECRET = "production/signing"
RIGHTS = "forward-events"
GOOD, UNANSWERED, INVALID = "good", "unanswered", "invalid"


@pytest.fixture(scope="module")
def signed_sandbox() -> Iterator[Sandbox]:
    with Sandbox(credentials=SIGNING) as sandbox:
        yield sandbox


@dataclass(frozen=True)
class Production:
    """A deployment with everything on."""

    forwarder: Forwarder
    refusal_queue_url: str

    @cached_property
    def role(self) -> str:
        """The name of the function's role."""
        described = self.forwarder.cloud.stacks.describe_stack_resource(
            StackName=self.forwarder.name, LogicalResourceId="ForwarderRole"
        )
        return described["StackResourceDetail"]["PhysicalResourceId"]

    @cached_property
    def rights(self) -> Any:
        """The policy of the function's role."""
        policy = self.forwarder.cloud.iam.get_role_policy(RoleName=self.role, PolicyName=RIGHTS)["PolicyDocument"]
        return json.loads(policy) if isinstance(policy, str) else policy

    @contextmanager
    def without(self, right: str, action: str) -> Iterator[None]:
        """Take an action out of a statement of the policy, and give it back; without any, a statement goes too."""
        rest = []
        for statement in self.rights["Statement"]:
            others = [each for each in _actions(statement) if (statement["Sid"], each) != (right, action)]
            rest += [statement | {"Action": others}] if others else []
        assert rest != [statement | {"Action": _actions(statement)} for statement in self.rights["Statement"]]
        try:
            self._allow(self.rights | {"Statement": rest})
            yield
        finally:
            self._allow(self.rights)

    def start_anew(self) -> None:
        """Have the next invocation start the function, so that it has not read the secret yet."""
        name = self.forwarder.stack.function_name
        cloud = self.forwarder.cloud
        deployed = str(cloud.stacks.get_template(StackName=self.forwarder.name)["TemplateBody"])
        bucket, key = (re.findall(rf"{part}\W+([\w/.-]+)", deployed)[0] for part in ("S3Bucket", "S3Key"))
        cloud.functions.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key=key)

    def _allow(self, policy: object) -> None:
        self.forwarder.cloud.iam.put_role_policy(
            RoleName=self.role, PolicyName=RIGHTS, PolicyDocument=json.dumps(policy)
        )


@pytest.fixture(scope="module")
def production(cloud: LocalCloud, template: Path, signed_sandbox: Sandbox) -> Production:
    keys = [_client(cloud, "kms").create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    secret = json.dumps({"api_key": SIGNING.api_key, "app_secret": SIGNING.app_secret})
    _client(cloud, "secretsmanager").create_secret(Name=SECRET, SecretString=secret, KmsKeyId=keys[1])
    refusals = cloud.sqs.create_queue(QueueName="refusals")["QueueUrl"]
    attributes = cloud.sqs.get_queue_attributes(QueueUrl=refusals, AttributeNames=["QueueArn"])["Attributes"]
    parameters = {name: value for name, value in EVERYTHING.items() if name not in ROLLOUT}
    mine = {
        "RefusalQueueArn": attributes["QueueArn"],
        "KmsKeyArn": keys[0],
        "SecretKmsKeyArn": keys[1],
        "KochavaSecretId": SECRET,
        "DeduplicationTable": "production",
    }
    stack = deploy(cloud, template, {**parameters, **mine, **_on_this_machine(signed_sandbox)}, name="production")
    warm_up(cloud, stack)
    return Production(Forwarder(cloud, stack, signed_sandbox, "production"), refusals)


def _client(
    cloud: LocalCloud,
    service: Literal["cloudformation", "cloudwatch", "iam", "kms", "secretsmanager", "sqs"],
    key: tuple[str, str] = (NOT_A_KEY, NOT_A_KEY),
) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        verify=cloud.authority,
        region_name=REGION,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
    )


def _user_with(cloud: LocalCloud, policy: str) -> Any:
    """Return a client for SQS of a new user, who may do what the policy allows and nothing else."""
    iam = _client(cloud, "iam")
    iam.create_user(UserName="publisher")
    iam.attach_user_policy(UserName="publisher", PolicyArn=policy)
    key = iam.create_access_key(UserName="publisher")["AccessKey"]
    return _client(cloud, "sqs", (key["AccessKeyId"], key["SecretAccessKey"]))


def _outputs(cloud: LocalCloud, name: str) -> dict[str, str]:
    (stack,) = _client(cloud, "cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _on_this_machine(sandbox: Sandbox) -> dict[str, str]:
    return {"Architecture": host_architecture(), "FunctionTimeout": "30", "KochavaEndpoint": sandbox.url}


def _published_once(device: str) -> str:
    return json.dumps(json.loads(event_of(device)) | {"event_id": f"event-of-{device}"})


def test_an_event_arrives_with_everything_on(production: Production) -> None:
    forwarder = production.forwarder
    cloud, stack = forwarder.cloud, forwarder.stack
    publisher = _user_with(cloud, _outputs(cloud, "production")["PublisherPolicyArn"])
    device = new_device()

    sent = publisher.send_message(QueueUrl=stack.event_queue_url, MessageBody=_published_once(device))
    forwarder.wait_until_gone(sent["MessageId"])
    assert [request.accepted for request in forwarder.received(device)] == [True]
    assert forwarder.dead_letter(sent["MessageId"]) is None

    refused = publisher.send_message(QueueUrl=stack.event_queue_url, MessageBody='{"event_id": "order-4711"}')
    forwarder.wait_until_gone(refused["MessageId"])
    told = [json.loads(message.body) for message in peek(cloud, production.refusal_queue_url)]
    (refusal,) = (one for one in told if one["sourceMessageId"] == refused["MessageId"])
    assert (refusal["eventId"], refusal["reason"]) == ("order-4711", "invalid")
    with pytest.raises(ClientError, match="AccessDenied"):
        publisher.receive_message(QueueUrl=stack.event_queue_url)


def _actions(statement: Json) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def _rights_of_everything() -> Iterator[tuple[str, str]]:
    """Yield each statement of the template's policies with each of its actions, and the policies of AWS's own."""
    stack = Stack(EVERYTHING)
    for kind in ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy"):
        for properties in stack.of_type(kind):
            policies = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            for policy in [*policies, properties.get("PolicyDocument", {"Statement": []})]:
                yield from ((each["Sid"], action) for each in policy["Statement"] for action in _actions(each))
            yield from ((arn.rpartition("/")[2], "") for arn in properties.get("ManagedPolicyArns", []))


MISSED: dict[tuple[str, str], tuple[str, str, dict[str, object]]] = {
    ("ReadSigningSecret", "secretsmanager:GetSecretValue"): (
        GOOD,
        "not delivered",
        {"outcome": "misconfigured"},
    ),
    ("TakeAndPostponeEvents", "sqs:ChangeMessageVisibility*"): (
        UNANSWERED,
        "not postponed",
        {"errors": {"AccessDenied": 1}},
    ),
    ("DeadLetterEvents", "sqs:SendMessage*"): (INVALID, "not delivered", {"outcome": "misconfigured"}),
    ("TellPublishers", "sqs:SendMessage*"): (INVALID, "refusals not sent", {"errors": {"AccessDenied": 1}}),
}
"""What misses each action of a statement of the function: the event, and the log line that says so."""

POLLER = "Lambda's poller does it with the function's role; the local cloud's does it with none"
NOT_ENCRYPTED = "the local cloud's queues and tables are not encrypted, whatever key they name"
NOT_TRIED = {
    ("TakeAndPostponeEvents", "sqs:ReceiveMessage"): POLLER,
    ("TakeAndPostponeEvents", "sqs:DeleteMessage"): POLLER,
    ("TakeAndPostponeEvents", "sqs:GetQueueAttributes"): POLLER,
    ("WriteLogs", "*"): "the local cloud writes the function's logs by itself",
    ("RememberDelivered", "*"): "the local cloud asks for a right to the batch call, which AWS does not have",
    ("UseKey", "*"): NOT_ENCRYPTED,
    ("DecryptSigningSecret", "*"): "the local cloud's secrets are not encrypted",
    ("WriteTraces", "*"): "the local cloud has no X-Ray",
    ("JoinVpc", "*"): "the local cloud's functions join no VPC",
    ("LeaveVpcToLambda", "*"): "it takes rights away, and the local cloud's functions do not call EC2",
    ("PublishEvents", "sqs:SendMessage"): "a publisher that has this policy alone sends the event that arrives",
    ("EncryptEvents", "*"): NOT_ENCRYPTED,
    ("AWSCodeDeployRoleForLambdaLimited", ""): "the local cloud has no CodeDeploy; AWS wrote that policy for it",
}
"""The actions that no test here takes away, and why; `*` stands for all of the statement."""


def test_each_action_of_each_policy_is_tried_or_said_why_not() -> None:
    rights = set(_rights_of_everything())
    known = MISSED.keys() | NOT_TRIED.keys()

    assert {right for right in rights if not known & {right, (right[0], "*")}} == set()
    assert {(name, action) for name, action in known if action != "*"} <= rights
    assert {name for name, _ in known} <= {name for name, _ in rights}


@pytest.mark.parametrize(("right", "action"), MISSED)
def test_each_right_is_needed(production: Production, right: str, action: str) -> None:
    event, message, said = MISSED[right, action]
    forwarder = production.forwarder
    device = new_device()
    if event == UNANSWERED:
        forwarder.sandbox.always("503", device=device)
    body = "{}" if event == INVALID else event_of(device)

    def missed() -> list[Any]:
        lines = function_log(forwarder.cloud, forwarder.stack.function_name)
        found = [json.loads(line) for line in lines[logged_before:] if message in line]
        return [line for line in found if said.items() <= line.items()]

    logged_before = len(function_log(forwarder.cloud, forwarder.stack.function_name))
    with production.without(right, action):
        if right == "ReadSigningSecret":
            production.start_anew()
        forwarder.publish(body)
        (line,) = wait_for(missed, seconds=SECONDS, what=f"a log line that says what {right} is needed for")

    assert "AccessDenied" in json.dumps(line)


def test_an_event_arrives_from_a_queue_that_was_there_before(
    cloud: LocalCloud, template: Path, sandbox: Sandbox
) -> None:
    url = cloud.sqs.create_queue(QueueName="app-events", Attributes={"VisibilityTimeout": "240"})["QueueUrl"]
    attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    existing = {"ExistingQueueArn": attributes["QueueArn"]}
    stack = deploy(cloud, template, {**existing, **_on_this_machine(sandbox)}, name="existing")
    warm_up(cloud, stack)
    redrive = {"deadLetterTargetArn": _outputs(cloud, "existing")["DeadLetterQueueArn"], "maxReceiveCount": 1000}
    cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive)})
    device = new_device()

    cloud.sqs.send_message(QueueUrl=url, MessageBody=event_of(device))
    wait_for(
        lambda: [request for request in sandbox.received if request.device == device],
        seconds=SECONDS,
        what="the event's arrival",
    )

    assert stack.event_queue_arn == attributes["QueueArn"]
    assert stack.event_queue_url.endswith("/app-events")
    board = _client(cloud, "cloudwatch").get_dashboard(DashboardName=f"existing-{REGION}")
    assert "app-events" in json.dumps(json.loads(board["DashboardBody"]))


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"VpcSubnetIds": EVERYTHING["VpcSubnetIds"]}, "VpcSubnetIds needs VpcSecurityGroupIds"),
        ({"ExistingQueueArn": EXISTING, "PublisherAccounts": "111122223333"}, "in the policy of ExistingQueueArn"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words(
    cloud: LocalCloud, template: Path, given: dict[str, str], refusal: str
) -> None:
    with pytest.raises(ToolError, match=refusal):
        deploy(cloud, template, {"Architecture": host_architecture(), **given}, name="refused")
