"""What Kochava takes: the headers, the body and the action of a request, checked at once.

Written from Kochava's public pages alone and sharing nothing with the forwarder, so that the two can
disagree: a sandbox that reused the forwarder's models would call every mistake in them correct.
The tags are those of docs/kochava-api.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forwarder_tools.sandbox import body as bodies
from forwarder_tools.sandbox.actions import ACTIONS, UserAgentForm, form
from forwarder_tools.sandbox.checks import Check, holds

type Headers = list[tuple[str, str]]


HEADERS: Mapping[str, Check] = {
    "Content-Type": holds("must be application/json", lambda given: given == ["application/json"]),
    # Kochava would take our HTTP library for the user's device (DOC)
    "User-Agent": holds("must be Unknown", lambda given: given == ["Unknown"]),
    "Cookie": holds("must not be sent", lambda given: not given),
    "Content-Length": holds("must be sent once", lambda given: len(given) == 1),
}
"""The checks of each header's values."""


@dataclass(frozen=True, slots=True)
class Contract:
    """The rules with their one setting.

    Attributes:
        user_agent: how `device_ua` must be written: `percent` (encoded once) or `raw`.
    """

    user_agent: UserAgentForm = "percent"

    def read(self, headers: Headers, body: bytes) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """Read a request and find all its problems at once.

        Args:
            headers: names in lower case with their values, in order of arrival.
            body: the exact bytes.

        Returns:
            The event (None when the body holds none) and the problems, each `path: what is wrong`.
        """
        event, problems = bodies.read(body)
        found: list[str] = []
        for name, check in HEADERS.items():
            found += check(name, [value for key, value in headers if key == name.lower()])
        found += problems
        if event is not None:
            found += self._event_problems(event)
        return event, tuple(found)

    def _event_problems(self, event: dict[str, Any]) -> Iterator[str]:
        name = event.get("action")
        if not isinstance(name, str) or name not in ACTIONS:
            yield f"action: must be one of {', '.join(ACTIONS)}"
            return
        yield from form(name, self.user_agent)("", event)
        for rule in ACTIONS[name].across:
            yield from rule(event)
