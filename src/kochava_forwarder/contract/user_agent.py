"""A user agent, encoded exactly once, however the publisher sent it. Pure."""

import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


class DeviceUaEncoding(StrEnum):
    """How ``device_ua`` goes on the wire: as the SEED demands, or as most peers send it."""

    PERCENT = "percent"
    RAW = "raw"


@lru_cache(maxsize=256)  # few user agents make most of a batch
def encode_user_agent(user_agent: str, encoding: DeviceUaEncoding) -> str:
    """Return the user agent percent-encoded exactly once, or not at all, however the publisher sent it.

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
    """Undo every encoding; a user agent with a space has none, even if the app's name in it has an escape."""
    while b" " not in user_agent and _ESCAPE.search(user_agent):
        if b"%20" not in user_agent:
            user_agent = user_agent.replace(b"+", b" ")  # as HTML forms and PHP's urlencode() write spaces
        user_agent = unquote_to_bytes(user_agent)
    return user_agent
