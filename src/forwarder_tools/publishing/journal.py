"""The journal of an input: which of its events SQS has confirmed, so that a later run sends the others only.

Its first line is a JSON object with the queue and what ids are made of; each other line is an event's key, as a
JSON string. What was added is on the disk when `add` returns.
"""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID, uuid4

from forwarder_tools.processes import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType


class Journal:
    """A journal; entered with `with`, during which no other process has it.

    Args:
        path: its file; None to forget everything at the end.
        queue: the URL of the queue that the events are sent to.
        read_only: neither make it nor change it.

    Attributes:
        keys: of the events that SQS had confirmed when the journal was entered.
        namespace: what the ids are made of that events are given.

    Raises:
        ToolError: on entering: it cannot be read or made, is somebody else's at this moment, belongs to another
            queue, or is no journal.
    """

    def __init__(self, path: Path | None, queue: str, *, read_only: bool = False) -> None:
        self.path = path
        self.keys: set[str] = set()
        self.namespace = uuid4()
        self._queue = queue
        self._read_only = read_only
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Read what there is, and make it if there is nothing."""
        if self.path is None or (self._read_only and not self.path.exists()):
            return self
        try:
            self._file = os.open(self.path, os.O_RDONLY if self._read_only else os.O_RDWR | os.O_CREAT, 0o666)
            self._open(self._file)
        except OSError as error:
            self._close()
            raise self._unusable(error.strerror or str(error)) from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others have it."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _open(self, file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._unusable("another run is at it", "wait until it has ended") from None
        with os.fdopen(os.dup(file), "rb") as reader:
            text = reader.read()
        if text:
            self._read(text)
        elif not self._read_only:
            self._begin(file)
            folder = os.open(self.path.parent if self.path else ".", os.O_RDONLY)
            os.fsync(folder)  # else the file itself may be gone when the power fails
            os.close(folder)

    def _begin(self, file: int) -> None:
        # Before anything is sent: what SQS took just before a run was killed has its ids from here.
        header = {"queue": self._queue, "namespace": str(self.namespace)}
        _append(file, json.dumps(header) + "\n")

    def _read(self, text: bytes) -> None:
        whole = text.rfind(b"\n") + 1  # what follows was being written when its run was killed
        try:
            first, *keys = (json.loads(line) for line in text[:whole].splitlines())
            queue, self.namespace = _header(first)
            self.keys = {_key(key) for key in keys}
        except (ValueError, TypeError, LookupError):
            raise self._unusable("is no journal of events that were published") from None
        moved = queue != self._queue
        if moved and self.keys:
            raise self._unusable(f"is of another queue, {queue}")
        if not self._read_only and self._file is not None:
            os.truncate(self._file, 0 if moved else whole)
            os.lseek(self._file, 0, os.SEEK_END)
            if moved:  # nothing was confirmed there
                self._begin(self._file)

    def add(self, keys: Iterable[str]) -> None:
        """Write down events that SQS has confirmed.

        Raises:
            ToolError: they could not be written; another run will send them again.
        """
        if self._file is None:
            return
        new = [f"{json.dumps(key)}\n" for key in keys]
        try:
            _append(self._file, "".join(new))
        except OSError as error:
            raise ToolError(
                f"{self.path}: {error.strerror}; make room: the next run sends {len(new)} events again"
            ) from None

    def _unusable(self, problem: str, remedy: str = "name another journal with --journal") -> ToolError:
        return ToolError(f"{self.path}: {problem}; {remedy}")


def _header(first: Any) -> tuple[str, UUID]:
    return str(first["queue"]), UUID(first["namespace"])


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a key")
    return value


def _append(file: int, text: str) -> None:
    rest = text.encode()
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)
