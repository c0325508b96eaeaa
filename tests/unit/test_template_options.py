"""What the template's options add, each off by default; off, they leave nothing behind."""

import tomllib

import pytest

from forwarder_tools.processes import ROOT
from tests.cloudformation import Stack, accepts, refusals, values
from tests.template_options import KEY, POLLERS, SECRET, SECRET_KEY, TABLE, VPC


@pytest.fixture
def default() -> Stack:
    return Stack({})


class TestEncryption:
    def test_a_key_encrypts_everything_that_holds_events(self) -> None:
        stack = Stack({"KmsKeyArn": KEY, **TABLE})

        for queue in stack.of_type("AWS::SQS::Queue"):
            assert queue["KmsMasterKeyId"] == KEY
            assert queue["KmsDataKeyReusePeriodSeconds"] == 3600
            assert "SqsManagedSseEnabled" not in queue  # SQS refuses both
        assert stack.properties("EventTable")["SSESpecification"] == {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": KEY,
        }
        assert stack.properties("ForwarderLogGroup")["KmsKeyId"] == KEY
        assert stack.properties("ForwarderFunction")["KmsKeyArn"] == KEY

    def test_the_function_may_use_the_key_and_no_other(self, default: Stack) -> None:
        rights = Stack({"KmsKeyArn": KEY}).rights

        assert rights.keys() - default.rights.keys() == {"UseKey"}
        assert rights["UseKey"] == {
            "Sid": "UseKey",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Resource": KEY,
        }

    def test_a_secrets_key_decrypts_for_secrets_manager_only(self, default: Stack) -> None:
        rights = Stack({**SECRET, "SecretKmsKeyArn": SECRET_KEY}).rights

        assert rights.keys() - default.rights.keys() == {"ReadSigningSecret", "DecryptSigningSecret"}
        assert rights["DecryptSigningSecret"] == {
            "Sid": "DecryptSigningSecret",
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": SECRET_KEY,
            "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.AWS::Region.AWS::URLSuffix"}},
        }

    def test_a_key_without_a_secret_gives_no_rights(self, default: Stack) -> None:
        assert Stack({"SecretKmsKeyArn": SECRET_KEY}).rights == default.rights

    def test_without_a_key_the_keys_are_those_of_aws(self) -> None:
        stack = Stack(TABLE)

        for queue in stack.of_type("AWS::SQS::Queue"):
            assert queue["SqsManagedSseEnabled"] is True
            assert not [name for name in queue if name.startswith("Kms")]
        assert stack.properties("EventTable")["SSESpecification"] == {"SSEEnabled": True}
        assert "KmsKeyId" not in stack.properties("ForwarderLogGroup")
        assert "KmsKeyArn" not in stack.properties("ForwarderFunction")

    @pytest.mark.parametrize("parameter", ["KmsKeyArn", "SecretKmsKeyArn"])
    def test_only_a_keys_own_arn_is_taken(self, parameter: str) -> None:
        assert accepts(parameter, "")
        assert accepts(parameter, KEY)
        assert not accepts(parameter, KEY.replace("key/", "alias/"))  # no policy may name an alias
        assert not accepts(parameter, "0a1b2c3d-0000-4000-8000-000000000001")


