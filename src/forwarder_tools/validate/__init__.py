"""The command `kochava-forwarder validate`: checks events on the publisher's machine as the function would.

`judgement`, `remedies` and `views` are pure.
"""
