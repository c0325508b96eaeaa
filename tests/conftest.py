"""For every test."""

import signal
from collections.abc import Iterator

import pytest

from forwarder_tools.processes import INTERRUPTIONS

# What a shell runs in the background ignores Ctrl-C, and so do its children: the tests that interrupt a tool would
# wait for it in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    """A command that a test calls in its own process sets handlers, which what a later test starts inherits."""
    before = {number: signal.getsignal(number) for number in INTERRUPTIONS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
