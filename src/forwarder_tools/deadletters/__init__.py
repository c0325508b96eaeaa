"""The dead-letter tool: looks at dead letters, sends them back to the event queue, exports or deletes them.

`letter.py`, `selection.py`, `groups.py`, `copies.py` and `pace.py` are pure; `queues.py` makes the calls to SQS,
`walk.py` goes through a queue once, `redrive.py` carries dead letters over, `commands.py` is the command line.
"""
