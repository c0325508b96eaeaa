"""The options that stand for the function's settings: those that decide what of an event is valid and sent."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from kochava_forwarder.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

type Command = Callable[..., int]

OPTIONS = {  # a setting -> its option and the form of its value
    "KOCHAVA_APP_ID": ("--app-id", "GUID"),
    "DEVICE_UA_ENCODING": ("--device-ua-encoding", "percent|raw"),
    "EVENT_NAMES": ("--event-names", "YOURS=KOCHAVAS,..."),
    "ORIGINATION_IP_PRECISION": ("--origination-ip-precision", "full|network"),
    "ADVERTISING_IDS": ("--advertising-ids", "always|consented"),
    "DROPPED_PARAMETERS": ("--dropped-parameters", "KEY,..."),
}
_NEEDED = {"DEAD_LETTER_QUEUE_URL": "https://queue.invalid"}  # nothing is sent there


def of_settings(*names: str) -> Callable[[Command], Command]:
    """Give a command an option for each of some settings; it gets all settings as `settings`.

    Args:
        names: of those that have an option; the others are as a stack has them by default.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_settings(**given: Any) -> int:
            environment = {name: value for name in names if (value := given.pop(name, None))}
            try:
                settings = Settings.from_environment(_NEEDED | environment)
            except SettingsError as error:
                name, _, problem = str(error).partition(": ")
                raise click.UsageError(f"{OPTIONS[name][0]}: {problem}") from None
            return command(settings=settings, **given)

        for name in reversed(names):
            option, form = OPTIONS[name]
            parameter = name.title().replace("_", "")
            with_settings = click.option(option, name, metavar=form, help=f"As the stack's {parameter}.")(
                with_settings
            )
        return with_settings

    return decorate
