"""For every test."""

import signal

# What a shell runs in the background ignores Ctrl-C, and so do its children: the tests that interrupt a tool would
# wait for it in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)
