"""Where the commands write."""

from rich.console import Console

PLAIN_WIDTH = 150


def open_console() -> Console:
    """Return the console; what is not a terminal gets lines wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)
