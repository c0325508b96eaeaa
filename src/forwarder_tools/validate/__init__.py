"""The command `kochava-forwarder validate`: events checked on the publisher's machine as the function would check them.

`judgement` and `remedies` are pure; `views` prints what they found.
"""
