"""The tools in a shell whose proxies are dead and whose AWS settings are stale or lead elsewhere."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from forwarder_tools.localcloud import local_cloud, peek
from forwarder_tools.processes import ROOT
from tests.e2e.commands import printed_until, python
from tests.e2e.hostile import hostile_environment

SANDBOX = """
import sys
from forwarder_tools.processes import free_port
from forwarder_tools.samlocal import files, serve

settings = files.env_json().at(sandbox_port=free_port(), cloud_port=free_port(), dead_letter_queue="dead-letters")
files.env_json = lambda: settings
sys.exit(serve.main(["--sam-local"]))
"""
"""`make sandbox`, on ports of its own."""


def test_a_local_cloud_and_its_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in hostile_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with local_cloud() as cloud:
        queue = cloud.sqs.create_queue(QueueName="events")["QueueUrl"]
        cloud.sqs.send_message(QueueUrl=queue, MessageBody="hello")
        assert [message.body for message in peek(cloud, queue)] == ["hello"]
        assert cloud.functions.meta.region_name == "us-east-1"


def test_make_invoke(tmp_path: Path, template: Path) -> None:
    del template  # it is built by now
    done = subprocess.run(
        [sys.executable, "-m", "forwarder_tools.invoke", "events/mixed-batch.json", "--fault", "503"],
        cwd=ROOT,
        env=hostile_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("delivered", "unavailable", "comes back in", '"reason": "invalid"'):
        assert text in done.stdout


def test_make_sandbox_until_its_terminal_is_closed(
    tmp_path: Path, template: Path, processes_with: Callable[[str], list[str]]
) -> None:
    del template  # it is built by now
    docker, temporary = tmp_path / "docker", tmp_path / "temporary"
    docker.write_text("#!/bin/sh\necho nosuchbridge0\n")
    docker.chmod(0o755)
    temporary.mkdir()
    environment = hostile_environment(tmp_path)
    environment |= {"PATH": f"{tmp_path}:{environment['PATH']}", "TMPDIR": str(temporary)}
    with python("-c", SANDBOX, environment=environment) as sandbox:
        printed = printed_until(sandbox, "Kochava sandbox:")
        assert "\nKochava sandbox: http://127.0.0.1:" in f"\n{printed}"
        sandbox.send_signal(signal.SIGHUP)
        assert sandbox.wait(10) == 0
    assert processes_with(str(temporary)) == []
    assert list(temporary.iterdir()) == []
