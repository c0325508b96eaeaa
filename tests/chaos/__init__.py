"""Events through the deployed template while everything around it fails, and a ledger of them afterwards.

publications     what is published, from a seed (pure)
kochava_faults   what Kochava does to it, and what each of its answers tells a client
aws_faults       what SQS and DynamoDB do to the function's calls (pure)
gateway          the reverse proxy that does it, and that shortens the waits
crashes          kills the function's workers
deployment       the template, deployed so that the function speaks to the gateway
run              one run: publishes, lets things fail, and waits for the end
ledger           accounts for every event (pure)
report           how it looks
"""
