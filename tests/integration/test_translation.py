"""The template as SAM translates it, option by option and all at once, and cfn-lint on what is then deployed."""

import json

import pytest

from tests.cloudformation import Json, refusals
from tests.sam_python import run_with_sam
from tests.template_options import EVERYTHING, EXISTING, OPTIONS, PUBLISHERS, TOGETHER

CASES = {**OPTIONS, **TOGETHER}


@pytest.fixture(scope="module")
def translated() -> dict[str, Json]:
    """What `tests.sam_translation` answers about every case."""
    answer: dict[str, Json] = json.loads(run_with_sam("tests.sam_translation", CASES))
    return answer


def _resources(translated: dict[str, Json], case: str) -> dict[str, Json]:
    resources: dict[str, Json] = translated[case]["template"]["Resources"]
    return resources


@pytest.mark.parametrize("case", ["default", *CASES])
def test_what_is_deployed_has_no_fault(translated: dict[str, Json], case: str) -> None:
    assert translated[case]["findings"] == []
    assert refusals(CASES.get(case, {})) == []


def test_without_a_rollout_the_event_source_reads_for_the_function(translated: dict[str, Json]) -> None:
    resources = _resources(translated, "default")

    assert resources["ForwarderFunctionBatch"]["Properties"]["FunctionName"] == {"Ref": "ForwarderFunction"}
    assert not {"AWS::Lambda::Version", "AWS::Lambda::Alias"} & {item["Type"] for item in resources.values()}
    assert not [item for item in resources.values() if item["Type"].startswith("AWS::CodeDeploy::")]


def test_with_a_rollout_it_reads_for_the_alias(translated: dict[str, Json]) -> None:
    resources = _resources(translated, "rollout")

    assert resources["ForwarderFunctionBatch"]["Properties"]["FunctionName"] == {"Ref": "ForwarderAlias"}
    assert resources["ForwarderAlias"]["Properties"]["FunctionVersion"] == {
        "Fn::GetAtt": ["ForwarderVersion", "Version"]
    }


def test_an_option_changes_nothing_that_is_not_its_own(translated: dict[str, Json]) -> None:
    default = _resources(translated, "default")
    changed = {
        case: {name for name, item in _resources(translated, case).items() if item != default.get(name)}
        for case in ("publishers", "secret", "table", "observed", "VPC", "rollout")
    }

    assert changed == {
        "publishers": {"EventQueuePolicy"},
        "secret": {"ForwarderRole", "ForwarderFunction"},
        "table": {"ForwarderRole", "ForwarderFunction", "EventTable"},
        "observed": {"ForwarderRole", "ForwarderFunction", "ForwarderFunctionBatch"},
        "VPC": {"ForwarderRole", "ForwarderFunction"},
        "rollout": {
            "ForwarderFunction",
            "ForwarderFunctionBatch",
            "ForwarderVersion",
            "ForwarderAlias",
            "RolloutApplication",
            "RolloutGroup",
            "RolloutRole",
        },
    }


@pytest.mark.parametrize(
    "given",
    [
        {"ExistingQueueArn": EXISTING, **PUBLISHERS},
        {**EVERYTHING, "ExistingQueueArn": EXISTING},
        {**EVERYTHING, "Release": ""},
        {**EVERYTHING, "VpcSubnetIds": ""},
        {**EVERYTHING, "ProvisionedPollersMaximum": ""},
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_deployed(given: dict[str, str]) -> None:
    assert len(refusals(given)) == 1
