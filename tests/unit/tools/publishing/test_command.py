"""What `kochava-forwarder publish` takes out of a file, without sending it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from forwarder_tools.publishing.command import publish
from tests.unit.strategies import MINIMAL, changed

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
