"""Between the function and the local cloud: a reverse proxy that lets calls fail, and shortens waits.

Calls that pass do so unchanged, with the function's own signature, so that the cloud still checks it and what
the role allows. A wait that the function asks for is granted by the cloud as asked; then the gateway, by
itself, has it end sooner.
"""

import json
import threading
from http import HTTPStatus
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from forwarder_tools.localcloud import CA, LocalCloud
from tests.chaos.aws_faults import AwsFault, AwsFaults, Call, FailedCall, corrupted, refusal
from tests.http_server import HttpServer, Reply

DIVISOR = 600
"""By how much what messages wait is shortened, down to a second: half an hour is three seconds."""

TIMEOUT = 5.0
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})
AWS_JSON = {"Content-Type": "application/x-amz-json-1.0"}


class Gateway(HttpServer):
    """The proxy.

    Args:
        cloud: what is behind it.
        faults: decides which calls fail.
    """

    def __init__(self, cloud: LocalCloud, faults: AwsFaults) -> None:
        super().__init__("gateway", self._reply)
        self.cloud = cloud
        self.failed: list[FailedCall] = []
        self._faults = faults
        self._lock = threading.Lock()
        self._upstream = urllib3.connection_from_url(
            cloud.url, maxsize=32, ca_certs=str(cloud.folder / CA), retries=False, timeout=TIMEOUT
        )

    def stop(self) -> None:
        """Stop serving, and close the connections to the cloud."""
        super().stop()
        self._upstream.close()

    def _reply(self, headers: dict[str, str], path: str, body: bytes) -> Reply | None:
        service, _, action = headers.get("X-Amz-Target", "").partition(".")
        call = Call(service, action, json.loads(body or b"{}"))
        with self._lock:
            fault = self._faults.next(call)
            if fault:
                self.failed.append(FailedCall(call, fault))
        if fault and not fault.done:
            return None if fault is AwsFault.RESET_BEFORE else Reply(*refusal(call, fault), AWS_JSON)
        try:
            answer = self._upstream.urlopen("POST", path, body=body, headers=headers, redirect=False)
        except HTTPError:  # now and then the local cloud itself leaves a call without an answer
            self.failed.append(FailedCall(call, AwsFault.RESET_AFTER))
            return None
        passed = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
        if call.action == "ChangeMessageVisibilityBatch" and answer.status == HTTPStatus.OK:
            self._shorten_waits(call.request)
        match fault:
            case None:
                return Reply(answer.status, answer.data, passed)
            case AwsFault.RESET_AFTER:
                return None
            case _:
                return Reply(answer.status, corrupted(fault, answer.data), AWS_JSON)

    def _shorten_waits(self, request: Any) -> None:
        entries = [
            entry | {"VisibilityTimeout": max(1, round(entry["VisibilityTimeout"] / DIVISOR))}
            for entry in request["Entries"]
        ]
        self.cloud.sqs.change_message_visibility_batch(QueueUrl=request["QueueUrl"], Entries=entries)
