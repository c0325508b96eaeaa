r"""KochavaEvent -> the exact bytes that Kochava gets. Pure.

Bodies are printed the way PHP's ``json_encode`` prints texts (compact, ``\/``, non-ASCII as ``\uXXXX``),
signed or not, so that a hash over them holds in either reading of the signing rule (OURS,
docs/kochava-api.md section 7).
"""

import json
import re
from typing import Any

from pydantic_core import to_json

from kochava_forwarder.contract.models import Install, KochavaEvent
from kochava_forwarder.contract.user_agent import DeviceUaEncoding, encode_user_agent

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def encode_payload(event: KochavaEvent, encoding: DeviceUaEncoding) -> bytes:
    """Return the request body for `event`, in Kochava's canonical nested form."""
    values = vars(event.data) | (event.data.model_extra or {})  # model_dump would call a function a field
    data = {name: value for name, value in values.items() if value is not None}
    if event.data.device_ua:
        data["device_ua"] = encode_user_agent(event.data.device_ua, encoding)
    body: dict[str, Any] = {
        "action": event.action,
        "kochava_app_id": event.kochava_app_id,
        "kochava_device_id": event.kochava_device_id,
    }
    if isinstance(event, Install) and event.app_ver is not None:
        body["app_ver"] = event.app_ver
    body["data"] = data
    return _as_php_prints_it(to_json(body, exclude_none=True))


def _as_php_prints_it(text: bytes) -> bytes:
    """Escape what PHP escapes besides what every printer of JSON does."""
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda run: json.dumps(run[0])[1:-1], text.decode()).encode("ascii")
    return text.replace(b"/", b"\\/")
