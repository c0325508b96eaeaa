from collections.abc import Callable
from pathlib import Path

import pytest

from forwarder_tools import processes
from forwarder_tools.artifact import build
from forwarder_tools.localcloud import LocalCloud, Stack, complaints, deploy, function_log, local_cloud, warm_up
from forwarder_tools.processes import ToolError, wait_for

type ProcessesWith = Callable[[str], list[str]]

# Copies each message to the dead-letter queue, which its role must allow.
FUNCTION = """
import os
import boto3

def handler(event, context):
    print("copying", len(event["Records"]))
    for record in event["Records"]:
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["DEAD_LETTER_QUEUE_URL"], MessageBody=record["body"]
        )
    return {"batchItemFailures": []}
"""
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Extra: {Type: String, Default: ""}
Resources:
  EventQueue: {Type: AWS::SQS::Queue}
  DeadLetterQueue: {Type: AWS::SQS::Queue}
  ForwarderFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: function.handler
      CodeUri: function
      Environment: {Variables: {DEAD_LETTER_QUEUE_URL: !Ref DeadLetterQueue}}
      Policies: [POLICY]
      Events:
        Batch: {Type: SQS, Properties: {Queue: !GetAtt EventQueue.Arn}}
Outputs:
  EventQueueUrl: {Value: !Ref EventQueue}
  EventQueueArn: {Value: !GetAtt EventQueue.Arn}
  DeadLetterQueueUrl: {Value: !Ref DeadLetterQueue}
  ForwarderFunctionName: {Value: !Ref ForwarderFunction}
"""
MAY_SEND = "SQSSendMessagePolicy: {QueueName: !GetAtt DeadLetterQueue.QueueName}"


def _template(folder: Path, policy: str = MAY_SEND) -> Path:
    (folder / "function").mkdir()
    (folder / "function" / "function.py").write_text(FUNCTION)
    template = folder / "template.yaml"
    template.write_text(TEMPLATE.replace("POLICY", policy))
    return template


def _log_has(cloud: LocalCloud, stack: Stack, text: str) -> bool:
    return any(text in line for line in function_log(cloud, stack.function_name))


def test_a_message_goes_through_a_deployed_function_and_nothing_is_left(
    tmp_path: Path, processes_with: ProcessesWith
) -> None:
    with local_cloud() as cloud:
        stack = deploy(cloud, _template(tmp_path), {})
        assert function_log(cloud, stack.function_name) == []
        cloud.sqs.send_message(QueueUrl=stack.event_queue_url, MessageBody="hello")
        copies = wait_for(
            lambda: cloud.sqs.receive_message(QueueUrl=stack.dead_letter_queue_url).get("Messages"),
            seconds=10,
            what="the copy",
        )
        assert [message["Body"] for message in copies or ()] == ["hello"]
        wait_for(lambda: _log_has(cloud, stack, "copying 1"), seconds=10, what="the log line")
        assert len(processes_with(str(cloud.folder))) > 1  # the cloud, and the worker that it leaves behind
    assert processes_with(str(cloud.folder)) == []
    assert not cloud.folder.exists()


def test_a_function_may_do_only_what_its_role_allows(tmp_path: Path) -> None:
    template = _template(tmp_path, "SQSPollerPolicy: {QueueName: !GetAtt EventQueue.QueueName}")
    with local_cloud() as cloud:
        stack = deploy(cloud, template, {})
        invocation = cloud.functions.invoke(
            FunctionName=stack.function_name, Payload=b'{"Records": [{"body": "hello"}]}'
        )
        assert b"AccessDenied" in invocation["Payload"].read()


def test_a_crash_of_the_function_is_among_the_complaints(tmp_path: Path) -> None:
    template = _template(tmp_path)
    (tmp_path / "function" / "function.py").write_text("def handler(event, context): raise LookupError('boo')")
    with local_cloud() as cloud:
        stack = deploy(cloud, template, {})
        cloud.sqs.send_message(QueueUrl=stack.event_queue_url, MessageBody="hello")
        found = wait_for(lambda: complaints(cloud), seconds=10, what="the complaint")
    assert any("boo" in line for line in found)


def test_a_function_that_does_not_start_says_why(tmp_path: Path) -> None:
    template = _template(tmp_path)
    (tmp_path / "function" / "function.py").write_text("raise LookupError('no such setting')")
    with local_cloud() as cloud:
        stack = deploy(cloud, template, {})
        with pytest.raises(ToolError, match=r"the function does not start: .*no such setting"):
            warm_up(cloud, stack)


def test_a_cloud_ends_with_an_exception_too(processes_with: ProcessesWith) -> None:
    def fail() -> None:
        with local_cloud() as cloud:
            folders.append(cloud.folder)
            raise LookupError

    folders: list[Path] = []
    with pytest.raises(LookupError):
        fail()
    assert processes_with(str(folders[0])) == []


def test_clouds_run_side_by_side() -> None:
    with local_cloud() as one, local_cloud() as other:
        one.sqs.create_queue(QueueName="here")
        assert one.sqs.list_queues().get("QueueUrls")
        assert not other.sqs.list_queues().get("QueueUrls")


def test_a_parameter_that_the_template_lacks_is_named(tmp_path: Path) -> None:
    template = _template(tmp_path)
    with local_cloud() as cloud, pytest.raises(ToolError, match="has no parameter Nonsense"):
        deploy(cloud, template, {"Extra": "1", "Nonsense": "1"})


def test_a_build_of_the_same_inputs_is_found_again(template: Path) -> None:
    built = template.stat().st_ctime_ns
    assert build() == template
    assert template.stat().st_ctime_ns == built


def test_a_missing_tool_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(processes, "ROOT", tmp_path)
    with (
        pytest.raises(ToolError, match=r"^\.tools/cloud/bin/hypercorn is not installed: run `make install`$"),
        local_cloud(),
    ):
        pass
