"""Each check of `make security` finds what it is there for, and says so when it looked at nothing."""

import json
import shutil
from pathlib import Path

import pytest

from tests.cloudformation import Json
from tests.security.checks import forbidden_template, open_template, secrets, unsafe_code

NEEDS_NPM = pytest.mark.skipif(shutil.which("npm") is None, reason="npm, which fetches cfn-guard, is missing")

OPEN_QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": False}}
PRINCIPALS = {
    "Anybody": "*",
    "AnyAccount": {"AWS": ["111122223333", "*"]},
    "AnyTopic": {"Service": "sns.amazonaws.com"},
}
POLICIES = {
    name: {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": "Events"}],
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": who, "Action": "sqs:SendMessage"}]},
        },
    }
    for name, who in PRINCIPALS.items()
}


def _role(action: str) -> Json:
    statement = {"Sid": "Anything", "Effect": "Allow", "Action": action, "Resource": "*"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"Policies": [{"PolicyName": "rights", "PolicyDocument": {"Statement": [statement]}}]},
    }


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever would call home fail."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def _template(folder: Path, resources: Json) -> Path:
    path = folder / "open.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
    return path


def test_bandit_finds_an_eval(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import subprocess\nprint(eval(input()))\n")

    (started, evaluated) = unsafe_code(tmp_path)
    assert "code.py:1: B404" in started
    assert "code.py:2: B307" in evaluated
    assert unsafe_code(tmp_path, allowed=["B404"]) == [evaluated]


def test_bandit_says_when_it_saw_no_code(tmp_path: Path) -> None:
    assert unsafe_code(tmp_path) == [f"bandit: looked at nothing of {tmp_path}"]


def test_detect_secrets_finds_what_looks_like_one(tmp_path: Path) -> None:
    key, word = "AKIA" + "QWERTYUIOPASDFGH", "hunter" + "-two"  # in two parts, or this file would be found, too
    (tmp_path / "settings.py").write_text(f'KEY = "{key}"\napp_secret = "{word}"\napp_secret = "test-value"\n')

    found = secrets(tmp_path, [Path("settings.py")])
    assert len(found) == 2
    assert "settings.py:1: AWS Access Key" in found[0]
    assert "settings.py:2: Secret Keyword" in found[1]


def test_detect_secrets_says_when_it_saw_no_file(tmp_path: Path) -> None:
    assert secrets(tmp_path, [Path("uv.lock")]) == ["detect-secrets: looked at nothing of files"]


def test_checkov_finds_an_open_queue_unless_the_queue_says_why(tmp_path: Path) -> None:
    why = {"Metadata": {"checkov": {"skip": [{"id": "CKV_AWS_27", "comment": "why"}]}}}
    template = _template(tmp_path, {"Events": OPEN_QUEUE, "Others": OPEN_QUEUE | why, "Role": _role("*")})

    found = open_template([template])
    assert any("Events: CKV_AWS_27" in finding for finding in found)
    assert any("Role: CKV_AWS_63" in finding for finding in found)
    assert not any("Others" in finding for finding in found)


def test_checkov_says_when_it_saw_no_template(tmp_path: Path) -> None:
    assert open_template([_template(tmp_path, {})]) == ["checkov: looked at nothing of what is deployed"]


@NEEDS_NPM
def test_cfn_guard_finds_an_open_queue_unless_the_queue_says_why(tmp_path: Path) -> None:
    why = {"Metadata": {"guard": {"SuppressedRules": ["sqs_queue_encrypted_check", "sqs_dlq_check"]}}}
    resources = {"Events": OPEN_QUEUE, "Others": OPEN_QUEUE | why, "Role": _role("sqs:*")}

    assert sorted(forbidden_template([_template(tmp_path, resources)])) == [
        "cfn-guard: open: Events: sqs_dlq_check",
        "cfn-guard: open: Events: sqs_queue_encrypted_check",
        "cfn-guard: open: Role: iam_inline_policy_no_statements_with_full_access_check",
        "cfn-guard: open: Role: rights_name_their_resource",
    ]


@NEEDS_NPM
def test_cfn_guard_finds_a_public_queue_and_logs_that_are_kept_for_ever(tmp_path: Path) -> None:
    resources = {**POLICIES, "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": "a-key"}}}

    assert set(forbidden_template([_template(tmp_path, resources)])) == {
        "cfn-guard: open: Logs: logs_are_not_kept_for_ever",
        *(f"cfn-guard: open: {name}: queues_are_not_public" for name in POLICIES),
        *(f"cfn-guard: open: {name}: queues_demand_tls" for name in POLICIES),
    }


@NEEDS_NPM
def test_cfn_guard_says_when_it_saw_no_resource(tmp_path: Path) -> None:
    assert forbidden_template([_template(tmp_path, {})]) == ["cfn-guard: looked at nothing of open"]
