"""What the template deploys, for every combination of the parameters that decide about the queues.

A rule is checked where it counts, in the deployed values: `cloudformation` resolves the template.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping

import pytest

from forwarder_tools.processes import ROOT
from kochava_forwarder import telemetry
from kochava_forwarder.policy import backoff
from kochava_forwarder.policy.outcomes import Action, AmbiguousDelivery, Outcome, Verdict, action_for
from kochava_forwarder.settings import Settings
from tests.cloudformation import (
    DEFAULTS,
    PARAMETERS,
    TEMPLATE,
    TEMPLATE_FILE,
    Json,
    Stack,
    accepts,
    resolve,
    values,
)

DAY = 24 * 3600
README = (TEMPLATE_FILE.parent / "README.md").read_text()
LONGEST_HORIZON: int = PARAMETERS["RetryHorizonSeconds"]["MaxValue"]

DECISIVE = ("QueueType", "FunctionTimeout", "MemorySize", "BatchSize", "BatchingWindow", "Architecture")
EVERY_DEPLOYMENT = [
    Stack(dict(zip(DECISIVE, chosen, strict=True))) for chosen in itertools.product(*map(values, DECISIVE))
]


@pytest.fixture
def default() -> Stack:
    return Stack({})


RETRIED = [
    verdict
    for outcome in Outcome
    if action_for(outcome, AmbiguousDelivery.RETRY) is Action.RETRY
    for verdict in (
        Verdict(outcome),
        Verdict(outcome, outage=True),
        *(Verdict(outcome, retry_after=seconds) for seconds in (0, 1, 60, 3600)),
    )
]


def _receives_within(horizon: int, verdict: Verdict) -> int:
    """Return how often a record that always ends so is received until it expires, with the shortest waits."""
    waited, receives = 0, 1
    while waited <= horizon:
        waited += backoff.wait(verdict, receives, jitter=0.0)
        receives += 1
    return receives


class TestQueues:
    def test_visibility_covers_six_timeouts_and_the_window(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            timeout = deployment.properties("ForwarderFunction")["Timeout"]
            window = deployment.source.get("MaximumBatchingWindowInSeconds", 0)

            assert deployment.properties("EventQueue")["VisibilityTimeout"] >= 6 * timeout + window

    def test_dead_letters_outlive_events_and_events_outlive_the_horizon(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            events = deployment.properties("EventQueue")["MessageRetentionPeriod"]
            dead_letters = deployment.properties("DeadLetterQueue")["MessageRetentionPeriod"]

            assert dead_letters == 14 * DAY
            assert dead_letters > events
            assert events >= LONGEST_HORIZON + DAY

    def test_both_queues_are_of_the_chosen_type(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            names = ("FifoQueue", "DeduplicationScope", "FifoThroughputLimit")
            expected = (True, "messageGroup", "perMessageGroupId") if deployment.fifo else (None, None, None)

            for queue in deployment.of_type("AWS::SQS::Queue"):
                assert tuple(queue.get(name) for name in names) == expected
                assert "QueueName" not in queue  # a change of type and back would meet the queue it left alone

    def test_equal_events_are_not_taken_for_duplicates(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            for queue in deployment.of_type("AWS::SQS::Queue"):
                assert "ContentBasedDeduplication" not in queue

    def test_both_queues_are_encrypted(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            for queue in deployment.of_type("AWS::SQS::Queue"):
                assert queue["SqsManagedSseEnabled"] is True

    @pytest.mark.parametrize("queue", ["EventQueue", "DeadLetterQueue"])
    def test_both_queues_refuse_what_does_not_come_over_tls(self, default: Stack, queue: str) -> None:
        (policy,) = (item for item in default.of_type("AWS::SQS::QueuePolicy") if item["Queues"] == [queue])
        (statement,) = policy["PolicyDocument"]["Statement"]

        assert statement == {
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": f"{queue}.Arn",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }

    @pytest.mark.parametrize("verdict", RETRIED, ids=str)
    def test_the_backstop_lies_above_what_the_horizon_can_use(self, verdict: Verdict) -> None:
        default = _receives_within(DEFAULTS["RetryHorizonSeconds"], verdict)
        longest = _receives_within(LONGEST_HORIZON, verdict)

        for deployment in EVERY_DEPLOYMENT:
            redrive = deployment.properties("EventQueue")["RedrivePolicy"]

            assert redrive["deadLetterTargetArn"] == "DeadLetterQueue.Arn"
            assert 2 * default < redrive["maxReceiveCount"] <= 1000
            assert longest < redrive["maxReceiveCount"]

    def test_a_change_of_the_queue_type_leaves_the_events_of_the_old_queues_alone(self) -> None:
        for resource in TEMPLATE["Resources"].values():
            if resource["Type"] == "AWS::SQS::Queue":
                assert resource["UpdateReplacePolicy"] == "Retain"


class TestEventSource:
    def test_the_batch_is_one_that_lambda_accepts(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            size = deployment.source["BatchSize"]
            window = deployment.source.get("MaximumBatchingWindowInSeconds")

            if deployment.fifo:
                assert size <= 10
                assert window is None
            else:
                assert size == deployment.parameters["BatchSize"] <= 10_000
                assert window == deployment.parameters["BatchingWindow"]
                assert window >= 1

    def test_only_failed_records_return(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            assert deployment.source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    @pytest.mark.parametrize("concurrency", values("MaximumConcurrency"))
    def test_concurrency_is_bounded_by_the_parameter(self, concurrency: int) -> None:
        deployed = Stack({"MaximumConcurrency": concurrency})

        assert deployed.source["ScalingConfig"] == {"MaximumConcurrency": concurrency}
        assert 2 <= concurrency <= 1000

    def test_it_reads_the_event_queue(self, default: Stack) -> None:
        assert default.source["EventSourceArn"] == "EventQueue.Arn"


class TestFunction:
    def test_it_is_built_for_the_architecture_it_runs_on(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            architecture = deployment.parameters["Architecture"]
            metadata = deployment.resources["ForwarderFunction"]["Metadata"]

            assert deployment.properties("ForwarderFunction")["Architectures"] == [architecture]
            assert metadata["ContextPath"] == f"src/build/{architecture}"
            assert (TEMPLATE_FILE.parent / metadata["ContextPath"] / "Makefile").is_file()

    def test_its_timeout_and_memory_are_the_parameters(self) -> None:
        for deployment in EVERY_DEPLOYMENT:
            properties, parameters = deployment.properties("ForwarderFunction"), deployment.parameters

            assert properties["Timeout"] == parameters["FunctionTimeout"]
            assert properties["MemorySize"] == parameters["MemorySize"]

    def test_the_names_that_others_rely_on(self, default: Stack) -> None:
        function = default.properties("ForwarderFunction")

        assert function["Handler"] == "kochava_forwarder.app.lambda_handler"
        assert function["Runtime"] == "python3.13"
        assert {"ForwarderFunction", "EventQueue", "DeadLetterQueue"} <= default.resources.keys()
        outputs = {name: output["Value"] for name, output in default.outputs.items() if name != "DashboardUrl"}
        assert outputs == {
            "EventQueueUrl": "EventQueue",
            "EventQueueArn": "EventQueue.Arn",
            "DeadLetterQueueUrl": "DeadLetterQueue",
            "DeadLetterQueueArn": "DeadLetterQueue.Arn",
            "PublisherPolicyArn": "PublisherPolicy",
            "ForwarderRoleArn": "ForwarderRole.Arn",
            "ForwarderFunctionName": "ForwarderFunction",
        }

    def test_it_may_do_what_it_does_and_nothing_else(self, default: Stack) -> None:
        (role,) = default.of_type("AWS::IAM::Role")
        (policy,) = role["Policies"]
        statements = policy["PolicyDocument"]["Statement"]

        assert default.properties("ForwarderFunction")["Role"] == "ForwarderRole.Arn"
        assert "ManagedPolicyArns" not in role
        assert {item["Effect"] for item in statements} == {"Allow"}
        assert {item["Resource"]: _as_set(item["Action"]) for item in statements} == {
            "EventQueue.Arn": {
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ChangeMessageVisibility*",
            },
            "DeadLetterQueue.Arn": {"sqs:SendMessage*"},
            "ForwarderLogGroup.Arn": {"logs:CreateLogStream", "logs:PutLogEvents"},
        }

    @pytest.mark.parametrize(
        ("parameter", "value", "resource", "actions"),
        [
            (
                "KochavaSecretId",
                "kochava/signing",
                "arn:AWS::Partition:secretsmanager:AWS::Region:AWS::AccountId:secret:kochava/signing-??????",
                {"secretsmanager:GetSecretValue"},
            ),
            (
                "DeduplicationTable",
                "delivered-events",
                "EventTable.Arn",
                {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"},
            ),
        ],
    )
    def test_what_is_optional_adds_its_own_rights_only(
        self, default: Stack, parameter: str, value: str, resource: str, actions: set[str]
    ) -> None:
        statements, more = (
            next(deployment.of_type("AWS::IAM::Role"))["Policies"][0]["PolicyDocument"]["Statement"]
            for deployment in (default, Stack({parameter: value}))
        )

        (added,) = [item for item in more if item not in statements]
        assert (added["Effect"], added["Resource"], _as_set(added["Action"])) == ("Allow", resource, actions)

    def test_its_logs_are_kept_as_long_as_the_parameter_says(self, default: Stack) -> None:
        (group,) = default.of_type("AWS::Logs::LogGroup")

        assert default.properties("ForwarderFunction")["LoggingConfig"] == {"LogGroup": "ForwarderLogGroup"}
        assert group == {"RetentionInDays": DEFAULTS["LogRetentionDays"]}


def _as_set(action: str | list[str]) -> set[str]:
    return {action} if isinstance(action, str) else set(action)


class TestSettings:
    """The function's environment, the template's parameters and the code's settings say the same."""

    VARIABLES: Mapping[str, Json] = TEMPLATE["Resources"]["ForwarderFunction"]["Properties"]["Environment"][
        "Variables"
    ]

    def test_the_environment_holds_what_the_code_reads(self) -> None:
        read = {field.alias for field in Settings.model_fields.values()}

        own = {name for name in self.VARIABLES if not name.startswith(("POWERTOOLS_", "AWS_"))}
        assert own == read
        assert {name for name in self.VARIABLES if name.startswith("POWERTOOLS_")} == {
            "POWERTOOLS_SERVICE_NAME",
            "POWERTOOLS_METRICS_NAMESPACE",
            "POWERTOOLS_LOG_LEVEL",
        }

    def test_a_setting_comes_from_the_parameter_of_its_name(self) -> None:
        taken = {
            name: value["Ref"]
            for name, value in self.VARIABLES.items()
            if not name.startswith(("POWERTOOLS_", "AWS_")) and name != "DEAD_LETTER_QUEUE_URL"
        }

        assert taken == {name: name.title().replace("_", "") for name in taken}
        assert set(taken.values()) <= PARAMETERS.keys()
        assert self.VARIABLES["DEAD_LETTER_QUEUE_URL"] == {"Ref": "DeadLetterQueue"}

    def test_deployed_the_function_calls_aws_where_it_is(self, default: Stack) -> None:
        assert self.VARIABLES["AWS_ENDPOINT_URL"] == {"Ref": "AWS::NoValue"}
        deployed = default.properties("ForwarderFunction")["Environment"]["Variables"]
        assert not [name for name in deployed if name.startswith("AWS_")]

    def test_the_parameters_defaults_are_the_codes_own(self) -> None:
        queue = "https://sqs.example/queue"
        variables = {name: str(value) for name, value in resolve(self.VARIABLES, DEFAULTS).items()}

        assert Settings.from_environment(
            variables | {"DEAD_LETTER_QUEUE_URL": queue}
        ) == Settings.from_environment({"DEAD_LETTER_QUEUE_URL": queue})

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            (name, value)
            for name in (
                "AdvertisingIds",
                "AmbiguousDelivery",
                "DeduplicationWindowSeconds",
                "DeviceUaEncoding",
                "MaxWorkers",
                "OriginationIpPrecision",
                "RequestTimeoutSeconds",
                "RetryHorizonSeconds",
            )
            for value in values(name)
        ],
    )
    def test_the_code_takes_what_the_parameters_allow(self, parameter: str, value: Json) -> None:
        variables = resolve(self.VARIABLES, {**DEFAULTS, parameter: value})

        Settings.from_environment(
            {name: str(item) for name, item in variables.items()} | {"DEAD_LETTER_QUEUE_URL": "https://q"}
        )

    def test_the_table_forgets_by_the_attribute_that_powertools_writes(self) -> None:
        (table,) = Stack({"DeduplicationTable": "events"}).of_type("AWS::DynamoDB::Table")

        assert table["TimeToLiveSpecification"] == {"AttributeName": "expiration", "Enabled": True}
        assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
        assert TEMPLATE["Resources"]["EventTable"]["Condition"] == "Deduplicates"

    def test_a_request_ends_within_the_shortest_timeout(self) -> None:
        assert max(values("RequestTimeoutSeconds")) < min(values("FunctionTimeout"))


