"""A day without Kochava, simulated: the forwarder's own code, with SQS, Lambda, Kochava and the time modelled.

python -m tests.outage --quick

Three days pass in minutes, since nothing waits: `virtualtime` is an event loop whose sleeps only move a clock.
What decides about a record (batch, delivery, decision, backoff, breaker, outcomes, contract, payload) is the code
that is deployed, called as Lambda calls it. `sqs` and `kochava` are models, `environment` puts the code
between them, `simulation` runs it as Lambda's pollers do, `report` says what came of it and whether the laws held.
"""
