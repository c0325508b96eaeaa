"""A rollout by steps: what is published, who runs it, and what brings the one before back."""

import pytest

from tests.cloudformation import Stack, accepts, refusals, values
from tests.template_options import ROLLOUT

NEW = {"ForwarderVersion", "ForwarderAlias", "RolloutApplication", "RolloutGroup", "RolloutRole"}
BY_STEPS = [rollout for rollout in values("Rollout") if rollout != "AllAtOnce"]


@pytest.fixture
def default() -> Stack:
    return Stack({})


@pytest.fixture
def by_steps() -> Stack:
    return Stack(ROLLOUT)


def test_without_it_the_function_itself_is_the_target(default: Stack) -> None:
    assert default.source["FunctionName"] == "ForwarderFunction"
    assert not NEW & default.resources.keys()
    assert default.properties("ForwarderFunction")["Description"] == "Forwards app events from SQS to Kochava."
    assert not [name for name in default.properties("ForwarderFunction") if name.startswith("AutoPublish")]


def test_with_it_the_event_source_follows_the_alias(default: Stack, by_steps: Stack) -> None:
    assert by_steps.source["FunctionName"] == "ForwarderAlias"
    assert by_steps.resources.keys() - default.resources.keys() == NEW
    assert by_steps.properties("ForwarderAlias") == {
        "Name": "live",
        "FunctionName": "ForwarderFunction",
        "FunctionVersion": "ForwarderVersion.Version",
    }


def test_a_new_release_is_another_version_of_another_function(by_steps: Stack) -> None:
    later = Stack({**ROLLOUT, "Release": "v1.4.3"})

    assert by_steps.properties("ForwarderVersion") == {
        "FunctionName": "ForwarderFunction",
        "Description": "v1.4.2",
    }
    assert later.properties("ForwarderVersion")["Description"] == "v1.4.3"
    assert by_steps.properties("ForwarderFunction") != later.properties("ForwarderFunction")


def test_the_version_before_is_kept(by_steps: Stack) -> None:
    version = by_steps.resources["ForwarderVersion"]

    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize("rollout", BY_STEPS)
def test_traffic_is_shifted_in_the_chosen_steps(rollout: str) -> None:
    stack = Stack({**ROLLOUT, "Rollout": rollout})

    assert stack.resources["ForwarderAlias"]["UpdatePolicy"] == {
        "CodeDeployLambdaAliasUpdate": {
            "ApplicationName": "RolloutApplication",
            "DeploymentGroupName": "RolloutGroup",
        }
    }
    assert stack.properties("RolloutApplication") == {"ComputePlatform": "Lambda"}
    group = stack.properties("RolloutGroup")
    assert group["ApplicationName"] == "RolloutApplication"
    assert group["DeploymentConfigName"] == f"CodeDeployDefault.Lambda{rollout}"
    assert group["DeploymentStyle"] == {
        "DeploymentType": "BLUE_GREEN",
        "DeploymentOption": "WITH_TRAFFIC_CONTROL",
    }


def test_an_alarm_on_errors_brings_the_version_before_back(by_steps: Stack) -> None:
    group = by_steps.properties("RolloutGroup")

    assert group["AlarmConfiguration"] == {
        "Enabled": True,
        "Alarms": [{"Name": name} for name in ("FunctionErrorsAlarm", "InternalErrorAlarm", "MisconfiguredAlarm")],
    }
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_codedeploy_does_it_with_a_role_of_its_own(by_steps: Stack) -> None:
    role = by_steps.properties("RolloutRole")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert by_steps.properties("RolloutGroup")["ServiceRoleArn"] == "RolloutRole.Arn"
    assert trust == {
        "Effect": "Allow",
        "Principal": {"Service": "codedeploy.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    assert role["ManagedPolicyArns"] == [
        "arn:AWS::Partition:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"
    ]


@pytest.mark.parametrize("rollout", BY_STEPS)
def test_steps_need_a_release(rollout: str) -> None:
    (refusal,) = refusals({"Rollout": rollout})

    assert refusal.startswith("Rollout by steps needs a Release")
    assert refusals({"Rollout": rollout, "Release": "1"}) == refusals({"Release": "1"}) == []


@pytest.mark.parametrize(("name", "accepted"), [("v1.4.2+a-b_c", True), ("a b", False), ("a" * 65, False)])
def test_a_release_has_a_short_name(name: str, accepted: bool) -> None:
    assert accepts("Release", name) == accepted
