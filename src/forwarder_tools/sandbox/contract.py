"""What Kochava takes: the headers, the body and the action of a request, checked at once.

Written from Kochava's public pages alone and sharing nothing with the forwarder, so that the two can
disagree: a sandbox that reused the forwarder's models would call every mistake in them correct.
The tags are those of docs/kochava-api.md.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from forwarder_tools.sandbox import body as bodies
from forwarder_tools.sandbox.actions import ACTIONS, UserAgentForm, form

type Headers = list[tuple[str, str]]


def _header(name: str, wrong: str, test: Callable[[list[str]], bool]) -> Callable[[Headers], Iterator[str]]:
    def check(headers: Headers) -> Iterator[str]:
        if not test([value for key, value in headers if key == name.lower()]):
            yield f"{name}: {wrong}"

    return check


HEADERS = (
    _header("Content-Type", "must be application/json", lambda given: given == ["application/json"]),
    # Kochava would take our HTTP library for the user's device (DOC)
    _header("User-Agent", "must be Unknown", lambda given: given == ["Unknown"]),
    _header("Cookie", "must not be sent", lambda given: not given),
    _header("Content-Length", "must be sent once", lambda given: len(given) == 1),
)


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
        found = [problem for check in HEADERS for problem in check(headers)]
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