class TestVpc:
    def test_the_function_runs_in_the_subnets_with_the_groups(self) -> None:
        assert Stack(VPC).properties("ForwarderFunction")["VpcConfig"] == {
            "SubnetIds": ["subnet-0a1b2c3d", "subnet-1a1b2c3d"],
            "SecurityGroupIds": ["sg-0a1b2c3d"],
        }

    def test_lambda_may_make_its_network_interfaces_and_the_code_may_not(self, default: Stack) -> None:
        rights = Stack(VPC).rights

        assert rights.keys() - default.rights.keys() == {"JoinVpc", "LeaveVpcToLambda"}
        assert (rights["JoinVpc"]["Effect"], rights["JoinVpc"]["Resource"]) == ("Allow", "*")
        assert set(rights["JoinVpc"]["Action"]) == {
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        }
        assert rights["LeaveVpcToLambda"] == {
            "Sid": "LeaveVpcToLambda",
            "Effect": "Deny",
            "Action": "ec2:*",
            "Resource": "*",
            "Condition": {
                "ArnLike": {
                    "lambda:SourceFunctionArn": "arn:AWS::Partition:lambda:AWS::Region:AWS::AccountId:function:*"
                }
            },
        }

    def test_without_subnets_there_is_no_vpc(self, default: Stack) -> None:
        assert "VpcConfig" not in default.properties("ForwarderFunction")

    @pytest.mark.parametrize("alone", VPC)
    def test_subnets_and_groups_go_together(self, alone: str) -> None:
        (refusal,) = refusals({alone: VPC[alone]})

        assert refusal.startswith(f"{alone} needs ")
        assert refusals(VPC) == refusals({}) == []

    @pytest.mark.parametrize("parameter", VPC)
    def test_ids_are_a_list_without_blanks(self, parameter: str) -> None:
        given = VPC[parameter]

        assert accepts(parameter, given)
        assert not accepts(parameter, f"{given},")
        assert not accepts(parameter, f"{given}, {given}")
        assert not accepts(parameter, "vpc-0a1")


class TestObservability:
    def test_the_log_level_is_powertools(self, default: Stack) -> None:
        levels = [
            stack.properties("ForwarderFunction")["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"]
            for stack in (default, Stack({"LogLevel": "WARNING"}))
        ]

        assert levels == ["INFO", "WARNING"]

    @pytest.mark.parametrize(
        ("parameter", "known"),
        [
            ("LogLevel", ["DEBUG", "INFO", "WARNING", "ERROR"]),  # the function does not start with another
            ("Tracing", ["PassThrough", "Active"]),
            ("EventSourceMetrics", ["none", "EventCount"]),
        ],
    )
    def test_a_misspelt_word_is_refused(self, parameter: str, known: list[str]) -> None:
        assert values(parameter) == known

    def test_lambda_traces_with_the_rights_to_it(self, default: Stack) -> None:
        stack = Stack({"Tracing": "Active"})

        assert stack.properties("ForwarderFunction")["Tracing"] == "Active"
        assert stack.rights.keys() - default.rights.keys() == {"WriteTraces"}
        assert stack.rights["WriteTraces"] == {
            "Sid": "WriteTraces",
            "Effect": "Allow",
            "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
            "Resource": "*",
        }
        assert default.properties("ForwarderFunction")["Tracing"] == "PassThrough"  # Lambda's own default

    def test_the_event_source_counts_if_it_is_asked_to(self, default: Stack) -> None:
        counting = Stack({"EventSourceMetrics": "EventCount"})

        assert counting.source["MetricsConfig"] == {"Metrics": ["EventCount"]}
        assert "MetricsConfig" not in default.source


class TestPollers:
    def test_provisioned_pollers_stand_instead_of_the_maximum_concurrency(self, default: Stack) -> None:
        source = Stack({**POLLERS, "MaximumConcurrency": 5}).source

        assert source["ProvisionedPollerConfig"] == {"MinimumPollers": "2", "MaximumPollers": "40"}
        assert "ScalingConfig" not in source  # Lambda refuses both
        assert "ProvisionedPollerConfig" not in default.source

    @pytest.mark.parametrize("alone", POLLERS)
    def test_minimum_and_maximum_go_together(self, alone: str) -> None:
        (refusal,) = refusals({alone: POLLERS[alone]})

        assert refusal.startswith(f"{alone} needs ")
        assert refusals(POLLERS) == []

    @pytest.mark.parametrize(
        ("parameter", "most"), [("ProvisionedPollersMinimum", 200), ("ProvisionedPollersMaximum", 10_000)]
    )
    def test_pollers_are_as_many_as_lambda_takes(self, parameter: str, most: int) -> None:
        taken = [number for number in range(most * 2) if accepts(parameter, str(number))]

        assert taken == list(range(2, most + 1))


def test_everything_that_is_deployed_has_the_projects_tag() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]["deploy"]["parameters"]

    assert settings["tags"] == "Project=kochava-forwarder"
