r"""KochavaEvent -> the exact bytes that Kochava gets. Pure.

Bodies are printed the way PHP's ``json_encode`` prints texts (compact, ``\/``, non-ASCII as ``\uXXXX``),
signed or not, so that a hash over them holds in either reading of the signing rule (OURS, kochava-api.md
section 7).
"""

import json
import re
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pydantic_core import to_json

from kochava_forwarder.events import KochavaEvent
from kochava_forwarder.settings import DeviceUaEncoding

_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def payload(event: KochavaEvent, encoding: DeviceUaEncoding) -> bytes:
    """Returns the request body for `event`, in Kochava's canonical nested form."""
    said = vars(event.data) | (event.data.model_extra or {})  # model_dump would call a function a field
    data = {name: value for name, value in said.items() if value is not None}
    data["device_ua"] = encode_user_agent(event.data.device_ua, encoding)
    parameters = data.get("event_data")
    if event.data.currency and isinstance(parameters, dict):  # the standard events read it there (OURS: both)
        data["event_data"] = parameters | {"currency": event.data.currency}
    body = {
        "action": event.action,
        "kochava_app_id": event.kochava_app_id,
        "kochava_device_id": event.kochava_device_id,
        "data": data,
    }
    return _as_php_prints_it(to_json(body, exclude_none=True))


def _as_php_prints_it(text: bytes) -> bytes:
    """Escapes what PHP escapes besides what every printer of JSON does."""
    if not text.isascii():
        text = _NOT_ASCII.sub(lambda run: json.dumps(run[0])[1:-1], text.decode()).encode("ascii")
    return text.replace(b"/", b"\\/")


@lru_cache(maxsize=256)  # few user agents make most of a batch
def encode_user_agent(user_agent: str, encoding: DeviceUaEncoding) -> str:
    """Returns the user agent percent-encoded exactly once, or not at all, however the publisher sent it.

    Percent-encoded is what the SEED demands; most peers send it raw, hence a setting (OURS). Doing it again
    changes nothing.
    """
    raw = _decode_user_agent(user_agent.encode())
    if encoding is DeviceUaEncoding.PERCENT:
        return quote_from_bytes(raw, safe="")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # as HTTP once had it


def _decode_user_agent(user_agent: bytes) -> bytes:
    """Undoes every encoding; a user agent with a space has none, even if the app's name in it has an escape."""
    while b" " not in user_agent and _ESCAPE.search(user_agent):
        if b"%20" not in user_agent:
            user_agent = user_agent.replace(b"+", b" ")  # as HTML forms and PHP's urlencode() write spaces
        user_agent = unquote_to_bytes(user_agent)
    return user_agent
