"""Kochava's strict authentication (DOC): is this body signed with the credentials of the app?"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an app signs with.

    Attributes:
        api_key: sent in clear as `Kochava-Api-Key`, and the key of the HMAC.
        app_secret: never sent; the first part of the HMAC's message.
    """

    api_key: str
    app_secret: str = field(repr=False)

    def token(self, body: bytes) -> str:
        """Return the `Kochava-Auth-Token` of exactly these bytes, in lower-case hex."""
        # SHA-1 is Kochava's choice (DOC), not ours; the strength lies in the HMAC around it.
        digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        return hmac.new(self.api_key.encode(), (self.app_secret + digest).encode(), hashlib.sha256).hexdigest()

    def problems(self, headers: list[tuple[str, str]], body: bytes) -> Iterator[str]:
        """Yield what is wrong with the signature, as `header: what is wrong`; nothing when it is right.

        Args:
            headers: names in lower case with their values, in order of arrival.
            body: the exact bytes that were sent.
        """
        for name, wanted in (("Kochava-Api-Key", self.api_key), ("Kochava-Auth-Token", self.token(body))):
            given = [value for key, value in headers if key == name.lower()]
            if len(given) != 1:
                yield f"{name}: must be sent once"
            elif not hmac.compare_digest(given[0].encode(), wanted.encode()):
                yield f"{name}: does not match"
