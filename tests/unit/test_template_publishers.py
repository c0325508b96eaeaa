"""Who may publish events, and from which queue they are read."""

from collections.abc import Iterator

import pytest

from forwarder_tools.processes import ROOT
from tests.cloudformation import DEFAULTS, TEMPLATE, Json, Stack, accepts, refusals, resolve
from tests.template_options import EVENT_RULES, EXISTING, KEY, PUBLISHERS, REFUSALS, TOPICS

PRODUCTION = ROOT / "docs" / "production.md"
SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "EventQueue.Arn"}


@pytest.fixture
def default() -> Stack:
    return Stack({})


def _selections(node: Json) -> Iterator[Json]:
    """Yield each `Fn::Select` of the template, in whatever branch of a condition it stands."""
    if isinstance(node, dict):
        if "Fn::Select" in node:
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _selections(each)


def _may_send(stack: Stack) -> dict[str, dict[str, Json]]:
    """Return the statements of the event queue's policy beside the one that refuses what is not TLS, by name."""
    only_over_tls, *others = stack.properties("EventQueuePolicy")["PolicyDocument"]["Statement"]
    assert only_over_tls["Sid"] == "OnlyOverTls"
    return {statement["Sid"]: statement for statement in others}


class TestPublishers:
    @pytest.mark.parametrize(
        ("parameter", "name", "who"),
        [
            ("PublisherAccounts", "AccountsPublish", {"Principal": {"AWS": ["111122223333", "444455556666"]}}),
            (
                "PublisherTopicArns",
                "TopicsPublish",
                {
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Condition": {"ArnEquals": {"aws:SourceArn": TOPICS}},
                },
            ),
            (
                "PublisherRuleArns",
                "RulesPublish",
                {
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Condition": {"ArnEquals": {"aws:SourceArn": EVENT_RULES}},
                },
            ),
        ],
    )
    def test_the_queue_lets_them_publish_and_nobody_else(self, parameter: str, name: str, who: Json) -> None:
        assert _may_send(Stack({parameter: PUBLISHERS[parameter]})) == {name: {"Sid": name, **SEND, **who}}

    def test_all_of_them_together(self, default: Stack) -> None:
        assert list(_may_send(Stack(PUBLISHERS))) == ["AccountsPublish", "TopicsPublish", "RulesPublish"]
        assert _may_send(default) == {}

    @pytest.mark.parametrize("parameter", PUBLISHERS)
    def test_a_list_has_commas_and_no_blanks(self, parameter: str) -> None:
        given = PUBLISHERS[parameter]

        assert accepts(parameter, "")
        assert accepts(parameter, given)
        assert not accepts(parameter, given.replace(",", ", "))
        assert not accepts(parameter, given + ",")
        assert not accepts(parameter, "*")

    def test_a_publisher_of_the_account_has_a_policy(self, default: Stack) -> None:
        policy = default.properties("PublisherPolicy")["PolicyDocument"]

        assert policy["Statement"] == [{"Sid": "PublishEvents", **SEND}]

    def test_a_publisher_may_use_the_key_by_way_of_sqs(self) -> None:
        _, encrypt = Stack({"KmsKeyArn": KEY}).properties("PublisherPolicy")["PolicyDocument"]["Statement"]

        assert encrypt == {
            "Sid": "EncryptEvents",
            "Effect": "Allow",
            "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
            "Resource": KEY,
            "Condition": {"StringEquals": {"kms:ViaService": "sqs.AWS::Region.AWS::URLSuffix"}},
        }


class TestRefusals:
    def test_the_function_may_send_to_the_queue_and_is_told_of_it(self, default: Stack) -> None:
        stack = Stack(REFUSALS)
        (arn,) = REFUSALS.values()

        assert stack.rights.keys() - default.rights.keys() == {"TellPublishers"}
        assert stack.rights["TellPublishers"] == {
            "Sid": "TellPublishers",
            "Effect": "Allow",
            "Action": "sqs:SendMessage*",
            "Resource": arn,
        }
        variables = stack.properties("ForwarderFunction")["Environment"]["Variables"]
        assert variables["REFUSAL_QUEUE_ARN"] == arn

    def test_it_is_not_the_queue_that_is_read(self) -> None:
        (refusal,) = refusals({"RefusalQueueArn": EXISTING, "ExistingQueueArn": EXISTING})

        assert "another queue than ExistingQueueArn" in refusal
        assert refusals({**REFUSALS, "ExistingQueueArn": EXISTING}) == refusals(REFUSALS) == []

    def test_only_a_standard_queues_arn_is_taken(self) -> None:
        assert accepts("RefusalQueueArn", "")
        assert accepts("RefusalQueueArn", REFUSALS["RefusalQueueArn"])
        assert not accepts("RefusalQueueArn", REFUSALS["RefusalQueueArn"] + ".fifo")


