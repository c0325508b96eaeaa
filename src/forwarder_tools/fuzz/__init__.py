"""A million broken bodies through the deployed code: no exception, exactly one outcome each.

`mutations` breaks valid bodies, `run` sends them through the real batch code and holds every payload that would
reach Kochava against the sandbox's own reading of the contract.
"""
