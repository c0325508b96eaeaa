"""Who may publish events, and from which queue they are read."""

import pytest

from tests.cloudformation import Json, Stack, accepts
from tests.template_options import EVENT_RULES, KEY, PUBLISHERS, TOPICS

SEND = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "EventQueue.Arn"}


@pytest.fixture
def default() -> Stack:
    return Stack({})


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
