"""Calls to AWS end with their deadline: no attempt, no retry and no queued call acts after its caller has gone."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from kochava_forwarder.aws import AwsClient, Batcher
from tests.integration.support import within
from tests.integration.support_servers import Aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture(autouse=True)
def environment(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


class LateClock:
    """A monotonic clock by which more time has passed than really has."""

    passed = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.passed


def run[R](use: Callable[[Any], Awaitable[R]], threads: int = 1) -> R:
    async def used() -> R:
        client: AwsClient[SQSClient] = AwsClient("sqs", threads)
        try:
            return await use(client)
        finally:
            client.close()

    return asyncio.run(used())


def postpone(sqs: "SQSClient") -> Any:
    entries: Any = [{"Id": "0", "ReceiptHandle": "receipt", "VisibilityTimeout": 7}]
    return sqs.change_message_visibility_batch(QueueUrl=f"{sqs.meta.endpoint_url}/1/events", Entries=entries)


def in_seconds(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def wait_for_threads() -> None:
    """Wait until no thread makes a call any more."""
    for thread in threading.enumerate():
        if thread.name.startswith("sqs"):
            thread.join(3)
            assert not thread.is_alive()


async def failure(call: Awaitable[Any]) -> str:
    """Return the name of the exception that a call raises."""
    try:
        await call
    except Exception as error:  # noqa: BLE001 - which one it is is the test
        return type(error).__name__
    return "none"


def test_a_call_returns_what_its_function_returns(aws: Aws) -> None:
    assert run(lambda client: client.call(postpone, in_seconds(10)))["Successful"] == [{"Id": "0"}]
    assert aws.visibility == {"receipt": 7}


def test_a_call_that_hangs_ends_with_its_deadline_on_its_thread_too(aws: Aws) -> None:
    aws.hanging.add("ChangeMessageVisibilityBatch")
    with within(3):
        assert run(lambda client: failure(client.call(postpone, in_seconds(1.2)))) in {
            "ReadTimeoutError",
            "NoTimeError",
            "TimeoutError",
        }
    wait_for_threads()
    assert len(aws.calls) == 1, "a retry could not have ended in time"


def test_no_attempt_starts_that_could_outlast_the_deadline(aws: Aws) -> None:
    assert run(lambda client: failure(client.call(postpone, in_seconds(0.05)))) == "NoTimeError"
    assert aws.calls == []


@pytest.mark.parametrize("late", ["making the client", "its first call"])
def test_a_call_has_shorter_attempts_if_beginning_took_too_long(
    monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    def make(*arguments: Any, **options: Any) -> Any:
        clock.passed = 1.5 if late == "making the client" else 0.0  # boto3 is imported once
        return make_client(*arguments, **options)

    def call(sqs: "SQSClient") -> Any:
        clock.passed = 1.5
        attempts.append(sqs.meta.config.read_timeout)  # type: ignore[attr-defined] # of botocore's Config
        return postpone(sqs)

    clock, make_client, attempts = LateClock(), boto3.client, list[float]()
    monkeypatch.setattr("kochava_forwarder.aws.time", clock)
    monkeypatch.setattr(boto3, "client", make)
    # 4.5 s suffice for an attempt of 2 s to connect and 2 s to read, but not when 1.5 s of them have passed.
    assert run(lambda client: client.call(call, in_seconds(4.5)))["Successful"] == [{"Id": "0"}]
    assert attempts == [2.0, 1.0], "the first is refused before it is sent"


def test_a_call_that_waited_for_a_thread_is_not_made_after_its_caller_has_gone(aws: Aws) -> None:
    async def use(client: Any) -> list[str]:
        busy = asyncio.create_task(client.call(lambda _: release.wait(10), in_seconds(10)))
        await asyncio.sleep(0)
        queued = await failure(client.call(postpone, in_seconds(0.1)))
        release.set()
        await busy
        return [queued]

    release = threading.Event()
    assert run(use) == ["TimeoutError"]
    assert aws.calls == []


def test_a_retry_is_not_made_after_its_caller_has_gone(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    # botocore sleeps between attempts; an environment may be frozen meanwhile, and the clock with it.
    async def use(client: Any) -> str:
        caller = asyncio.create_task(failure(client.call(postpone, in_seconds(60))))
        await asyncio.to_thread(slept.wait, 10)
        caller.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go_on.set()
        return "gone" if caller.cancelled() else "done"

    def sleep(_: float) -> None:
        slept.set()
        go_on.wait(10)

    slept, go_on = threading.Event(), threading.Event()
    aws.throttled["ChangeMessageVisibilityBatch"] = 1
    monkeypatch.setattr("botocore.endpoint.time.sleep", sleep)
    assert run(use) == "gone"
    wait_for_threads()
    assert len(aws.calls) == 1
    assert aws.visibility == {}


def test_a_failed_attempt_is_made_again_while_there_is_time(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    aws.throttled["ChangeMessageVisibilityBatch"] = 1
    run(lambda client: client.call(postpone, in_seconds(30)))
    assert len(aws.calls) == 2


def test_a_batch_whose_call_fails_tells_each_entry(aws: Aws) -> None:
    async def use(client: Any) -> list[str]:
        batcher: Batcher[Any, int, str] = Batcher(
            client,
            call=lambda _, sqs: postpone(sqs)["Successful"],
            failed=lambda error: type(error).__name__,
            max_entries=3,
            window=0.01,
        )
        return await asyncio.gather(*(batcher.add(number, in_seconds(10)) for number in range(4)))

    aws.failing["ChangeMessageVisibilityBatch"] = "AccessDenied"
    assert run(use) == ["ClientError"] * 4
    assert len(aws.calls) == 2, "three entries, then what was left"
