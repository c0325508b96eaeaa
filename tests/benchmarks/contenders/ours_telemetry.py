"""This project's handler, with the CPU time that its logs and metrics take counted apart."""

import functools
import time
from typing import Any

from kochava_forwarder.app import lambda_handler as handler
from kochava_forwarder.telemetry import PowertoolsTelemetry

__all__ = ["handler", "taken"]


class _Watch:
    seconds = 0.0


def taken() -> float:
    """Return the seconds since the last time this was asked."""
    seconds, _Watch.seconds = _Watch.seconds, 0.0
    return seconds


def _timed(count: Any) -> Any:
    @functools.wraps(count)
    def timed(*arguments: Any) -> None:
        began = time.process_time()
        count(*arguments)
        _Watch.seconds += time.process_time() - began

    return timed


PowertoolsTelemetry.count = _timed(PowertoolsTelemetry.count)  # type: ignore[method-assign]
