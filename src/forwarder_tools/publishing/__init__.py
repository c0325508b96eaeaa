"""Publishes events from files to the event queue."""
