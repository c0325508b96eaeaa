"""``origination_ip``: the address of the user's device. Pure."""

import ipaddress
import re
import socket
from typing import Any

from kochava_forwarder.contract.placeholders import is_unfilled
from kochava_forwarder.contract.problems import refuse

_PROBLEM = 'must be an IPv4 or IPv6 address, or "" when unknown'
_HINT = ": the client's address alone"
_MAPPED = b"\x00" * 10 + b"\xff\xff"  # an IPv4 address as a socket for both families prints it
_NOBODY_V6 = b"\x00" * 16
# Brackets and a port, as proxies print an address: [v6], [v6]:port, v4:port; Java prints a slash before that. And
# with its whole length, as PostgreSQL prints it.
_DRESSED = re.compile(
    r"/?(?:\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+)(?::\d{1,5})?|([0-9A-Fa-f:.]+))|([0-9.]+)/32|([0-9A-Fa-f:.]+)/128",
    re.ASCII,
)
# By its first octet an address may not be public: this network, private, shared, loopback, link-local,
# benchmarks, multicast, reserved
_MAYBE_NOT_PUBLIC = frozenset(map(str, (0, 10, 100, 127, 169, 172, 192, 198, *range(224, 256))))
_GLOBAL_V6 = re.compile(r"[23][0-9A-Fa-f]{3}:")
_EXAMPLES = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))


def ip_address(value: Any) -> str:
    """Return the address without brackets, port or outer blanks; an empty string for one that is not known.

    An IPv4 address in IPv6 form is returned as IPv4, since look-ups by address find nothing else (OURS).
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(((), "must be a string" + (_HINT if isinstance(value, list) else "")))
    known = _canonical(value)
    if known is not None:
        return known
    text = value.strip()
    if is_unfilled(text):
        return ""
    if dressed := _DRESSED.fullmatch(text):
        text = dressed[dressed.lastindex or 0]
    known = _canonical(text)
    if known is None:
        refuse(((), _PROBLEM + (_HINT if "," in text or "%" in text else "")))
    return known


def _canonical(text: str) -> str | None:
    """Return the address as it is sent, or None if the text is none; `ipaddress` takes ten times as long."""
    try:
        socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        pass
    else:
        return "" if text == "0.0.0.0" else text  # nosec B104  # noqa: S104 - nobody's address, and nothing listens here
    try:
        packed = socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return None
    if packed.startswith(_MAPPED):
        return _canonical(socket.inet_ntop(socket.AF_INET, packed[12:]))
    return "" if packed == _NOBODY_V6 else text


def is_public(address: str) -> bool:
    """Tell whether an address can be that of a device on the internet; addresses for examples count as such.

    Loopback, private, shared, link-local, multicast and reserved addresses are those of a proxy or a test.
    """
    if "." in address and ":" not in address:
        if address[: address.index(".")] not in _MAYBE_NOT_PUBLIC:
            return True
    elif _GLOBAL_V6.match(address):
        return True
    parsed = ipaddress.ip_address(address)
    return (parsed.is_global and not parsed.is_multicast) or any(parsed in network for network in _EXAMPLES)
