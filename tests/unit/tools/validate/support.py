"""The settings that a stack has by default."""

from kochava_forwarder.settings import Settings

SETTINGS = Settings.from_environment({"DEAD_LETTER_QUEUE_URL": "https://queue.invalid"})
