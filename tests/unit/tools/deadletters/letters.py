"""Dead letters to test with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forwarder_tools.deadletters.letter import Letter

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import MessageSystemAttributeNameType

NOW = 1_800_000_000.0


def letter(
    name: str = "m-1", body: str = "{}", *, group: str = "", moved: bool = False, **attributes: Any
) -> Letter:
    """Return a dead letter that SQS took at `NOW`, with these message attributes, texts or bytes."""
    system: dict[MessageSystemAttributeNameType, str] = {"SentTimestamp": f"{NOW * 1000:.0f}"}
    if group:
        system["MessageGroupId"] = group
    if moved:
        system["DeadLetterQueueSourceArn"] = "arn:aws:sqs:us-east-1:000000000000:events"
    return Letter(
        message_id=name,
        receipt_handle=f"receipt-{name}",
        body=body,
        system=system,
        attributes={
            key: {"DataType": "Binary", "BinaryValue": value}
            if isinstance(value, bytes)
            else {"DataType": "String", "StringValue": value}
            for key, value in attributes.items()
        },
    )


def ours(reason: str, name: str = "m-1", **attributes: str) -> Letter:
    """Return a dead letter as the function makes it."""
    usual: dict[str, Any] = {
        "reason": reason,
        "sourceMessageId": f"source-{name}",
        "deadLetteredAt": "2027-01-01T00:00:00.000+00:00",
        "sentAt": "2026-12-31T00:00:00.000+00:00",
    }
    return letter(name, **(usual | attributes))
