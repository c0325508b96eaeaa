"""Events through an SNS topic and an EventBridge rule of a local cloud: the handler opens what arrives."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import boto3
import pytest

from forwarder_tools.localcloud import NOT_A_KEY, REGION, LocalCloud, local_cloud
from forwarder_tools.processes import wait_for
from forwarder_tools.samples import EVENTS, read_sample
from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.contract.envelopes import open_body
from tests.integration.support import Json, Start, body, record
from tests.integration.support_servers import Aws

SOURCE = "fake.shop"


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with local_cloud() as cloud:
        yield cloud


def _client(cloud: LocalCloud, service: Literal["sns", "events"]) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        verify=cloud.authority,
        region_name=REGION,
        aws_access_key_id=NOT_A_KEY,
        aws_secret_access_key=NOT_A_KEY,
    )


@dataclass(frozen=True)
class Queue:
    """A queue of a name of its own; a topic and a rule of that name may send to it, and nothing else may."""

    cloud: LocalCloud
    name: str
    url: str
    arn: str

    @classmethod
    def make(cls, cloud: LocalCloud, name: str) -> "Queue":
        url = cloud.sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = cloud.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        queue = cls(cloud, name, url, attributes["QueueArn"])
        sources = {
            "sns.amazonaws.com": f"arn:aws:sns:*:*:{name}",
            "events.amazonaws.com": f"arn:aws:events:*:*:rule/{name}",
        }
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": service},
                "Action": "sqs:SendMessage",
                "Resource": queue.arn,
                "Condition": {"ArnLike": {"aws:SourceArn": source}},
            }
            for service, source in sources.items()
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        cloud.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return queue

    def topic(self, subscription: Mapping[str, str]) -> str:
        """Make a topic that sends to the queue; return its ARN."""
        sns = _client(self.cloud, "sns")
        topic: str = sns.create_topic(Name=self.name)["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=self.arn, Attributes=dict(subscription))
        return topic

    def rule(self, target: str) -> None:
        """Make a rule that sends what the publisher emits to a target."""
        events = _client(self.cloud, "events")
        events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [SOURCE], "detail-type": [self.name]}))
        answer = events.put_targets(Rule=self.name, Targets=[{"Id": "1", "Arn": target}])
        assert answer["FailedEntryCount"] == 0

    def emit(self, detail: str) -> None:
        """Put an event on the default bus, of the type that the rule is for."""
        entry = {"Source": SOURCE, "DetailType": self.name, "Detail": detail}
        answer = _client(self.cloud, "events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0

    def receive(self) -> Json:
        """Wait for a message; return it as the record that Lambda would get."""
        (message,) = wait_for(
            lambda: self.cloud.sqs.receive_message(QueueUrl=self.url).get("Messages"),
            seconds=10,
            what="a message in the queue",
        )
        return record(message["Body"], message["MessageId"], queue=self.arn)


def by_raw_topic(queue: Queue, event: str) -> None:
    topic = queue.topic({"RawMessageDelivery": "true"})
    _client(queue.cloud, "sns").publish(TopicArn=topic, Message=event)


def by_topic(queue: Queue, event: str) -> None:
    _client(queue.cloud, "sns").publish(TopicArn=queue.topic({}), Message=event)


def by_rule(queue: Queue, event: str) -> None:
    queue.rule(queue.arn)
    queue.emit(event)


def by_rule_and_topic(queue: Queue, event: str) -> None:
    queue.rule(queue.topic({}))
    queue.emit(event)


@pytest.mark.parametrize(
    ("publish", "sample", "envelope"),
    [
        (by_raw_topic, "sns-raw", ()),
        (by_topic, "sns", ("Message",)),
        (by_rule, "eventbridge", ("detail",)),
        (by_rule_and_topic, "eventbridge-to-sns", ("Message", "detail")),
    ],
    ids=["SNS, raw", "SNS", "EventBridge", "EventBridge and SNS"],
)
def test_an_event_is_delivered_from_the_envelope_that_it_arrives_in(  # noqa: PLR0913, PLR0917 - a table's columns
    cloud: LocalCloud, start: Start, sandbox: Sandbox, publish: Any, sample: str, envelope: tuple[str, ...]
) -> None:
    queue = Queue.make(cloud, publish.__name__)
    event = body("KDtest-envelope", event_data={"name": "Skis \N{SKI AND SKI BOOT}", "price": 149.95})
    publish(queue, event)
    arrived = queue.receive()
    forwarder = start()

    assert open_body(arrived["body"]).envelope == envelope
    [shown] = read_sample(EVENTS / "envelopes" / f"{sample}.json")["Records"]
    assert json.loads(arrived["body"]).keys() >= json.loads(shown["body"]).keys()
    assert forwarder.invoke(arrived, record(event, "alone")) == set()
    assert forwarder.outcomes == {"delivered": 2}
    enveloped, alone = (request.event for request in sandbox.received)
    assert enveloped == alone


@pytest.mark.parametrize("publish", [by_topic, by_rule])
def test_an_invalid_event_in_an_envelope_is_dead_lettered_as_it_arrived(
    cloud: LocalCloud, start: Start, aws: Aws, publish: Any
) -> None:
    queue = Queue.make(cloud, f"{publish.__name__}-invalid")
    publish(queue, body(event_name=""))
    arrived = queue.receive()

    assert start().invoke(arrived) == set()
    ((text, letter),) = aws.letters_by_body().items()
    assert text == arrived["body"]
    assert letter["reason"] == "invalid"
    assert "data.event_name" in letter["detail"]
