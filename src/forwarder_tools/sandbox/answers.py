"""Answers of Kochava's as values, and as the bytes of HTTP/1.1."""

import json
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.client import responses

BODILESS = frozenset({204, 304})
"""Statuses whose answers end with their headers."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    Attributes:
        status: 200 to 599.
        body: the exact bytes of the body.
        text: how people read it in a log; the status when empty.
        headers: more headers; one named Content-Type replaces the default, application/json.
        retry_date: seconds from the moment of answering, sent as a Retry-After that is an HTTP date.
    """

    status: int
    body: bytes = b""
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    retry_date: float | None = None

    def __str__(self) -> str:
        return self.text or str(self.status)

    def head(self, *framing: str, version: str = "1.1") -> bytes:
        """Return the status line and headers, with these lines about how the body is framed."""
        known = {name.lower() for name, _ in self.headers}
        lines = [f"HTTP/{version} {self.status} {responses.get(self.status, 'Unknown')}"]
        if self.body and self.status not in BODILESS and "content-type" not in known:
            lines.append("Content-Type: application/json")
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.retry_date is not None:
            lines.append(f"Retry-After: {formatdate(time.time() + self.retry_date, usegmt=True)}")
        return "\r\n".join([*lines, *framing, "", ""]).encode("latin-1")

    def whole(self, *more: str) -> bytes:
        """Return all bytes of the answer with a Content-Length, and these header lines besides."""
        if self.status in BODILESS:
            return self.head(*more)
        return self.head(f"Content-Length: {len(self.body)}", *more) + self.body


def json_answer(status: int, value: object, text: str = "") -> Answer:
    """Return an answer whose body is this value as compact JSON."""
    return Answer(status, json.dumps(value, separators=(",", ":")).encode(), text)


SUCCESS = json_answer(200, {"success": "1"}, "200 success")
"""The only answer known from Kochava (SDK)."""


def refusal(status: int, *problems: str) -> Answer:
    """Return the answer that lists these problems. The form of a failure is unknown: this is OURS."""
    return json_answer(status, {"success": "0", "error": "; ".join(problems)}, f"{status} refused")
