"""The Lambda runtime around an artifact: what comes back, whatever the function does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from forwarder_tools.processes import ToolError
from forwarder_tools.runtime import Runtime, lambda_runtime

FUNCTION = """
import os
import time

print("cold start")

def handler(event, context):
    print("working")
    match event["do"]:
        case "return":
            return {"setting": os.environ["SETTING"], "left": context.get_remaining_time_in_millis()}
        case "raise":
            raise LookupError("no such thing")
        case "import":
            import rich
        case "exit":
            os._exit(3)
        case "sleep":
            time.sleep(10)
"""


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    (tmp_path / "function.py").write_text(FUNCTION)
    return tmp_path


@pytest.fixture
def runtime(artifact: Path) -> Iterator[Runtime]:
    with lambda_runtime(artifact, {"SETTING": "yes"}, handler="function.handler", timeout_seconds=1) as runtime:
        yield runtime


def test_only_the_first_invocation_is_cold(runtime: Runtime) -> None:
    first, second = runtime.invoke({"do": "return"}), runtime.invoke({"do": "return"})
    assert first.response["setting"] == "yes"
    assert 0 < first.response["left"] <= 1000
    assert "cold start" in first.log
    assert "cold start" not in second.log
    assert "working" in second.log


@pytest.mark.parametrize(
    ("deed", "error"),
    [
        ("raise", "LookupError: no such thing"),
        ("exit", "Runtime.ExitError: "),
        ("sleep", "Task timed out after 1.00 seconds"),
        ("import", "ModuleNotFoundError: No module named 'rich'"),  # it is here, but was not shipped
    ],
)
def test_a_failure_is_an_answer_and_the_next_invocation_works(runtime: Runtime, deed: str, error: str) -> None:
    failed = runtime.invoke({"do": deed})
    assert failed.response is None
    assert failed.error is not None
    assert error in failed.error
    assert runtime.invoke({"do": "return"}).error is None


def test_a_handler_that_cannot_be_imported_is_an_answer_too(tmp_path: Path) -> None:
    with lambda_runtime(tmp_path, {}, handler="nothing.here") as runtime:
        assert "No module named 'nothing'" in str(runtime.invoke({}).error)


def test_a_missing_artifact_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(ToolError, match=r"nowhere: no such artifact; run `make build`"),
        lambda_runtime(tmp_path / "nowhere", {}),
    ):
        pass
