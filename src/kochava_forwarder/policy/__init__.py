"""Decisions without I/O: outcomes, waiting, circuit breaker, deadline. Pure."""
