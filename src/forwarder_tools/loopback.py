"""HTTP requests to what the tools have started on this machine: never through a proxy, whatever the shell says."""

import ssl
import urllib.request


def fetch(
    address: str, *, seconds: float, body: bytes | None = None, trust: ssl.SSLContext | None = None
) -> bytes:
    """Return the body of the answer to a GET, or to a POST of `body`.

    Args:
        address: the URL.
        seconds: how long each wait may take.
        body: what is posted.
        trust: for https: whose certificates are believed.

    Raises:
        OSError: no answer; `urllib.error.HTTPError`, which is one, when its status is no success.
    """
    direct = urllib.request.ProxyHandler({})
    opener = urllib.request.build_opener(direct, urllib.request.HTTPSHandler(context=trust))
    with opener.open(address, data=body, timeout=seconds) as answer:
        return bytes(answer.read())
