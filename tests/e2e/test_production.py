"""The template with every option on that the local cloud knows: it deploys, and an event arrives.

Off is `Rollout`, since the local cloud has no CodeDeploy and refuses the template's resources of it. The pollers,
the event source's metrics, the VPC and the key of the environment it takes, and leaves aside without a word; how
these are deployed is seen in the translated template only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import boto3
import pytest
from botocore.exceptions import ClientError

from forwarder_tools.artifact import host_architecture
from forwarder_tools.localcloud import LocalCloud, deploy, peek, warm_up
from forwarder_tools.localcloud.cloud import NOT_A_KEY, REGION
from forwarder_tools.processes import ToolError, wait_for
from forwarder_tools.sandbox import Sandbox
from forwarder_tools.sandbox.signing import Credentials
from tests.e2e.conftest import SECONDS, event_of, new_device
from tests.template_options import EVERYTHING, EXISTING, ROLLOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNING = Credentials("a-key", "a-secret")
SECRET = "production/signing"


@pytest.fixture(scope="module")
def signed_sandbox() -> Iterator[Sandbox]:
    with Sandbox(credentials=SIGNING) as sandbox:
        yield sandbox


def _client(
    cloud: LocalCloud,
    service: Literal["cloudformation", "iam", "kms", "secretsmanager", "sqs"],
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


def test_an_event_arrives_with_everything_on(cloud: LocalCloud, template: Path, signed_sandbox: Sandbox) -> None:
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
    publisher = _user_with(cloud, _outputs(cloud, "production")["PublisherPolicyArn"])
    device = new_device()

    publisher.send_message(QueueUrl=stack.event_queue_url, MessageBody=_published_once(device))
    received = wait_for(
        lambda: [request for request in signed_sandbox.received if request.device == device],
        seconds=SECONDS,
        what="the event's arrival",
    )

    assert [request.accepted for request in received] == [True]
    wait_for(lambda: not peek(cloud, stack.event_queue_url), seconds=SECONDS, what="the event's end")
    assert peek(cloud, stack.dead_letter_queue_url) == []

    publisher.send_message(QueueUrl=stack.event_queue_url, MessageBody='{"event_id": "order-4711"}')
    (refusal,) = wait_for(lambda: peek(cloud, refusals), seconds=SECONDS, what="the refusal")
    assert json.loads(refusal.body).items() >= {"eventId": "order-4711", "reason": "invalid"}.items()
    with pytest.raises(ClientError, match="AccessDenied"):
        publisher.receive_message(QueueUrl=stack.event_queue_url)


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
