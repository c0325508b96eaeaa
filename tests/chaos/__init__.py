"""Events through the deployed template while everything around it fails, and a ledger of them afterwards.

publications   what is published, from a seed (pure)
weather        what Kochava does to it, and what each of its answers tells a client
awsfaults      what SQS and DynamoDB do to the function's calls (pure)
gateway        the reverse proxy that does it, and that shortens the waits
crashes        kills the function's workers
storm          one run: publishes, breaks, and waits for the end
ledger         accounts for every event (pure)
show           how it looks
"""
