"""The demo: sample events through the deployed template, on this machine, with nothing but this checkout.

`cast` says which events there are and how each has to end, `watch` looks where each is, `show` draws it, and
`__main__` puts it together.
"""
