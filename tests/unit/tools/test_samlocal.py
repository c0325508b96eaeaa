"""What `sam local` is given: settings that lead to this machine only, and a template for its processor."""

import json
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from forwarder_tools.processes import ROOT, ToolError
from forwarder_tools.samlocal import bridge, files
from forwarder_tools.samlocal.files import env_json
from forwarder_tools.sandbox.__main__ import DEFAULT_PORT
from kochava_forwarder.settings import Settings
from tests.cloudformation import TEMPLATE

VARIABLES = TEMPLATE["Resources"]["ForwarderFunction"]["Properties"]["Environment"]["Variables"]
SAM_CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
LOCAL_COMMANDS = ("local_invoke", "local_start_lambda")
OF_THIS_MACHINE = {"sandbox.localhost", "host.docker.internal"}


# ---------------------------------------------------------------------- events/env.json


def test_every_variable_is_set_so_that_none_comes_from_the_shell() -> None:
    assert env_json().variables.keys() == VARIABLES.keys() | set(files.OF_THE_SHELL)


def test_every_address_is_this_machines() -> None:
    urls = [value for value in env_json().variables.values() if "://" in value]

    assert len(urls) == 3
    assert {urlsplit(url).hostname for url in urls} <= OF_THIS_MACHINE


def test_the_function_takes_the_settings() -> None:
    settings = Settings.from_environment(env_json().variables)

    assert settings.endpoint == env_json().variables["KOCHAVA_ENDPOINT"]


def test_the_ports_are_those_of_the_sandbox_and_the_cloud() -> None:
    settings = env_json()

    assert settings.sandbox_port == DEFAULT_PORT == 8787
    assert settings.cloud_port == 4566
    assert f":{settings.cloud_port}/" in settings.variables["DEAD_LETTER_QUEUE_URL"]
    assert settings.dead_letter_queue == "dead-letters"


def test_settings_move_to_other_ports_and_another_queue() -> None:
    moved = env_json().at(sandbox_port=1, cloud_port=2, dead_letter_queue="dead-letters.fifo")

    assert (moved.sandbox_port, moved.cloud_port, moved.dead_letter_queue) == (1, 2, "dead-letters.fifo")
    changed = {name for name, value in moved.variables.items() if value != env_json().variables[name]}
    assert changed == {"KOCHAVA_ENDPOINT", "AWS_ENDPOINT_URL", "DEAD_LETTER_QUEUE_URL"}


# ---------------------------------------------------------------------- samconfig.toml


@pytest.mark.parametrize("command", LOCAL_COMMANDS)
def test_each_local_command_gets_the_settings_and_the_names_of_this_machine(command: str) -> None:
    parameters: dict[str, Any] = SAM_CONFIG[command]["parameters"]

    assert parameters["env_vars"] == "events/env.json"
    assert ROOT / parameters["template_file"] == files.LOCAL_TEMPLATE
    assert parameters["add_host"] == [f"{name}:host-gateway" for name in sorted(OF_THIS_MACHINE, reverse=True)]


@pytest.mark.parametrize("command", LOCAL_COMMANDS)
def test_no_local_command_is_told_a_processor(command: str) -> None:
    # Said at all, the command's own parameters replace the global ones, which name the deployment's processor.
    assert SAM_CONFIG[command]["parameters"]["parameter_overrides"] == [
        f"KochavaEndpoint={env_json().variables['KOCHAVA_ENDPOINT']}"
    ]


# ---------------------------------------------------------------------- the template


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_the_template_is_for_this_machines_processor_and_its_build(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = {"CodeUri": "ForwarderFunction", "Environment": {"Variables": {"KOCHAVA_ENDPOINT": "x"}}}
    built = tmp_path / ".aws-sam" / "local" / "a-build" / "template.yaml"
    built.parent.mkdir(parents=True)
    built.write_text(
        json.dumps(
            {
                "Parameters": {"Architecture": {"Default": "riscv"}},
                "Resources": {"ForwarderFunction": {"Properties": function}},
            }
        )
    )
    monkeypatch.setattr(files, "build", lambda: built)
    monkeypatch.setattr(files, "host_architecture", lambda: architecture)
    monkeypatch.setattr(files, "LOCAL_TEMPLATE", tmp_path / ".aws-sam" / "sandbox" / "template.yaml")

    path = files.write_local_template()

    written = json.loads(path.read_text())
    properties = written["Resources"]["ForwarderFunction"]["Properties"]
    assert written["Parameters"]["Architecture"]["Default"] == architecture
    assert (path.parent / properties["CodeUri"]).resolve() == built.parent / "ForwarderFunction"
    assert properties["Environment"]["Variables"].keys() == {"KOCHAVA_ENDPOINT", *files.OF_THE_SHELL}
    assert [file.name for file in path.parent.iterdir()] == ["template.yaml"]


# ---------------------------------------------------------------------- the bridge


def _docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `docker` of our own in place of the machine's."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_where_the_machine_has_no_bridge_containers_come_to_the_loopback_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path, monkeypatch, "echo nosuchbridge0")

    assert bridge.reachable_address() == "127.0.0.1"


def test_where_it_has_one_they_come_to_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _docker(tmp_path, monkeypatch, "echo bridge7")
    monkeypatch.setattr(bridge, "address_of", {"bridge7": "172.17.0.1"}.get)

    assert bridge.reachable_address() == "172.17.0.1"


@pytest.mark.parametrize("interface", ["", "nosuchbridge0"])
def test_no_interface_has_no_address(interface: str) -> None:
    assert bridge.address_of(interface) is None


def test_a_missing_docker_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolError, match=r"^docker is not installed: install it, or use `make invoke`"):
        bridge.reachable_address()


def test_an_engine_that_does_not_run_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _docker(tmp_path, monkeypatch, "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")

    with pytest.raises(ToolError, match=r"does not answer \(Cannot connect to the Docker daemon\.\): start it"):
        bridge.reachable_address()
