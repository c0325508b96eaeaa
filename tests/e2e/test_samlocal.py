"""`sam local` as the README says it, in containers of a real Docker engine that nothing can leave."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from forwarder_tools.artifact import FUNCTION
from forwarder_tools.invoke import Result, outcomes
from forwarder_tools.localcloud import LocalCloud, peek
from forwarder_tools.processes import ROOT, wait_for
from forwarder_tools.runtime import Invocation, read_answer
from forwarder_tools.samlocal.files import env_json
from forwarder_tools.samples import expectations, few_sample_paths
from tests.e2e.engine import BRIDGE, IMAGE, Engine, NameServer, docker_engine, why_not

pytestmark = [pytest.mark.skipif(why_not() is not None, reason=str(why_not())), pytest.mark.timeout(400)]

SAM = ROOT / ".tools/sam/bin/sam"
START_LAMBDA = "http://127.0.0.1:3001/2015-03-31/functions"
SECONDS = 60
SIDE_BY_SIDE = 3

SHELL = {
    "AWS_ACCESS_KEY_ID": "AKIAOFTHESHELL",
    "AWS_SECRET_ACCESS_KEY": "secret-of-the-shell",
    "AWS_SESSION_TOKEN": "token-of-the-shell",
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "https://sqs.eu-west-1.amazonaws.com",
    "AWS_ENDPOINT_URL_SQS": "https://sqs.eu-west-1.amazonaws.com",
    # SAM itself asks AWS who the shell is; here that is refused at once.
    "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9",
    "AWS_MAX_ATTEMPTS": "1",
    "KOCHAVA_ENDPOINT": "https://control.kochava.com/track/json",
    "KOCHAVA_APP_ID": "koproduction",
    "KOCHAVA_SECRET_ID": "kochava/production",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters",
    "DEDUPLICATION_TABLE": "production",
}
"""A developer's, with all that could lead to AWS or Kochava."""

SAMPLES = [path for path in few_sample_paths() if not path.stem.startswith("invalid-")]
"""A container takes seconds for each: of refused events, those of mixed-batch and fifo-groups are enough."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with docker_engine() as engine:
        yield engine


@pytest.fixture(scope="module", autouse=True)
def _network(engine: Engine) -> Iterator[None]:
    with engine.network():
        yield


@pytest.fixture(scope="module")
def names(_network: None) -> Iterator[list[str]]:
    """Return the names that containers have asked for, as they ask."""
    with NameServer(BRIDGE) as server:
        yield server.asked


@pytest.fixture(scope="module")
def sandbox_log(engine: Engine, tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> Iterator[Path]:
    """Return what `make sandbox` prints while it runs beside the tests of this module."""
    del names
    log = tmp_path_factory.mktemp("sandbox") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/usr/bin/env", "make", "--no-print-directory", "sandbox"],
            cwd=ROOT,
            env=engine.environment(PYTHONUNBUFFERED="1"),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(lambda: "Kochava sandbox:" in log.read_text(), seconds=SECONDS, what="the start of make sandbox")
        yield log
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(SECONDS)


@pytest.fixture(scope="module")
def cloud(sandbox_log: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalCloud:
    """Return the local cloud of `make sandbox`, as a container reaches it."""
    del sandbox_log
    return LocalCloud(f"http://{BRIDGE}:{env_json().cloud_port}", tmp_path_factory.mktemp("cloud"))


def dead_letter_queue(cloud: LocalCloud) -> str:
    return f"{cloud.url}/000000000000/{env_json().dead_letter_queue}"


def check(path: Path, invocation: Invocation, cloud: LocalCloud) -> None:
    """Check that each record of a sample has ended as `events/expected.json` says."""
    assert invocation.error is None
    event = json.loads(path.read_text())
    ended = outcomes(Result(event, invocation, (), peek(cloud, dead_letter_queue(cloud))))
    assert [outcome for outcome, _ in ended] == [row.outcome for row in expectations()[path.name]]
    for (_, why), row in zip(ended, expectations()[path.name], strict=True):
        assert all(text in why for text in row.mentions)


def container_variables(engine: Engine) -> dict[str, str]:
    """Return the environment of the function's container; empty while there is none."""
    containers = engine.docker("ps", "--quiet", "--filter", "label=sam.cli.container.type=lambda").split()
    if not containers:
        return {}
    inspected = engine.run("docker", "inspect", containers[0])
    if inspected.returncode != 0:  # it has just ended
        return {}
    lines: list[str] = json.loads(inspected.stdout)[0]["Config"]["Env"]
    return dict(line.split("=", 1) for line in lines)


