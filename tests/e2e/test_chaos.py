"""A short chaos run on each type of queue, side by side: the ledger holds, and enough went wrong."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from forwarder_tools.localcloud import NOT_A_KEY, REGION, LocalCloud, peek
from forwarder_tools.processes import wait_for
from tests.chaos.aws_faults import TABLE_ACTION, AwsFault, AwsFaults, Call
from tests.chaos.gateway import Gateway
from tests.chaos.ledger import Evidence, Ledger
from tests.chaos.run import RunSettings, run
from tests.e2e.commands import printed_until, python

EVENTS = 300
QUEUES = ("standard", "fifo")
SEED = 5
"""One whose first calls to SQS include some that say 200, but were not done."""


@pytest.fixture(scope="module")
def runs(cloud: LocalCloud, template: Path) -> Iterator[dict[str, Future[Evidence]]]:
    with ThreadPoolExecutor(len(QUEUES)) as threads:
        yield {
            queue: threads.submit(run, cloud, template, RunSettings(queue, EVENTS, SEED), lambda _: None)
            for queue in QUEUES
        }


@pytest.mark.parametrize("queue", QUEUES)
def test_every_event_is_accounted_for(runs: dict[str, Future[Evidence]], queue: str) -> None:
    seen = runs[queue].result()
    ledger = Ledger(seen)

    assert {line.text: line.wrong for line in ledger.lines if line.wrong} == {}
    assert ledger.holds
    assert len(set(seen.messages.values())) == EVENTS
    assert len(seen.messages) > EVENTS  # some were published twice
    _enough_went_wrong(seen)


def _enough_went_wrong(seen: Evidence) -> None:
    assert len(seen.crashes) > 1
    assert {failed.fault for failed in seen.failed_calls} & {AwsFault.ENTRIES_FAILED, AwsFault.ENTRIES_OMITTED}
    assert TABLE_ACTION in {failed.call.action for failed in seen.failed_calls}
    assert {message.attributes["reason"] for message in seen.dead} == {"invalid", "rejected", "expired"}
    failed = [request for request in seen.requests if not request.answer.startswith("200 success")]
    assert len(failed) > EVENTS / 20
    counted = [request.device for request in seen.requests if request.accepted]
    assert len(counted) > len(set(counted))


@pytest.mark.parametrize(
    ("number", "after", "status"),
    [(signal.SIGINT, "messages published", 130), (signal.SIGHUP, "Scaled", 129)],
    ids=["Ctrl-C while events go through", "a closed terminal while it deploys"],
)
def test_an_interrupted_run_ends_in_seconds_and_leaves_nothing(
    tmp_path: Path, processes_with: Callable[[str], list[str]], number: signal.Signals, after: str, status: int
) -> None:
    command = ("-m", "tests.chaos", "--events", "2000", "--queue", "standard")
    with python(*command, environment=os.environ | {"TMPDIR": str(tmp_path)}) as chaos:
        printed_until(chaos, after)
        wait_for(lambda: len(processes_with(str(tmp_path))) > 1, seconds=10, what="the start of the cloud")
        chaos.send_signal(number)
        output, _ = chaos.communicate(timeout=20)
    assert chaos.returncode == status, output
    assert processes_with(str(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


class Scripted(AwsFaults):
    """Lets the next call fail as told, and all others pass."""

    def __init__(self) -> None:
        super().__init__({})
        self.fault: AwsFault | None = None

    def next(self, call: Call) -> AwsFault | None:
        del call
        fault, self.fault = self.fault, None
        return fault


@dataclass(frozen=True)
class Door:
    """A gateway, the fault of its next call, and a client on its far side."""

    faults: Scripted
    client: Any


@pytest.fixture(scope="module")
def door(cloud: LocalCloud) -> Iterator[Door]:
    faults = Scripted()
    with Gateway(cloud, faults) as gateway:
        client = boto3.client(
            "sqs",
            endpoint_url=gateway.url,
            region_name=REGION,
            aws_access_key_id=NOT_A_KEY,
            aws_secret_access_key=NOT_A_KEY,
            config=Config(retries={"total_max_attempts": 1}),
        )
        yield Door(faults, client)
        client.close()


@pytest.fixture
def queue(cloud: LocalCloud, device: str) -> str:
    return cloud.sqs.create_queue(QueueName=device)["QueueUrl"]


class TestGateway:
    """What a client of AWS sees through the gateway, and what of it was done."""

    ENTRIES = tuple({"Id": str(number), "MessageBody": str(number)} for number in range(4))

    @pytest.mark.parametrize("fault", AwsFault)
    def test_a_fault_is_of_one_call_which_is_done_or_not(
        self, door: Door, cloud: LocalCloud, queue: str, fault: AwsFault
    ) -> None:
        door.faults.fault = fault
        try:
            answer = door.client.send_message_batch(QueueUrl=queue, Entries=self.ENTRIES)
        except (ClientError, BotoCoreError):
            successful = []
        else:
            successful = [entry["Id"] for entry in answer.get("Successful", [])]
        assert successful == (["1", "3"] if "some" in fault else [])
        assert len(peek(cloud, queue)) == (4 if fault.done else 0)

        answer = door.client.send_message_batch(QueueUrl=queue, Entries=self.ENTRIES)
        assert len(answer["Successful"]) == 4

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            (AwsFault.INTERNAL_ERROR, "InternalError"),
            (AwsFault.UNAVAILABLE, "ServiceUnavailable"),
            (AwsFault.THROTTLED, "RequestThrottled"),
            (AwsFault.DENIED, "AccessDenied"),
        ],
    )
    def test_a_refusal_has_the_services_code(self, door: Door, queue: str, fault: AwsFault, code: str) -> None:
        door.faults.fault = fault
        with pytest.raises(ClientError) as caught:
            door.client.send_message(QueueUrl=queue, MessageBody="any")
        assert caught.value.response["Error"]["Code"] == code

    def test_what_is_postponed_for_half_an_hour_comes_back_in_seconds(self, door: Door, queue: str) -> None:
        door.client.send_message(QueueUrl=queue, MessageBody="any")
        [message] = door.client.receive_message(QueueUrl=queue)["Messages"]
        entry = {"Id": "0", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 1800}
        answer = door.client.change_message_visibility_batch(QueueUrl=queue, Entries=[entry])
        assert [entry["Id"] for entry in answer["Successful"]] == ["0"]
        assert "Messages" not in door.client.receive_message(QueueUrl=queue)
        wait_for(lambda: door.client.receive_message(QueueUrl=queue).get("Messages"), seconds=6, what="its return")
