"""A change of the queue's type and back: it neither fails nor wipes what is in the queues that it replaces."""

from pathlib import Path

from forwarder_tools.artifact import host_architecture
from forwarder_tools.localcloud import LocalCloud, deploy, peek


def test_a_change_of_type_and_back_leaves_what_is_in_the_old_queues(cloud: LocalCloud, template: Path) -> None:
    left: dict[str, str] = {}
    seen: set[str] = set()
    for queue_type in ("fifo", "standard", "fifo"):
        stack = deploy(
            cloud, template, {"Architecture": host_architecture(), "QueueType": queue_type}, name="changing"
        )
        queue = stack.dead_letter_queue_url  # nothing takes what is in there
        assert queue.endswith(".fifo") == stack.event_queue_url.endswith(".fifo") == (queue_type == "fifo")
        assert not {queue, stack.event_queue_url} & seen
        seen |= {queue, stack.event_queue_url}
        if queue_type == "fifo":
            sent = cloud.sqs.send_message(
                QueueUrl=queue, MessageBody="kept", MessageGroupId="a", MessageDeduplicationId="1"
            )
        else:
            sent = cloud.sqs.send_message(QueueUrl=queue, MessageBody="kept")
        left[queue] = sent["MessageId"]

    assert {queue: [message.id for message in peek(cloud, queue)] for queue in left} == {
        queue: [message_id] for queue, message_id in left.items()
    }
