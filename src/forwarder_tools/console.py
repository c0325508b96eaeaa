"""Where the commands write."""

from rich.console import Console
from rich.text import Text

PLAIN_WIDTH = 150


def open_console() -> Console:
    """Return the console; what is not a terminal gets lines wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=PLAIN_WIDTH)


def verbatim(console: Console, text: str, style: str = "") -> None:
    """Print a text as it is: its lines unwrapped, to be copied and parsed, and nothing in it taken for markup."""
    console.print(Text(text, style), soft_wrap=True)
