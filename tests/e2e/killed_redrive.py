"""The command line, killed at the worst moment: between a copy that SQS confirmed and its deletion.

python -m tests.e2e.killed_redrive CALL dlq redrive ...

The process kills itself with SIGKILL before the deletion of that number. Its dead letters are held for
seconds only, so that a test sees them come back.
"""

import itertools
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from unittest.mock import patch

from forwarder_tools.cli import main
from forwarder_tools.deadletters import walk
from forwarder_tools.deadletters.letter import Letter
from forwarder_tools.deadletters.queues import DeadLetterQueue

HOLD_SECONDS = 3


def run() -> int:
    """Run the command line until its deletion of a number."""
    last = int(sys.argv[1])
    calls = itertools.count(1)
    delete = DeadLetterQueue.delete

    def deadly(queue: DeadLetterQueue, letters: Sequence[Letter]) -> Mapping[str, str]:
        if letters and next(calls) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return delete(queue, letters)

    with patch.object(DeadLetterQueue, "delete", deadly), patch.object(walk, "HOLD_SECONDS", HOLD_SECONDS):
        return main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(run())
