"""The contenders: each module has `handler(event, context)`, as Lambda would call it.

The peers are written as their documentation writes them. They run in `.tools/peers`, and all of them validate
and serialise by the same five models (`models`).
"""
