"""This project's handler, as it is deployed."""

from kochava_forwarder.app import lambda_handler as handler

__all__ = ["handler"]
