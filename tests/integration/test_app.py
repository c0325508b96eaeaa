"""The module that Lambda calls: made of the environment at cold start, and its answer is the forwarder's."""

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from forwarder_tools.sandbox import Sandbox
from tests.integration.support import Context, body, close_processor, record
from tests.integration.support_servers import Aws


@pytest.fixture
def app(sandbox: Sandbox, aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    for name, value in {
        "KOCHAVA_ENDPOINT": sandbox.url,
        "DEAD_LETTER_QUEUE_URL": f"{aws.url}/000000000000/dead-letters",
        "POWERTOOLS_SERVICE_NAME": "test-app",
        **aws.environment,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delitem(sys.modules, "kochava_forwarder.app", raising=False)
    app = importlib.import_module("kochava_forwarder.app")
    yield app
    close_processor(app._processor)  # noqa: SLF001 - it lives as long as Lambda's process


def test_the_answer_names_the_failed_records(app: ModuleType, sandbox: Sandbox) -> None:
    sandbox.always("503", device="bad")
    event = {"Records": [record(body("good"), "good"), record(body("bad"), "bad")]}
    assert app.lambda_handler(event, Context(30)) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert {one.device for one in sandbox.received} == {"good", "bad"}
