"""``device_ua``: a user agent, encoded exactly once, however the publisher sent it. Pure."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes

from kochava_forwarder.contract.placeholders import names_nobody
from kochava_forwarder.contract.problems import refuse

MAX_USER_AGENT = 8192  # bytes, an escape being one; more than any server takes in a header line (OURS)
LONGEST_PLACEHOLDER = 48  # characters, encoded
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_PLUS_FOR_BLANK = re.compile(rb";\+|\+\(|\)\+")  # `;+`, `+(` and `)+`: in IIS's logs, and what .NET makes of them


def user_agent(value: Any) -> str:
    """Return the user agent as it came, for `encode_user_agent`; an empty string for one that is not known."""
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(((), "must be a string"))
    if len(value) <= LONGEST_PLACEHOLDER:
        return "" if names_nobody((unquote(value) if "%" in value else value).strip()) else value
    if (
        len(value) > MAX_USER_AGENT // 4
        and len(_ESCAPE.sub(b"x", value.encode(errors="replace"))) > MAX_USER_AGENT
    ):
        refuse(((), f"must have at most {MAX_USER_AGENT} bytes"))
    return value


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
    """Undo every encoding; a user agent with a space has none, even if the app's name in it has an escape.

    A plus that stands for a blank shows by its neighbours (IIS, .NET) or by escapes beside it. Where nothing was
    escaped, as urlencode() leaves it in ``HTC+HD2``, it cannot be told from a plus and stays one.
    """
    while b" " not in user_agent and _ESCAPE.search(user_agent):
        if b"%20" not in user_agent:
            user_agent = user_agent.replace(b"+", b" ")  # as HTML forms and PHP's urlencode() write spaces
        user_agent = unquote_to_bytes(user_agent)
    if b" " not in user_agent and _PLUS_FOR_BLANK.search(user_agent):
        user_agent = user_agent.replace(b"+", b" ")
    return user_agent
