"""Whether a function of the local cloud has started."""

import io
import json
from typing import Any, cast

import pytest

from forwarder_tools.localcloud import LocalCloud, Stack, warm_up
from forwarder_tools.processes import ToolError

STACK = Stack("https://queue", "arn", "https://dead-letters", "forwarder")
ENDED = {"errorType": "RuntimeError", "errorMessage": "Worker process exited immediately"}
RAISED = {"errorType": "KeyError", "errorMessage": "'Records'"}


class Functions:
    """Answers invocations one after the other: None for one that succeeds, else its error."""

    def __init__(self, *errors: dict[str, str] | None) -> None:
        self.functions = self
        self.left = list(errors)

    def invoke(self, **_: Any) -> dict[str, Any]:
        error = self.left.pop(0)
        return {"Payload": io.BytesIO(json.dumps(error).encode())} | (
            {"FunctionError": "Unhandled"} if error else {}
        )


@pytest.mark.parametrize("answers", [[None], [RAISED], [ENDED, None], [ENDED, RAISED]])
def test_a_function_has_started_if_one_of_two_invocations_reaches_its_handler(
    answers: list[dict[str, str] | None],
) -> None:
    functions = Functions(*answers)
    warm_up(cast("LocalCloud", functions), STACK)
    assert functions.left == []


def test_one_that_does_not_start_twice_is_said_to_not_start() -> None:
    with pytest.raises(ToolError, match="does not start: Worker process exited immediately"):
        warm_up(cast("LocalCloud", Functions(ENDED, ENDED)), STACK)
