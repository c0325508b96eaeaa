"""What Kochava does in a chaos run, and what each of its answers tells a client.

The table repeats, on purpose, nothing of the forwarder's: it is the second opinion that the ledger judges by.
"""

from collections.abc import Mapping

from forwarder_tools.sandbox import Fault

ASKED_TO_WAIT, RETRY_AFTER = "509", 1200
"""A status that nothing else has, with which Kochava asks to wait for these seconds: more than the first steps."""

FAULTS: Mapping[Fault | str, float] = {
    # As it should be, delivered in every way there is.
    "ok": 700,
    "chunked": 30,
    "100-continue": 30,
    "close": 20,
    "silent-close": 20,
    "http10": 20,
    "latency=50ms": 30,
    "drip-headers:every=1ms": 2,
    "drip-body:every=5ms": 3,
    "huge:size=100000": 2,
    # Not now.
    "500": 8,
    "502": 4,
    "503": 8,
    "504": 4,
    "408": 2,
    "425": 2,
    "429": 6,
    "429:retry-after=2": 4,
    "429:retry-date=2s": 2,
    "503:retry-after=1": 2,
    f"{ASKED_TO_WAIT}:retry-after={RETRY_AFTER}": 4,
    "503:latency=2500ms": 4,
    "success-false": 6,
    "empty": 4,
    "not-json": 4,
    "299:body=1": 1,
    # Our side is wrong.
    "401": 2,
    "403": 2,
    "404": 2,
    "407": 1,
    "redirect": 2,
    # Never.
    "400": 4,
    "405": 1,
    "410": 1,
    "413": 1,
    "422": 2,
    "501": 1,
    "505": 1,
    # No answer, or none that can be read.
    "garbage": 3,
    "reset-before-read": 4,
    "reset-after-read": 4,
    "cut-headers": 3,
    "cut-body": 3,
    "hang": 1,
    "drip-headers:counted=no": 0.5,
    # Counted, though the answer does not say so: these make duplicates that nobody can help.
    "huge": 0.5,
    "500:counted": 2,
    "503:counted": 1,
    "429:counted": 1,
    "400:counted": 1,
    "success-false:counted": 2,
    "empty:counted": 2,
    "not-json:counted": 1,
    "garbage:counted": 2,
    "reset-after-read:counted": 4,
    "cut-headers:counted": 2,
    "cut-body:counted": 2,
    "hang:counted": 0.5,
    "drip-headers": 0.5,
    "drip-body": 0.5,
}
"""Every fault of the sandbox, by weight: about one try in ten fails."""

SUCCESSES = frozenset(
    f"200 success{suffix}" for suffix in ("", ", chunked", ", after 100", ", closing", ", HTTP/1.0")
)
"""The sandbox's answers that tell every client of success. Dripping and huge ones may not in time."""

MISCONFIGURED = frozenset(("401", "403", "404", "407", "302"))
"""The sandbox's answers after which an event waits the longest step at once."""

REFUSED = frozenset(("400", "405", "409", "410", "411", "413", "414", "415", "422", "501", "505"))
"""The sandbox's answers after which an event is never tried again."""