def check_variables(variables: Mapping[str, str]) -> None:
    assert {name: variables.get(name) for name in env_json().variables} == env_json().variables
    assert not set(variables.values()) & set(SHELL.values())


# ---------------------------------------------------------------------- sam local invoke


@pytest.fixture(scope="module")
def invoked(engine: Engine, sandbox_log: Path, names: list[str]) -> Mapping[Path, Invocation]:
    """Return what `sam local invoke` makes of each sample, run as the README says it, some side by side."""
    del sandbox_log

    def invoke(path: Path) -> Invocation:
        done = engine.run(
            *(SAM, "local", "invoke", "ForwarderFunction", "-e", path.relative_to(ROOT), "--skip-pull-image"),
            variables=SHELL,
        )
        answer = done.stdout.strip().splitlines()
        assert answer, done.stderr
        return Invocation(*read_answer(answer[-1]), tuple(done.stderr.splitlines()), 0.0)

    sent, asked = engine.packets_out(), len(names)
    first, *others = SAMPLES  # the first one has SAM make its image
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        invocations = {first: invoke(first), **dict(zip(others, pool.map(invoke, others), strict=True))}
    assert (engine.packets_out(), names[asked:]) == (sent, [])  # nothing was dialled but the sandbox and the cloud
    return invocations


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_ends_as_the_table_says(
    path: Path, invoked: Mapping[Path, Invocation], cloud: LocalCloud
) -> None:
    check(path, invoked[path], cloud)


def test_delivered_samples_are_told_by_the_sandbox(sandbox_log: Path, engine: Engine) -> None:
    before = sandbox_log.read_text().count("200 success")
    engine.run(SAM, "local", "invoke", FUNCTION, "-e", "events/purchase.json", "--skip-pull-image")

    wait_for(
        lambda: sandbox_log.read_text().count("200 success") > before, seconds=5, what="a line of the sandbox"
    )