class TestExistingQueue:
    def test_the_stack_makes_no_event_queue_and_leaves_its_policy_alone(self) -> None:
        stack = Stack({"ExistingQueueArn": EXISTING})

        assert len(list(stack.of_type("AWS::SQS::Queue"))) == 1
        assert not {"EventQueue", "EventQueuePolicy"} & stack.resources.keys()
        assert "EventQueue." not in str(stack.resources)

    def test_everything_that_is_done_with_the_event_queue_is_done_with_it(self) -> None:
        stack = Stack({"ExistingQueueArn": EXISTING})
        (publish,) = stack.properties("PublisherPolicy")["PolicyDocument"]["Statement"]

        assert stack.source["EventSourceArn"] == EXISTING
        assert stack.rights["TakeAndPostponeEvents"]["Resource"] == EXISTING
        assert publish["Resource"] == EXISTING
        for alarm in ("EventsInFlightAlarm", "EventsUnreadAlarm"):
            assert stack.properties(alarm)["Dimensions"] == [{"Name": "QueueName", "Value": "app-events"}]
        assert stack.outputs["EventQueueArn"]["Value"] == EXISTING
        assert stack.outputs["EventQueueUrl"]["Value"] == (
            "https://sqs.AWS::Region.AWS::URLSuffix/123456789012/app-events"
        )

    @pytest.mark.parametrize(("arn", "parts"), [("", {""}), (EXISTING, {"123456789012", "app-events"})])
    def test_its_arn_has_the_parts_even_where_there_is_none(self, arn: str, parts: set[str]) -> None:
        found = [resolve(node, {**DEFAULTS, "ExistingQueueArn": arn}) for node in _selections(TEMPLATE)]

        assert set(found) == parts

    def test_only_it_may_name_the_dead_letter_queue(self, default: Stack) -> None:
        allowed = Stack({"ExistingQueueArn": EXISTING}).properties("DeadLetterQueue")["RedriveAllowPolicy"]

        assert allowed == {"redrivePermission": "byQueue", "sourceQueueArns": [EXISTING]}
        assert "RedriveAllowPolicy" not in default.properties(
            "DeadLetterQueue"
        )  # the two would wait for each other

    @pytest.mark.parametrize("fifo", [False, True])
    def test_the_dead_letter_queue_and_the_event_source_are_of_the_given_type(self, fifo: bool) -> None:
        stack = Stack(
            {"ExistingQueueArn": f"{EXISTING}.fifo", "QueueType": "fifo"}
            if fifo
            else {"ExistingQueueArn": EXISTING}
        )

        assert stack.properties("DeadLetterQueue").get("FifoQueue", False) is fifo
        assert stack.source["BatchSize"] == (10 if fifo else 100)
        assert ("MaximumBatchingWindowInSeconds" in stack.source) is not fifo

    @pytest.mark.parametrize("parameter", PUBLISHERS)
    def test_its_owner_says_who_may_publish(self, parameter: str) -> None:
        (refusal,) = refusals({"ExistingQueueArn": EXISTING, parameter: PUBLISHERS[parameter]})

        assert "in the policy of ExistingQueueArn" in refusal
        assert refusals({"ExistingQueueArn": EXISTING}) == refusals(PUBLISHERS) == []

    @pytest.mark.parametrize(
        ("arn", "accepted"),
        [
            ("", True),
            (EXISTING, True),
            (f"{EXISTING}.fifo", True),
            (f"{EXISTING}.first", False),
            ("https://sqs.eu-west-1.amazonaws.com/123456789012/app-events", False),
        ],
    )
    def test_it_is_given_as_an_arn(self, arn: str, accepted: bool) -> None:
        assert accepts("ExistingQueueArn", arn) == accepted

    def test_the_document_asks_of_it_what_the_stacks_own_queue_has(self, default: Stack) -> None:
        own = default.properties("EventQueue")
        rows = {line.split("`")[1]: line for line in PRODUCTION.read_text().splitlines() if line.startswith("| `")}

        assert f"{own['VisibilityTimeout']} s by default" in rows["VisibilityTimeout"]
        assert f"{own['MessageRetentionPeriod'] // 86400} days serve" in rows["MessageRetentionPeriod"]
        assert f"`maxReceiveCount` of {own['RedrivePolicy']['maxReceiveCount']}" in rows["RedrivePolicy"]
