"""How names are compared that senders write in other letters: ``deviceId``, ``DEVICE_ID``, ``device-id``. Pure."""

import re
from functools import lru_cache

LONGEST_KEPT = 64  # characters of a name that is remembered: more than any known one has, of a megabyte at most


def squeezed(name: str) -> str:
    """Return a name without ``_``, ``-`` and blanks, in lower case."""
    return _kept(name) if len(name) <= LONGEST_KEPT else _squeezed(name)


def _squeezed(name: str) -> str:
    return re.sub(r"[_\s-]", "", name).lower()


_kept = lru_cache(maxsize=1024)(_squeezed)  # each event has the same few
