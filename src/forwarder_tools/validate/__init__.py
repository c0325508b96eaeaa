"""The command `kochava-forwarder validate`: checks events on the publisher's machine as the function would.

`hints`, `judgement`, `remedies` and `views` are pure.
"""
