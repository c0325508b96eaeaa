"""What survives: repeats, wrong secrets, closed doors, killed workers; through the deployed template.

What the function asks SQS to wait is shortened behind its back (`tests.chaos.gateway`).
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3
import pytest

from forwarder_tools.localcloud import CA, NOT_A_KEY, REGION, LocalCloud, function_log, peek
from forwarder_tools.processes import wait_for
from forwarder_tools.sandbox import Credentials, Sandbox
from tests.chaos.aws_faults import AwsFaults
from tests.chaos.crashes import workers
from tests.chaos.deployment import FUNCTION_SECONDS, deploy_behind, set_horizon
from tests.chaos.gateway import Gateway
from tests.e2e.conftest import Forwarder, event_of

RIGHT = Credentials("right-api-key", "right-app-secret")
WRONG = Credentials("wrong-api-key", "wrong-app-secret")
SECRET = "kochava/survival"
SECONDS = 20
VISIBILITY_SECONDS = 8
SLOWLY = "latency=800ms"
"""Keeps an event in flight for a while, within the request's timeout."""


@dataclass(frozen=True)
class Survivor(Forwarder):
    """A forwarder whose role, secret, queue and workers a test may change."""

    iam: Any
    secrets: Any
    tables: Any

    def wait_for_requests(self, device: str, number: int = 1) -> None:
        """Wait until the sandbox has received so many requests of a device."""
        wait_for(
            lambda: len(self.received(device)) >= number, seconds=SECONDS, what=f"request {number} of {device}"
        )

    def wait_for_outcome(self, message_id: str, outcome: str) -> str:
        """Wait until the function has logged an outcome of a message; returns its detail."""

        def find() -> list[str]:
            return [entry.detail for entry in self.log(message_id) if entry.outcome == outcome]

        return wait_for(find, seconds=SECONDS, what=f"outcome {outcome} of message {message_id}")[-1]

    def outcomes(self, message_id: str) -> list[str]:
        """The outcomes that the function logged of a message; nothing is logged of a delivery."""
        return [entry.outcome for entry in self.log(message_id)]

    def text_of_log(self) -> str:
        """All that the function has logged."""
        return "\n".join(function_log(self.cloud, self.stack.function_name))

    def set_visibility(self, seconds: int) -> None:
        """Set the event queue's visibility timeout."""
        self.cloud.sqs.set_queue_attributes(
            QueueUrl=self.stack.event_queue_url, Attributes={"VisibilityTimeout": str(seconds)}
        )

    def put_secret(self, credentials: Credentials) -> None:
        """Change the secret, as a person does."""
        self.secrets.put_secret_value(SecretId=SECRET, SecretString=_secret(credentials))

    @contextmanager
    def denied(self, action: str) -> Iterator[None]:
        """Deny the function's role an action for a while."""
        settings = self.cloud.functions.get_function_configuration(FunctionName=self.stack.function_name)
        role = settings["Role"].rpartition("/")[2]
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.iam.put_role_policy(RoleName=role, PolicyName="denied", PolicyDocument=policy)
        try:
            yield
        finally:
            self.iam.delete_role_policy(RoleName=role, PolicyName="denied")

    def remembered(self) -> int:
        """How many events the deduplication table knows as delivered."""
        items = self.tables.scan(TableName="survival")["Items"]
        return sum(item["status"]["S"] == "COMPLETED" for item in items)

    def kill(self) -> None:
        """Kill every worker of the function."""
        for worker in workers(self.cloud.folder, self.stack.function_name):
            os.kill(worker, signal.SIGKILL)


@pytest.fixture(scope="module")
def gateway(cloud: LocalCloud) -> Iterator[Gateway]:
    with Gateway(cloud, AwsFaults({})) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def signed_sandbox() -> Iterator[Sandbox]:
    with Sandbox(credentials=RIGHT) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def survivor(gateway: Gateway, template: Path, signed_sandbox: Sandbox) -> Survivor:
    """The template with a deduplication table and signed requests."""
    secrets = _client(gateway.cloud, "secretsmanager")
    secrets.create_secret(Name=SECRET, SecretString=_secret(RIGHT))
    parameters = {"DeduplicationTable": "survival", "KochavaSecretId": SECRET}
    return _survivor(gateway, template, signed_sandbox, "survival", parameters)


@pytest.fixture(scope="module")
def parking(gateway: Gateway, template: Path, sandbox: Sandbox) -> Survivor:
    """The template without a table, parking what is ambiguous."""
    return _survivor(gateway, template, sandbox, "parking", {"AmbiguousDelivery": "park"})


@pytest.fixture
def impatient(parking: Survivor) -> Iterator[Survivor]:
    """The same, trying for 12 seconds."""
    set_horizon(parking.cloud, parking.stack, 12)
    yield parking
    set_horizon(parking.cloud, parking.stack, 259_200)


