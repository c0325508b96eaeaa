"""Each sample through the handler, with the sandbox as Kochava: it ends as `events/expected.json` says."""

from collections import Counter
from pathlib import Path

import pytest

from forwarder_tools.samples import expectations, read_sample, sample_name, sample_paths
from forwarder_tools.sandbox import Sandbox
from tests.integration.support import Start
from tests.integration.support_servers import Aws


@pytest.mark.parametrize("path", sample_paths(), ids=sample_name)
def test_a_sample_ends_as_the_table_says_and_its_warnings_are_counted(
    start: Start, sandbox: Sandbox, aws: Aws, path: Path
) -> None:
    batch, rows = read_sample(path)["Records"], expectations()[sample_name(path)]
    suffix = ".fifo" if batch[0]["eventSourceARN"].endswith(".fifo") else ""
    forwarder = start(DEAD_LETTER_QUEUE_URL=f"{aws.url}/000000000000/dead-letters{suffix}")
    expected = list(zip(batch, rows, strict=True))

    assert forwarder.invoke(*batch) == set()
    assert forwarder.outcomes == Counter(row.outcome for row in rows)
    assert forwarder.warnings == Counter(warning for row in rows for warning in row.warnings)
    refused = {record["body"]: row for record, row in expected if row.outcome != "delivered"}
    assert aws.letters_by_body().keys() == refused.keys()
    for text, letter in aws.letters_by_body().items():
        assert letter["reason"] == refused[text].outcome
        assert all(mention in letter["detail"] for mention in refused[text].mentions)
    assert [request.problems for request in sandbox.received] == [()] * (len(rows) - len(refused))


def test_an_install_reaches_kochava_before_its_devices_events(start: Start, sandbox: Sandbox) -> None:
    [path] = [path for path in sample_paths() if path.name == "fifo-install.json"]
    assert start().invoke(*read_sample(path)["Records"]) == set()

    sent: dict[str, list[str]] = {}
    for request in sandbox.received:
        assert request.event is not None
        sent.setdefault(request.event["kochava_device_id"], []).append(request.event["action"])
    assert sorted(sent.values()) == [["install", "event"], ["install", "event", "identityLink", "event"]]
