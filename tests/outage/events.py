"""The events: all alike but for their number, which is what their device is called."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.models import KochavaEvent
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.forwarding import delivery
from kochava_forwarder.kochava.payload import encode_payload

DEVICE = "KDsimulated-"
DIGITS = 9
BODY = (
    f'{{"kochava_app_id":"kosimulated","kochava_device_id":"{DEVICE}%0{DIGITS}d","data":{{'
    '"event_name":"Purchase","event_data":{"price":9.99,"currency":"USD"},"usertime":1767225600,'
    '"device_ids":{"idfa":"AAAAAAAA-0000-4000-8000-000000000099"},'
    '"device_ua":"Mozilla/5.0 (iPhone; CPU iPhone OS 13_5 like Mac OS X)",'
    '"origination_ip":"203.0.113.99"}}'
)
_AT = BODY.index(DEVICE)
_DEVICE_IN_BODY = slice(_AT, _AT + len(DEVICE) + DIGITS)


def body(number: int) -> str:
    """Return the message body of an event."""
    return BODY % number


def number_in(payload: bytes) -> int:
    """Return the number of the event in a request to Kochava."""
    start = payload.index(DEVICE.encode()) + len(DEVICE)
    return int(payload[start : start + DIGITS])


@contextmanager
def read_once() -> Iterator[None]:
    """Have the contract and the wire format worked out for one event, and its number exchanged for all others.

    Both are pure, so that millions of receives would tell no more than one, and they take half the time.
    """
    encoding = DeviceUaEncoding.PERCENT
    first = parse_event(body(0), sent_at=0, default_app_id=None)
    before, after = encode_payload(first, encoding).split(first.kochava_device_id.encode())

    def parse(text: str, **_: object) -> KochavaEvent:
        return first.model_copy(update={"kochava_device_id": text[_DEVICE_IN_BODY]})

    def payload(event: KochavaEvent, _: DeviceUaEncoding) -> bytes:
        return before + event.kochava_device_id.encode() + after

    with patch.object(delivery, "parse_event", parse), patch.object(delivery, "encode_payload", payload):
        yield