def _survivor(
    gateway: Gateway, template: Path, sandbox: Sandbox, name: str, parameters: dict[str, str]
) -> Survivor:
    cloud = gateway.cloud
    # A worker is killed while requests hang: on a busy machine that takes more than the usual second.
    common = {"KochavaEndpoint": sandbox.url, "RequestTimeoutSeconds": "3"}
    stack = deploy_behind(gateway, template, {**common, **parameters}, name=name)
    clients = (_client(cloud, service) for service in ("iam", "secretsmanager", "dynamodb"))
    survivor = Survivor(cloud, stack, sandbox, name, *clients)
    survivor.set_visibility(VISIBILITY_SECONDS)
    return survivor


def _secret(credentials: Credentials) -> str:
    return json.dumps({"api_key": credentials.api_key, "app_secret": credentials.app_secret})


def _client(cloud: LocalCloud, service: Literal["dynamodb", "iam", "secretsmanager"]) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        verify=str(cloud.folder / CA),
        region_name=REGION,
        aws_access_key_id=NOT_A_KEY,
        aws_secret_access_key=NOT_A_KEY,
    )


def _with_id(device: str) -> str:
    return json.dumps(json.loads(event_of(device)) | {"event_id": f"event-of-{device}"})


class TestSigning:
    def test_a_wrong_secret_is_put_right_without_deploying(self, survivor: Survivor, device: str) -> None:
        survivor.put_secret(WRONG)
        survivor.kill()  # what was fetched is kept for minutes
        ids = survivor.publish(event_of(device))
        detail = survivor.wait_for_outcome(ids[0], "misconfigured")
        assert "401" in detail
        survivor.put_secret(RIGHT)
        survivor.kill()  # what has just read the wrong one reads again after a minute, a new environment at once
        survivor.wait_until_gone(*ids)

        requests = survivor.received(device)
        assert [request.accepted for request in requests] == [False] * (len(requests) - 1) + [True]
        assert "Kochava-Auth-Token: does not match" in requests[0].problems
        assert survivor.dead_letter(ids[0]) is None
        assert set(survivor.outcomes(ids[0])) == {"misconfigured"}

    def test_no_secret_is_shown(self, survivor: Survivor, device: str) -> None:
        survivor.sandbox.script("400", device=device)
        ids = survivor.publish(event_of(device))
        survivor.wait_until_gone(*ids)

        letter = survivor.dead_letter(ids[0])
        assert letter is not None
        shown = survivor.text_of_log() + json.dumps([letter.body, dict(letter.attributes)])
        assert "rejected" in shown
        for credentials in (RIGHT, WRONG):
            assert credentials.api_key not in shown
            assert credentials.app_secret not in shown


class TestDeduplication:
    def test_sqs_delivers_a_message_twice(self, survivor: Survivor, device: str) -> None:
        survivor.sandbox.script(SLOWLY, device=device)
        survivor.set_visibility(0)  # the message comes back at once, while it is being sent
        try:
            ids = survivor.publish(event_of(device))
            survivor.wait_for_outcome(ids[0], "duplicate")
        finally:
            survivor.set_visibility(VISIBILITY_SECONDS)
        survivor.wait_until_gone(*ids)

        assert [request.accepted for request in survivor.received(device)] == [True]

    def test_a_producer_repeats_an_event(self, survivor: Survivor, device: str) -> None:
        body = _with_id(device)
        for _ in range(2):
            ids = survivor.publish(body)
            survivor.wait_until_gone(*ids)

        assert len(survivor.received(device)) == 1
        assert survivor.outcomes(ids[0]) == ["duplicate"]

    def test_two_environments_have_an_event_at_once(self, survivor: Survivor, device: str) -> None:
        survivor.sandbox.script(SLOWLY, device=device)
        body = _with_id(device)
        first = survivor.publish(body)
        survivor.wait_for_requests(device)
        second = survivor.publish(body)
        survivor.wait_until_gone(*first, *second)

        assert len(survivor.received(device)) == 1
        assert survivor.outcomes(second[0]) == ["duplicate"]

    def test_one_batch_has_an_event_twice(self, survivor: Survivor, device: str) -> None:
        ids = survivor.publish(*[_with_id(device)] * 2)
        survivor.wait_until_gone(*ids)

        assert len(survivor.received(device)) == 1

    @pytest.mark.parametrize("with_id", [True, False], ids=["with event_id", "without"])
    def test_a_dead_letter_is_redriven(self, survivor: Survivor, device: str, *, with_id: bool) -> None:
        survivor.sandbox.script("400", device=device)
        body = _with_id(device) if with_id else event_of(device)
        ids = survivor.publish(body)
        survivor.wait_until_gone(*ids)
        letter = survivor.dead_letter(ids[0])
        assert letter is not None

        redriven = survivor.publish(letter.body)
        survivor.wait_until_gone(*redriven)
        assert [request.accepted for request in survivor.received(device)] == [False, True]

        again = survivor.publish(letter.body)  # by mistake
        survivor.wait_until_gone(*again)
        assert len(survivor.received(device)) == (2 if with_id else 3)

    def test_a_table_that_denies_stops_nothing(self, survivor: Survivor, device: str) -> None:
        with survivor.denied("dynamodb:*"):
            ids = survivor.publish(_with_id(device))
            survivor.wait_until_gone(*ids)

        assert [request.accepted for request in survivor.received(device)] == [True]
        log = survivor.text_of_log()
        assert "AccessDenied" in log
        assert '"DeduplicationFailure":[1' in log


