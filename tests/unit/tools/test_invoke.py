"""How `make invoke` reports: tables that cut nothing off, and JSON that is JSON."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from forwarder_tools.invoke import Result, as_json, show
from forwarder_tools.localcloud import Message
from forwarder_tools.records import sqs_event
from forwarder_tools.runtime import Invocation
from forwarder_tools.sandbox import Received

LONG = "data.event_data.registration_method: must be a string, a number, true, false or null (nothing nested)"
EVENT = {"kochava_device_id": "KDtest-1", "data": {"note": "[red]:smile:[/] " + 40 * "long text "}}
BODY = json.dumps(EVENT)
[FAILED], [DEAD] = (sqs_event(BODY, 0)["Records"] for _ in range(2))
RESULT = Result(
    event={"Records": [FAILED, DEAD]},
    invocation=Invocation(
        response={"batchItemFailures": [{"itemIdentifier": FAILED["messageId"]}]},
        error=None,
        log=(json.dumps({"message_id": FAILED["messageId"], "outcome": "misconfigured", "detail": LONG}),),
        seconds=0.1,
    ),
    received=[
        Received(
            body=BODY.encode(),
            event=EVENT,
            headers={},
            problems=(),
            answer="200 success",
            accepted=True,
            arrived=0.0,
            connection=1,
        )
    ],
    dead=[
        Message(
            id="d1",
            body=BODY,
            attributes={"sourceMessageId": DEAD["messageId"], "reason": "invalid", "detail": LONG},
            receives=0,
            visible=True,
            visible_at=0.0,
            group=None,
        )
    ],
)


def _shown(width: int, *, log: bool = False) -> str:
    output = io.StringIO()
    show(Console(file=output, width=width), RESULT, log=log)
    return output.getvalue()


def _documents(text: str) -> list[Any]:
    """Return every JSON object that begins a line, in order."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while (place := text.find("\n{", place)) >= 0:
        document, place = decoder.raw_decode(text, place + 1)
        found.append(document)
    return found


@pytest.mark.parametrize("width", [80, 150])
def test_json_is_printed_so_that_it_can_be_parsed(width: int) -> None:
    text = _shown(width, log=True)
    log, response, received, attributes, body = _documents(text)

    assert log == json.loads(RESULT.invocation.log[0])
    assert response == RESULT.invocation.response
    assert received == body == EVENT
    assert attributes == RESULT.dead[0].attributes
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [80, 150])
def test_records_are_wrapped_and_never_cut_off(width: int) -> None:
    text = _shown(width)
    assert "…" not in text
    lines = text[text.index("each record") : text.index("the sandbox received")].splitlines()[1:-1]
    start = lines[0].index("why")
    whys = "".join("".join(line[start:] for line in lines[1:]).split())
    assert whys == 2 * LONG.replace(" ", "")
    assert all(record["messageId"] in text for record in RESULT.event["Records"])
    assert "misconfigured" in text


def test_for_programs_it_is_one_object() -> None:
    said = json.loads(json.dumps(as_json(RESULT)))
    assert said == {
        "response": RESULT.invocation.response,
        "error": None,
        "records": [
            {"messageId": FAILED["messageId"], "outcome": "misconfigured", "why": LONG},
            {"messageId": DEAD["messageId"], "outcome": "invalid", "why": LONG},
        ],
        "received": [{"event": EVENT, "answer": "200 success", "problems": []}],
        "dead_letters": [{"attributes": RESULT.dead[0].attributes, "body": BODY}],
        "log": list(RESULT.invocation.log),
    }


def test_for_programs_an_invocation_that_failed_has_no_records() -> None:
    failed = replace(RESULT, invocation=Invocation(response=None, error="Fake: error", log=(), seconds=0.1))
    said = as_json(failed)
    assert (said["error"], said["response"], said["records"]) == ("Fake: error", None, [])
