"""A value for each option of the template that is off by default, and the way to switch off what is on."""

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000001"
SECRET_KEY = "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-0000-4000-8000-000000000002"
TOPICS = [f"arn:aws:sns:eu-west-1:123456789012:{name}" for name in ("orders", "logins.fifo")]
EVENT_RULES = [f"arn:aws:events:eu-west-1:123456789012:rule/{name}" for name in ("sales", "own-bus/logins")]

TABLE = {"DeduplicationTable": "delivered-events"}
SECRET = {"KochavaSecretId": "kochava/signing"}
VPC = {"VpcSubnetIds": "subnet-0a1b2c3d,subnet-1a1b2c3d", "VpcSecurityGroupIds": "sg-0a1b2c3d"}
POLLERS = {"ProvisionedPollersMinimum": "2", "ProvisionedPollersMaximum": "40"}
PUBLISHERS = {
    "PublisherAccounts": "111122223333,444455556666",
    "PublisherTopicArns": ",".join(TOPICS),
    "PublisherRuleArns": ",".join(EVENT_RULES),
}
EXISTING = "arn:aws:sqs:eu-west-1:123456789012:app-events"
REFUSALS = {"RefusalQueueArn": "arn:aws:sqs:eu-west-1:123456789012:refusals"}
ROLLOUT = {"Rollout": "Canary10Percent5Minutes", "Release": "v1.4.2"}

ALARMS = {
    "AlarmEmail": "on-call@example.com",
    "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:pager",
    "RunbookUrl": "https://wiki.example.com/kochava-runbook",
}
ENCRYPTION = {"KmsKeyArn": KEY}
SECRET_WITH_KEY = {**SECRET, "SecretKmsKeyArn": SECRET_KEY}
OBSERVED = {"Tracing": "Active", "EventSourceMetrics": "EventCount", "LogLevel": "DEBUG"}

UNWATCHED = {"AlarmStuckMinutes": "0", "Dashboard": "false"}

OPTIONS: dict[str, dict[str, str]] = {
    "alarms": ALARMS,
    "encryption": ENCRYPTION,
    "existing queue": {"ExistingQueueArn": EXISTING},
    "existing FIFO queue": {"ExistingQueueArn": f"{EXISTING}.fifo", "QueueType": "fifo"},
    "FIFO": {"QueueType": "fifo"},
    "observed": OBSERVED,
    "pollers": {**POLLERS, "MaximumConcurrency": "5"},
    "publishers": PUBLISHERS,
    "refusals": REFUSALS,
    "rollout": ROLLOUT,
    "secret": SECRET,
    "secret with a key": SECRET_WITH_KEY,
    "table": TABLE,
    "unwatched": UNWATCHED,
    "VPC": VPC,
}
"""Each by itself. The template leaves out the `MaximumConcurrency` beside the pollers, which exclude it."""

EVERYTHING = {
    **ALARMS,
    **ENCRYPTION,
    **OBSERVED,
    **POLLERS,
    **PUBLISHERS,
    **REFUSALS,
    **ROLLOUT,
    **SECRET_WITH_KEY,
    **TABLE,
    **VPC,
}
"""All at once, on a queue of the stack."""

TOGETHER: dict[str, dict[str, str]] = {
    "everything": EVERYTHING,
    "everything, FIFO": {**EVERYTHING, "QueueType": "fifo"},
    "everything with an existing queue": {
        **{name: value for name, value in EVERYTHING.items() if name not in PUBLISHERS},
        "ExistingQueueArn": EXISTING,
    },
    "encrypted table": {**ENCRYPTION, **TABLE},
}
