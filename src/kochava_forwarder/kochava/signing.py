"""Kochava's "strict authentication": two headers over the exact bytes sent (DOC). Pure."""

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """An app's key and secret; neither shows in a repr, or as a tuple's members would in JSON."""

    api_key: str = field(repr=False)
    app_secret: str = field(repr=False)


def auth_token(payload: bytes, credentials: Credentials) -> str:
    """Return the HMAC-SHA256, keyed by the API key, of the secret followed by the payload's SHA-1; hex (DOC)."""
    digest = hashlib.sha1(payload, usedforsecurity=False).hexdigest()
    message = credentials.app_secret + digest
    return hmac.new(credentials.api_key.encode(), message.encode(), hashlib.sha256).hexdigest()


def headers(payload: bytes, credentials: Credentials) -> bytes:
    """Return the header lines that sign `payload`."""
    token = auth_token(payload, credentials)
    return f"Kochava-Api-Key: {credentials.api_key}\r\nKochava-Auth-Token: {token}\r\n".encode("ascii")