class TestParameters:
    def test_each_says_what_it_is_for(self) -> None:
        described = {name: parameter.get("Description", "") for name, parameter in PARAMETERS.items()}

        assert [name for name, text in described.items() if not text.endswith(".")] == []

    def test_each_has_a_place_among_the_groups(self) -> None:
        groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
        placed = [name for group in groups for name in group["Parameters"]]

        assert sorted(placed) == sorted(PARAMETERS)

    @pytest.mark.parametrize("name", PARAMETERS)
    def test_each_has_its_row_in_the_readme(self, name: str) -> None:
        rows = (line.split("|") for line in README.splitlines() if line.startswith("| `"))

        assert any(f"`{name}`" in row[1] for row in rows)

    def test_each_with_a_rule_of_its_own_says_the_rule_in_words(self) -> None:
        ruled = {"AllowedPattern", "MinValue", "MaxValue"}

        assert [
            name
            for name, parameter in PARAMETERS.items()
            if ruled & parameter.keys() and "ConstraintDescription" not in parameter
        ] == []

    @pytest.mark.parametrize(
        ("parameter", "value", "accepted"),
        [
            ("KochavaEndpoint", "https://control.kochava.com/track/json", True),
            ("KochavaEndpoint", "http://127.0.0.1:8787/track/json", True),
            ("KochavaEndpoint", "http://localhost/", True),
            ("KochavaEndpoint", "http://[::1]:8787/", True),
            ("KochavaEndpoint", "http://sandbox.localhost:8787/track/json", True),
            ("KochavaEndpoint", "http://notlocalhost/", False),
            ("KochavaEndpoint", "http://control.kochava.com/track/json", False),
            ("KochavaEndpoint", "http://localhost.example/", False),
            ("KochavaEndpoint", "control.kochava.com", False),
            ("KochavaEndpoint", "https://", False),
            ("KochavaEndpoint", "https:// control.kochava.com", False),
            ("KochavaEndpoint", "", False),
            ("KochavaAppId", "", True),
            ("KochavaAppId", "kogame-ios-ab12", True),
            ("KochavaAppId", "kogame ios", False),
        ],
    )
    def test_a_pattern_tells_good_from_bad(self, parameter: str, value: str, accepted: bool) -> None:
        assert accepts(parameter, value) == accepted


