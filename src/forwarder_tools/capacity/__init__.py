"""What a rate of events needs, costs and runs into: `docs/capacity.md`.

figures    what was measured, read from the documents that say so
prices     AWS's list prices and quotas, each once
formulas   from a rate to environments, calls and dollars
page       the tables
"""