class TestClosedDoors:
    def test_the_dead_letter_queue_takes_nothing(self, survivor: Survivor, device: str) -> None:
        body = event_of(device, event_data={"nested": {}})
        with survivor.denied("sqs:SendMessage*"):
            ids = survivor.publish(body)
            detail = survivor.wait_for_outcome(ids[0], "misconfigured")
            assert "the dead-letter queue did not take it (AccessDenied" in detail
            assert [message.id for message in peek(survivor.cloud, survivor.stack.event_queue_url)] == ids
            assert survivor.dead_letter(ids[0]) is None
        survivor.wait_until_gone(*ids)

        letter = survivor.dead_letter(ids[0])
        assert letter is not None
        assert (letter.body, letter.attributes["reason"]) == (body, "invalid")
        assert int(letter.attributes["receiveCount"]) > 1


class TestKilledMidBatch:
    """Of ten events every second one has no answer yet when the worker dies."""

    def _publish(self, survivor: Survivor, device: str) -> tuple[list[str], list[str], list[str]]:
        """Publish them, and wait until all are sent; returns the messages, and the devices by whether answered."""
        devices = [f"{device}-{number}" for number in range(10)]
        for name in devices[1::2]:
            survivor.sandbox.script("hang:counted", device=name)
        ids = survivor.publish(*(event_of(name) for name in devices))
        for name in devices:
            survivor.wait_for_requests(name)
        return ids, devices[::2], devices[1::2]

    def test_nothing_is_lost_and_what_was_acknowledged_is_not_repeated(
        self, parking: Survivor, device: str
    ) -> None:
        before = [f"{device}-before-{number}" for number in range(10)]
        parking.wait_until_gone(*parking.publish(*(event_of(name) for name in before)))
        ids, answered, unanswered = self._publish(parking, device)
        parking.kill()
        parking.wait_until_gone(*ids)

        assert [len(parking.received(name)) for name in before] == [1] * 10
        assert [len(parking.received(name)) for name in unanswered] == [2] * 5
        # SQS may have handed them over in two batches, of which one was acknowledged.
        assert {len(parking.received(name)) for name in answered} <= {1, 2}
        assert all(parking.received(name)[-1].accepted for name in answered + unanswered)
        assert all(parking.dead_letter(message_id) is None for message_id in ids)

    def test_with_a_table_only_what_had_no_answer_is_repeated(self, survivor: Survivor, device: str) -> None:
        before = survivor.remembered()
        ids, answered, unanswered = self._publish(survivor, device)
        wait_for(
            lambda: survivor.remembered() == before + len(answered),
            seconds=SECONDS,
            what="the remembering of what was answered",
        )
        survivor.kill()
        survivor.wait_until_gone(*ids)

        assert [len(survivor.received(name)) for name in unanswered] == [2] * 5
        assert [len(survivor.received(name)) for name in answered] == [1] * 5


class TestGivenUp:
    def test_what_is_ambiguous_is_parked(self, parking: Survivor, device: str) -> None:
        parking.sandbox.script("reset-after-read:counted", device=device)
        body = event_of(device)
        ids = parking.publish(body)
        parking.wait_until_gone(*ids)

        letter = parking.dead_letter(ids[0])
        assert letter is not None
        assert (letter.body, letter.attributes["reason"]) == (body, "ambiguous")
        assert letter.attributes["detail"].startswith("sent, but")
        assert len(parking.received(device)) == 1

    def test_what_fails_for_too_long_expires_with_its_last_failure(self, impatient: Survivor, device: str) -> None:
        impatient.sandbox.always("503", device=device)
        body = event_of(device)
        ids = impatient.publish(body)
        impatient.wait_until_gone(*ids)

        letter = impatient.dead_letter(ids[0])
        assert letter is not None
        assert (letter.body, letter.attributes["reason"]) == (body, "expired")
        assert "unavailable: HTTP 503" in letter.attributes["detail"]
        assert letter.attributes["receiveCount"] == str(len(impatient.received(device)))


def test_a_killed_function_is_over_before_its_messages_come_back() -> None:
    assert FUNCTION_SECONDS < VISIBILITY_SECONDS
