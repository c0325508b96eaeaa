"""Names of a publisher's own for Kochava's events. Pure."""

from collections.abc import Mapping

from kochava_forwarder.contract.event_names import meant_event
from kochava_forwarder.contract.models import Event, KochavaEvent


def renamed(event: KochavaEvent, names: Mapping[str, str]) -> KochavaEvent:
    """Return `event` under the name that `names` has for its own, if there is one."""
    if not names or not isinstance(event, Event) or event.data.event_name not in names:
        return event
    data = event.data.model_copy(update={"event_name": names[event.data.event_name]})
    return event.model_copy(update={"data": data})


def read_names(text: str) -> Mapping[str, str]:
    """Return the names in ``own=Kochava's,own=Kochava's``; blanks around a name do not count.

    Raises:
        ValueError: the text is of another form, names an event twice, or misspells one of Kochava's.
    """
    names: dict[str, str] = {}
    for pair in text.split(","):
        own, equals, name = (part.strip() for part in pair.partition("="))
        if not (own and equals and name) or "=" in name:
            raise ValueError("must be names such as order_done=Purchase, with commas between")
        if own in names:
            raise ValueError(f"names {own} twice; leave one out")
        if meant := meant_event(name):
            raise ValueError(f"has {name}, which Kochava does not know; did you mean {meant}?")
        names[own] = name
    return names
