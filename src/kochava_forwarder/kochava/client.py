"""The HTTP client: bytes out, Verdict back."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import urlsplit

from kochava_forwarder.http.connection import NoAnswerError, NotSentError
from kochava_forwarder.http.pool import ConnectionPool
from kochava_forwarder.http.response import Response
from kochava_forwarder.kochava.credentials import CredentialsError, CredentialsStore
from kochava_forwarder.kochava.responses import verdict_for
from kochava_forwarder.kochava.signing import headers
from kochava_forwarder.policy.outcomes import Outcome, Verdict

UNAUTHORIZED = (401, 403)


class KochavaClient:
    """Post payloads to one endpoint over connections that are kept between invocations.

    Args:
        endpoint: the URL to post to.
        secret: what requests are signed with; None sends them unsigned.
    """

    def __init__(self, endpoint: str, secret: CredentialsStore | None = None) -> None:
        parts = urlsplit(endpoint)
        tls = parts.scheme == "https"
        self._pool = ConnectionPool(parts.hostname or "", parts.port or (443 if tls else 80), tls=tls)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = _request_head(target, parts.netloc)
        self._secret = secret

    async def post(self, payload: bytes, timeout: float) -> Verdict:
        """Post one payload; return what Kochava's answer, or its absence, means.

        Args:
            payload: the request body.
            timeout: seconds for all of it: connecting, writing, the answer to its last byte.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        try:
            if self._secret:
                answer = await self._send_signed(payload, self._secret, deadline)
            else:
                answer = await self._pool.send(self._request(payload), deadline)
        except NotSentError as error:
            return Verdict(Outcome.UNAVAILABLE, str(error))
        except NoAnswerError as error:
            return Verdict(Outcome.AMBIGUOUS, str(error))
        except CredentialsError as error:
            return Verdict(Outcome.MISCONFIGURED, f"KOCHAVA_SECRET_ID: the secret {error}", unsent=True)
        return verdict_for(answer, payload, datetime.now(UTC))

    async def end_invocation(self, until: float) -> None:
        """End an invocation, at the loop's time `until` at the latest: no request follows before the next one."""
        await self._pool.settle(until)

    def close(self) -> None:
        """Close the kept connections and end the threads; the client is not used afterwards."""
        self._pool.close()
        if self._secret:
            self._secret.close()

    async def _send_signed(self, payload: bytes, secret: CredentialsStore, deadline: float) -> Response:
        """Send with the known credentials; when they are refused, once more with others, if there are any."""
        credentials = await secret.credentials(deadline)
        answer = await self._pool.send(self._request(payload, headers(payload, credentials)), deadline)
        if answer.status not in UNAUTHORIZED:
            return answer
        renewed = await secret.renewed(credentials, deadline)
        if renewed is None:
            return answer
        return await self._pool.send(self._request(payload, headers(payload, renewed)), deadline)

    def _request(self, payload: bytes, headers: bytes = b"") -> bytes:
        return b"%b%bContent-Length: %d\r\n\r\n%b" % (self._head, headers, len(payload), payload)


def _request_head(target: str, host: str) -> bytes:
    """Return the request's head up to its Content-Length.

    ``User-Agent: Unknown`` always: Kochava falls back to the request's own User-Agent, and would take an HTTP
    library for the user's device (OURS, after DOC "S2S without Device UA").
    """
    return (
        f"POST {target} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: Unknown\r\n"
        "Content-Type: application/json\r\n"
        "Accept-Encoding: identity\r\n"
    ).encode("ascii")
