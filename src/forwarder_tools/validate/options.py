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


def of_settings(command: Command) -> Command:
    """Give a command an option for each of these settings; it gets them as `settings`."""

    @functools.wraps(command)
    def with_settings(**given: Any) -> int:
        environment = {name: value for name in OPTIONS if (value := given.pop(name, None))}
        try:
            settings = Settings.from_environment(_NEEDED | environment)
        except SettingsError as error:
            name, _, problem = str(error).partition(": ")
            raise click.UsageError(f"{OPTIONS[name][0]}: {problem}") from None
        return command(settings=settings, **given)

    for name, (option, form) in reversed(OPTIONS.items()):
        parameter = name.title().replace("_", "")
        decorate = click.option(option, name, metavar=form, help=f"As the stack's {parameter}.")
        with_settings = decorate(with_settings)
    return with_settings
