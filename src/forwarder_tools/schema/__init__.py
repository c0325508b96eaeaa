"""The publishers' contract for other programs and for people: `events/schema.json` and `docs/contract.md`.

Both are made from the models of `kochava_forwarder.contract`; `make schema` writes them, and tests prove that they
are current and say what the function does.
"""