def test_a_container_gets_nothing_of_the_shell(engine: Engine, sandbox_log: Path) -> None:
    del sandbox_log
    process = subprocess.Popen(
        [SAM, "local", "invoke", "ForwarderFunction", "-e", "events/purchase.json", "--skip-pull-image"],
        cwd=ROOT,
        env=engine.environment(**SHELL),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        check_variables(wait_for(lambda: container_variables(engine), seconds=SECONDS, what="a container"))
    finally:
        process.wait(SECONDS)


def test_what_is_dialled_would_be_noticed(engine: Engine, names: list[str]) -> None:
    dial = """if True:
        import contextlib, socket
        with contextlib.suppress(OSError):
            socket.getaddrinfo("control.kochava.com", 443)
        with contextlib.suppress(OSError):
            socket.create_connection(("198.51.100.7", 443), timeout=0.5)
    """
    sent = engine.packets_out()
    engine.docker("run", "--rm", "--entrypoint", "/var/lang/bin/python3.13", IMAGE, "-c", dial)

    assert "control.kochava.com" in names
    assert engine.packets_out() > sent


def test_without_its_settings_the_function_does_not_start(
    engine: Engine, sandbox_log: Path, tmp_path: Path, names: list[str]
) -> None:
    del sandbox_log
    sent, asked = engine.packets_out(), len(names)
    nothing = tmp_path / "samconfig.toml"
    nothing.write_text("version = 0.1\n")
    done = engine.run(
        *(SAM, "local", "invoke", "ForwarderFunction", "-e", "events/purchase.json", "--skip-pull-image"),
        *("--config-file", nothing, "--template-file", ".aws-sam/sandbox/template.yaml"),
        variables={name: value for name, value in SHELL.items() if name.startswith("AWS_")},
    )

    assert "DEAD_LETTER_QUEUE_URL" in done.stdout + done.stderr
    assert "errorType" in done.stdout
    assert (engine.packets_out(), names[asked:]) == (sent, [])


# ---------------------------------------------------------------------- sam local start-lambda


@pytest.fixture
def start_lambda(engine: Engine, cloud: LocalCloud, tmp_path: Path) -> Iterator[Path]:
    """Return what `sam local start-lambda` prints while it runs beside a test."""
    del cloud
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [SAM, "local", "start-lambda", "--warm-containers", "LAZY", "--skip-pull-image"],
            cwd=ROOT,
            env=engine.environment(**SHELL),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(lambda: "Running on http" in log.read_text(), seconds=SECONDS, what="the start of start-lambda")
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(SECONDS)


def post(path: Path) -> Any:
    address = f"{START_LAMBDA}/ForwarderFunction/invocations"
    request = urllib.request.Request(address, data=path.read_bytes(), method="POST")  # noqa: S310 - our own URL
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - the same
        return answer.read().decode()


def test_start_lambda_answers_alike(
    start_lambda: Path, engine: Engine, cloud: LocalCloud, names: list[str]
) -> None:
    sent, asked = engine.packets_out(), len(names)
    for path in SAMPLES:
        before = len(start_lambda.read_text())
        answer = read_answer(post(path))
        lines = tuple(start_lambda.read_text()[before:].splitlines())
        check(path, Invocation(*answer, lines, 0.0), cloud)

    check_variables(container_variables(engine))
    assert (engine.packets_out(), names[asked:]) == (sent, [])


# ---------------------------------------------------------------------- make local


def make_local(engine: Engine, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "forwarder_tools.samlocal.invoke", *arguments, "--skip-pull-image"]
    return engine.run(*command, variables={**SHELL, "PYTHONPATH": "src"})


def test_make_local_reports_as_make_invoke_does(engine: Engine, names: list[str]) -> None:
    sent, asked = engine.packets_out(), len(names)
    done = make_local(engine, "events/mixed-batch.json", "--fault", "503")

    assert done.returncode == 0, done.stderr
    for text in (
        "batchItemFailures",
        "delivered",
        "invalid",
        "unavailable",
        "comes back in",
        "data.event_data.items",
    ):
        assert text in done.stdout
    assert (engine.packets_out(), names[asked:]) == (sent, [])


@pytest.mark.parametrize(
    ("content", "message"),
    [("[]", "an array, not an object"), (None, "No such file or directory")],
    ids=["no event", "no file"],
)
def test_make_local_names_a_wrong_file(engine: Engine, tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "event.json"
    if content is not None:
        path.write_text(content)
    done = make_local(engine, str(path))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"make local: {path}: {message}")


def test_make_local_fails_where_sam_only_says_so(engine: Engine, invoked: Mapping[Path, Invocation]) -> None:
    assert invoked  # so that SAM has made its image
    made = IMAGE.replace(":3.13-", ":3.13-rapid-")
    engine.docker("tag", made, f"{made}-aside")
    engine.docker("tag", IMAGE, made)  # without the emulator that a container starts with
    try:
        done = make_local(engine, "events/purchase.json")
    finally:
        engine.docker("tag", f"{made}-aside", made)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("make local: sam local invoke gave no answer")


def test_an_interrupted_make_local_leaves_no_container(engine: Engine) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "forwarder_tools.samlocal.invoke", "events/purchase.json"),
            *("--skip-pull-image", "--fault", "hang"),
        ],
        cwd=ROOT,
        env=engine.environment(PYTHONPATH="src"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: container_variables(engine), seconds=SECONDS, what="a container")
    process.send_signal(signal.SIGINT)

    assert process.wait(SECONDS) == 128 + signal.SIGINT
    assert engine.docker("ps", "--all", "--quiet", "--filter", "label=sam.cli.container.type=lambda") == ""