def test_each_output_says_what_it_is_for() -> None:
    for name, output in TEMPLATE["Outputs"].items():
        assert output["Description"].endswith("."), name


def test_the_serverless_repository_is_told_what_the_project_says_of_itself() -> None:
    said = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert (said["Name"], said["SemanticVersion"]) == (project["name"], project["version"])
    assert (said["SpdxLicenseId"], said["Description"]) == (project["license"], project["description"])
    assert (ROOT / said["LicenseUrl"]).is_file()
    assert (ROOT / said["ReadmeUrl"]).is_file()


@pytest.mark.parametrize(
    ("name", "pattern", "longest"),
    [
        ("Name", r"[a-zA-Z0-9-]+", 140),
        ("Author", r"[a-z0-9](([a-z0-9]|-(?!-))*[a-z0-9])?", 127),
        ("Description", r".+", 256),
        ("Labels", r"[a-zA-Z0-9+_:/@-]+", 127),
        ("SemanticVersion", r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", 64),
    ],
)
def test_what_the_serverless_repository_is_told_has_the_form_that_it_asks_for(
    name: str, pattern: str, longest: int
) -> None:
    said = TEMPLATE["Metadata"]["AWS::ServerlessRepo::Application"][name]
    texts = said if isinstance(said, list) else [said]

    assert len(texts) <= 10
    assert [text for text in texts if not re.fullmatch(pattern, text) or len(text) > longest] == []


def test_the_metrics_namespace_is_the_one_of_the_documentation() -> None:
    variables = Stack({}).properties("ForwarderFunction")["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == telemetry.NAMESPACE
    assert f"`{telemetry.NAMESPACE}`" in README
