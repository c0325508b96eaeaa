"""AWS's list prices and quotas, each once. Nothing here was measured."""

from typing import NamedTuple

AS_OF = "2026-11-27"
REGION = "us-east-1"


class Price(NamedTuple):
    """A list price.

    Args:
        dollars: for one of `unit`.
        unit: what is counted.
        page: of AWS's, where it stands.
    """

    dollars: float
    unit: str
    page: str


_LAMBDA = "https://aws.amazon.com/lambda/pricing/"
_SQS = "https://aws.amazon.com/sqs/pricing/"
_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_DYNAMODB = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
_TRANSFER = "https://aws.amazon.com/ec2/pricing/on-demand/"


class Prices(NamedTuple):
    """What the stack pays for."""

    invocation: Price = Price(0.20e-6, "invocation", _LAMBDA)
    gb_second: Price = Price(13.3334e-6, "GB-second of a function on arm64", _LAMBDA)
    request: Price = Price(0.40e-6, "request to a standard queue (64 KB)", _SQS)
    fifo_request: Price = Price(0.50e-6, "request to a FIFO queue (64 KB)", _SQS)
    write: Price = Price(0.625e-6, "write request unit (1 KB), on demand", _DYNAMODB)
    stored_gb: Price = Price(0.25, "GB in a table, a month", _DYNAMODB)
    log_gb: Price = Price(0.50, "GB of logs taken in", _CLOUDWATCH)
    metric: Price = Price(0.30, "metric of one's own, a month", _CLOUDWATCH)
    alarm: Price = Price(0.10, "metric that an alarm looks at, a month", _CLOUDWATCH)
    dashboard: Price = Price(3.00, "dashboard beyond three, a month", _CLOUDWATCH)
    transfer_gb: Price = Price(0.09, "GB out to the internet, after 100 free ones a month", _TRANSFER)


PRICES = Prices()

# Quotas, as AWS sets them at first.
CONCURRENCY = (
    1_000  # environments of an account in a region, all functions together; also MaximumConcurrency's most
)
FIRST_INVOCATIONS = 5  # side by side, with which Lambda begins to read a queue
POLLER_CALLS, POLLER_INVOCATIONS, POLLER_BYTES = (
    10,
    10,
    1_000_000,
)  # a second, side by side, a second: of one poller
LEAST_POLLERS = 2
IN_FLIGHT = 120_000  # messages received and neither deleted nor back, of a queue
FIFO_CALLS = 70_000  # a second and action, of a FIFO queue with high throughput
TABLE_WRITES = 40_000  # a second, of an on-demand table
NEW_TABLE_WRITES = 4_000  # a second, of one that has never had more
MESSAGES_A_CALL = 10
LONG_POLL_SECONDS = 20
