"""Servers for the tests, on the loopback address: plain sockets that follow a play, and a stand-in for SQS."""

import base64
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from tests.http_server import HttpServer, Reply

type Json = dict[str, Any]
type Play = Callable[[socket.socket, int], None]

SUCCESS = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"success":"1"}'
MAX_BYTES = 1024 * 1024


def read_request(peer: socket.socket) -> bytes:
    """Read one whole request; return what there is when the client ends before."""
    data = bytearray()
    length: int | None = None
    while length is None or len(data) < length:
        part = peer.recv(65536)
        if not part:
            break
        data += part
        if length is None and (end := data.find(b"\r\n\r\n")) >= 0:
            (announced,) = re.findall(rb"(?i)\r\ncontent-length: (\d+)", data[:end])
            length = end + 4 + int(announced)
    return bytes(data)


def reset(peer: socket.socket) -> None:
    """End a connection with a TCP reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def closed_port() -> int:
    """Return a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _wake(one: socket.socket) -> None:
    """End what waits for a socket."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


class RawServer:
    """A server that does with each connection what a play says, on a thread of the connection's own.

    Args:
        play: is given the connection and its number, from 1; the connection is closed afterwards.
        tls: the server's context, for a handshake before the play.
        receive_buffer: bytes that the kernel takes before the play reads.
    """

    def __init__(self, play: Play, *, tls: ssl.SSLContext | None = None, receive_buffer: int = 0) -> None:
        self._play = play
        self._tls = tls
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._accepting = threading.Thread(target=self._accept, name="raw-server")
        self._threads: list[threading.Thread] = []
        self._peers: list[socket.socket] = []
        self.ended = threading.Event()  # set whenever a play is over and its connection closed
        self.leaving = threading.Event()

    @property
    def connections(self) -> int:
        """TCP connections accepted."""
        return len(self._peers)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """Where events are to be sent."""
        return f"http{'s' if self._tls else ''}://{self.address}/track/json"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        _wake(self._listener)
        self._accepting.join()  # before the peers are woken: it may be about to add one
        for peer in self._peers:
            _wake(peer)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self.leaving.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._peers.append(peer)
            thread = threading.Thread(target=self._perform, args=(peer, len(self._peers)), name="raw-connection")
            self._threads.append(thread)
            thread.start()

    def _perform(self, peer: socket.socket, number: int) -> None:
        try:
            with self._tls.wrap_socket(peer, server_side=True) if self._tls else peer as connection:
                self._play(connection, number)
        except OSError:
            pass  # the client, or the test, was faster
        finally:
            peer.close()
            self.ended.set()


class Aws(HttpServer):
    """A stand-in for the AWS calls that the forwarder makes, with SQS's own rules, told to fail as a test wants.

    Attributes:
        letters: the entries that SendMessageBatch took, in order, but for those to the refusal queue.
        refusals: the bodies that the queue `refusals` took, read as JSON.
        visibility: what ChangeMessageVisibilityBatch set, by receipt handle.
        calls: each call's action and request, also those that failed.
        refused: bodies, receipt handles and queues whose entries fail, and with which code.
        forgotten: bodies whose entries are neither confirmed nor refused.
        failing: actions that fail altogether, and with which error.
        throttled: how many more calls of an action are throttled.
        hanging: actions, and queues of SendMessageBatch, that get no answer until the end of the test.
        table: DynamoDB's items by key.
        throttled_items: how many more statements DynamoDB throttles, each by itself.
        throttling: the code with which it does.
        secrets: Secrets Manager's secrets by id.
    """

    def __init__(self) -> None:
        self.letters: list[Json] = []
        self.refusals: list[Json] = []
        self.visibility: dict[str, int] = {}
        self.calls: list[tuple[str, Json]] = []
        self.refused: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.failing: dict[str, str] = {}
        self.throttled: Counter[str] = Counter()
        self.hanging: set[str] = set()
        self.table: dict[str, Json] = {}
        self.throttled_items = 0
        self.throttling = "ThrottlingError"
        self.secrets: dict[str, Json] = {}
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        super().__init__("aws-stand-in", self._reply)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead boto3 here, whatever the machine's own configuration says."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }

    def letters_by_body(self) -> dict[str, Json]:
        """Return the dead letters' attributes as plain values, by body."""
        found = {entry["MessageBody"]: entry for entry in self.letters}
        assert len(found) == len(self.letters), "a body came twice"
        return {
            text: {name: value.get("StringValue") for name, value in entry.get("MessageAttributes", {}).items()}
            for text, entry in found.items()
        }

    def requests(self, action: str) -> list[Json]:
        """Return the requests of one action."""
        return [request for made, request in self.calls if made == action]

    def stop(self) -> None:
        self._leaving.set()
        super().stop()

    def _reply(self, headers: dict[str, str], _path: str, body: bytes) -> Reply:
        lower = {name.lower(): value for name, value in headers.items()}  # AWS's SDK for Node writes them so
        status, reply = self._answer(lower["x-amz-target"], json.loads(body))
        return Reply(status, json.dumps(reply).encode(), {"Content-Type": "application/x-amz-json-1.0"})

    def _answer(self, target: str, request: Json) -> tuple[int, Json]:
        action = target.partition(".")[2]
        with self._lock:
            self.calls.append((action, request))
        if self.hanging & {action, request.get("QueueUrl", "").rpartition("/")[2]}:
            self._leaving.wait()
        with self._lock:
            if self.throttled[action]:
                self.throttled[action] -= 1
                return _error("ThrottlingException")
            if action in self.failing:
                return _error(self.failing[action])
            return getattr(self, f"_{action}")(request)  # type: ignore[no-any-return]

    def _SendMessageBatch(self, request: Json) -> tuple[int, Json]:  # noqa: N802 - SQS's name
        entries = request["Entries"]
        if not 0 < len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            return _error("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        if sum(map(_size, entries)) > MAX_BYTES:
            return _error("AWS.SimpleQueueService.BatchRequestTooLong")
        successful, failed = [], []
        queue = request["QueueUrl"].rpartition("/")[2]
        for entry in entries:
            text = entry["MessageBody"]
            code = self.refused.get(text) or self.refused.get(queue) or _letter_problem(entry, request["QueueUrl"])
            if code:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": code})
            elif text not in self.forgotten:
                if queue == "refusals":
                    self.refusals.append(json.loads(text))
                else:
                    self.letters.append(entry)
                digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
                successful.append({"Id": entry["Id"], "MessageId": "new", "MD5OfMessageBody": digest})
        return 200, {"Successful": successful, "Failed": failed}

    def _ChangeMessageVisibilityBatch(self, request: Json) -> tuple[int, Json]:  # noqa: N802 - SQS's name
        entries = request["Entries"]
        if not 0 < len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            return _error("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        successful, failed = [], []
        for entry in entries:
            handle, seconds = entry["ReceiptHandle"], entry["VisibilityTimeout"]
            code = self.refused.get(handle)
            if not 0 <= seconds <= 43200:
                code = "InvalidParameterValue"
            if code:
                failed.append({"Id": entry["Id"], "SenderFault": True, "Code": code})
            else:
                assert handle not in self.visibility, "set twice in one test"
                self.visibility[handle] = seconds
                successful.append({"Id": entry["Id"]})
        return 200, {"Successful": successful, "Failed": failed}

    def _BatchExecuteStatement(self, request: Json) -> tuple[int, Json]:  # noqa: N802 - DynamoDB's name
        assert 0 < len(request["Statements"]) <= 25, "DynamoDB's limit"
        return 200, {"Responses": [self._execute(statement) for statement in request["Statements"]]}

    def _execute(self, statement: Json) -> Json:
        """Execute one of the forwarder's five statements, told apart by their first word and what they set."""
        text, _, condition = statement["Statement"].partition(" WHERE ")
        said = dict(re.findall(r"""['"](\w+)['"](?::| =) '?([^',} ]*)""", text))
        where = dict(re.findall(r"""['"](\w+)['"] [=<] '?([^' ]*)""", condition))
        name = where.get("id") or said["id"]
        known = self.table.get(name)
        if self.throttled_items:
            self.throttled_items -= 1
            return {"Error": {"Code": self.throttling}}
        if text.startswith("INSERT"):
            if known:
                return {"Error": {"Code": "DuplicateItem"}}
            self.table[name] = _item(said)
        elif text.startswith("UPDATE"):
            ends = "expiration" if "expiration" in where else "in_progress_expiration"
            wanted = known and where.get("status", known["status"]["S"]) == known["status"]["S"]
            if not (known and wanted and int(known[ends]["N"]) < int(where.get(ends, 10**15))):
                told = known and statement.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                return {"Error": {"Code": "ConditionalCheckFailed"} | ({"Item": known} if told else {})}
            self.table[name] = known | _item(said)
        else:
            assert text.startswith("DELETE")
            if known and any(known[name]["S"] != where[name] for name in ("owner", "status") if name in where):
                return {"Error": {"Code": "ConditionalCheckFailed"}}
            self.table.pop(name, None)
        return {}

    def _GetSecretValue(self, request: Json) -> tuple[int, Json]:  # noqa: N802 - Secrets Manager's name
        if request["SecretId"] not in self.secrets:
            return _error("ResourceNotFoundException")
        return 200, {"SecretString": json.dumps(self.secrets[request["SecretId"]])}


def _item(said: Json) -> Json:
    """Return what a statement says of an item, as DynamoDB holds it."""
    return {name: {"N" if name.endswith("expiration") else "S": value} for name, value in said.items()}


_ALLOWED = re.compile("[\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]+")


def _size(entry: Json) -> int:
    attributes = entry.get("MessageAttributes", {}).items()
    return len(entry["MessageBody"].encode()) + sum(
        len(name) + len(value["DataType"]) + len(_value(value)) for name, value in attributes
    )


def _value(attribute: Json) -> bytes:
    if "BinaryValue" in attribute:
        return base64.b64decode(attribute["BinaryValue"])
    return str(attribute["StringValue"]).encode()


def _letter_problem(entry: Json, queue: str) -> str | None:
    """Return the code with which SQS refuses an entry, if it does."""
    attributes = entry.get("MessageAttributes", {})
    texts = [
        entry["MessageBody"],
        *(value["StringValue"] for value in attributes.values() if "StringValue" in value),
    ]
    if not all(map(_ALLOWED.fullmatch, texts)) or len(attributes) > 10:
        return "InvalidParameterValue"
    if queue.endswith(".fifo") != ("MessageGroupId" in entry and "MessageDeduplicationId" in entry):
        return "MissingParameter"
    return None


def _error(code: str) -> tuple[int, Json]:
    return 400, {"__type": f"com.amazonaws#{code}", "message": "as the test wants"}
