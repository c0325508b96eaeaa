"""What `kochava-forwarder publish` takes out of a file, without sending it."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from forwarder_tools.cli import main
from forwarder_tools.publishing.command import publish
from tests.unit.strategies import GONE, MINIMAL, UUID, changed

QUEUE = "https://sqs.eu-west-1.amazonaws.com/000000000000/events"
TWO = [json.dumps(changed({"event_id": name}, MINIMAL)) for name in ("one", "two")]

RECORDS = [{"messageId": "1", "body": text, "eventSourceARN": "a", "attributes": {}} for text in TWO]


def dry_run(path: Path, content: bytes) -> tuple[dict[str, int], str]:
    path.write_bytes(content)
    runner = CliRunner(mix_stderr=False)
    done = runner.invoke(publish, ["--queue-url", QUEUE, "--dry-run", "--json", str(path)], standalone_mode=False)
    summary: dict[str, int] = json.loads(done.stdout)
    return summary, done.stderr


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(TWO),
        "\r\n\r\n".join(TWO) + "\r\n",
        "\ufeff" + "\n".join(TWO),
        "\n".join(json.dumps(json.loads(text), indent=2) for text in TWO),
        json.dumps({"Records": RECORDS}),
    ],
    ids=["lines", "lines of Windows", "byte order mark", "over several lines", "SQS event"],
)
def test_two_events_are_two_however_they_are_written(tmp_path: Path, text: str) -> None:
    summary, _ = dry_run(tmp_path / "events", text.encode())
    assert summary["sent"] == 2


def test_what_is_not_utf_8_is_named_and_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "events"
    summary, said = dry_run(file, TWO[0].encode() + b'\n{"a": "\xff"}\n')
    assert summary["sent"] == 1
    assert f"{file}:2: is not UTF-8" in said


# --- as `validate` would ------------------------------------------------------------------------------------

NO_EVENTS = "has no events: give it one a line, or an SQS event"
UNREADABLE = [
    (None, "No such file or directory: give a file that can be read, or - for stdin"),
    (b"", NO_EVENTS),
    (b" \n\n \n", NO_EVENTS),
    (
        gzip.compress(b"{}", mtime=0),
        "is compressed: unpack it, as in `gunzip -c FILE | kochava-forwarder publish -`",
    ),
    (TWO[0].encode("utf-16"), "is UTF-16: save it as UTF-8"),
]


@pytest.mark.parametrize(("content", "said"), UNREADABLE)
def test_a_file_without_events_is_named_before_anything_is_sent(
    tmp_path: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.write_text(TWO[0])
    if content is not None:
        bad.write_bytes(content)
    assert main(["publish", "--queue-url", QUEUE, str(good), str(bad)]) == 2
    assert capsys.readouterr().err == f"{bad}: {said}\n"
    assert not list(tmp_path.glob("*.published"))


@pytest.mark.parametrize(("content", "said"), UNREADABLE[1:])
def test_so_is_stdin(
    content: bytes, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert main(["publish", "--queue-url", QUEUE, "--dry-run", "--json", "-"]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines() == [f"-: {said}", "0 would be sent, not complete: run it again for the rest"]
    assert json.loads(out)["complete"] is False


def test_each_problem_is_a_line_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "events"
    wrong = changed({"kochavaAppId": "x", "kochava_app_id": GONE})
    _, said = dry_run(file, f"{TWO[0]}\n{json.dumps(wrong)}\n".encode())
    assert said.splitlines()[:2] == [
        f"{file}:2: kochava_app_id: is missing; write kochava_app_id instead of kochavaAppId",
        f"{file}:2: kochavaAppId: is not a known key; did you mean kochava_app_id?",
    ]


def test_a_setting_by_which_the_function_would_refuse_an_event_refuses_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "events"
    refusing = {"data.device_ids": {"idfa": UUID}, "data.device_limit_tracking": True}
    file.write_text(json.dumps(changed(refusing)))
    command = ["publish", "--queue-url", QUEUE, "--dry-run", str(file)]
    assert main(command) == 0
    assert main([*command, "--advertising-ids", "consented"]) == 1
    assert f"{file}:1: body: names its device by advertising ids only" in capsys.readouterr().err
