"""A forwarder to invoke, with the sandbox for Kochava and a stand-in for SQS; nothing may be left of it."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import trustme

from forwarder_tools.sandbox import Sandbox
from kochava_forwarder.forwarding.batch import ForwardingProcessor
from kochava_forwarder.forwarding.dependencies import Dependencies
from kochava_forwarder.settings import Settings
from tests.integration.support import Forwarder, Start, close_processor
from tests.integration.support_servers import Aws

_numbers = count(1)


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Every thread that a test started ends with it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive(), f"{thread.name} goes on"


@pytest.fixture
def sandbox(no_thread_left: None) -> Iterator[Sandbox]:
    del no_thread_left
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def aws(no_thread_left: None) -> Iterator[Aws]:
    del no_thread_left
    with Aws() as aws:
        yield aws


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    """A server's context for 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have OpenSSL trust the tests' authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


@pytest.fixture
def start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    sandbox: Sandbox,
    aws: Aws,
) -> Iterator[Start]:
    """Build the forwarder as the handler's module does, with these variables besides what leads to stand-ins."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(field.alias or "", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with ExitStack() as stack:

        def start(**variables: str) -> Forwarder:
            environment = {
                "KOCHAVA_ENDPOINT": sandbox.url,
                "DEAD_LETTER_QUEUE_URL": f"{aws.url}/000000000000/dead-letters",
                "REQUEST_TIMEOUT_SECONDS": "5",
                "MAX_WORKERS": "8",
                **aws.environment,
                # A logger is kept by its name for the life of the process, and with it the stdout of its test.
                "POWERTOOLS_SERVICE_NAME": f"test-{next(_numbers)}",
            } | variables

            def build() -> ForwardingProcessor:
                for name, value in environment.items():
                    monkeypatch.setenv(name, value)
                processor = ForwardingProcessor(Dependencies.from_settings(Settings.from_environment()))
                stack.callback(close_processor, processor)
                return processor

            return Forwarder(build, capsys, caplog)

        yield start
    unexpected = [one for one in caplog.records if one.name in {"asyncio", "concurrent.futures"}]
    assert not unexpected, "asyncio complained"


@pytest.fixture
def forwarder(start: Start) -> Forwarder:
    """The handler with the settings of most tests."""
    return start()
