"""What `make demo KEEP=1` prints, run as it stands in a shell that is as hostile as the demo's own.

So are the programs of docs/publish.md for the languages that there are here.
"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forwarder_tools.demo.publishing import EXAMPLE
from forwarder_tools.localcloud import NOT_A_KEY, REGION
from forwarder_tools.processes import ROOT, base_environment
from tests.e2e.commands import aws_cli, printed_until, python
from tests.e2e.hostile import hostile_environment
from tests.integration.support_servers import Aws

NODE = ROOT / ".tools" / "node"
NO_NODE = (
    "Node and AWS's SDK for it are not on this machine: install Node 20 or later with npm, and run `make test`, "
    "which fetches the SDK"
)
NO_JAVA = "no JDK is on this machine: install Java 11 or later to have this test"

JAVA = """
import java.net.HttpURLConnection;
import java.net.URI;

class Trust {
    public static void main(String[] arguments) throws Exception {
        var connection = (HttpURLConnection) URI.create(arguments[0]).toURL().openConnection();
        System.out.print(connection.getResponseCode());
    }
}
"""


@dataclass(frozen=True)
class Demo:
    """A demo that goes on, what it has printed until then, and the environment of the shells beside it."""

    process: subprocess.Popen[str]
    printed: str
    shell: dict[str, str]

    def after(self, heading: str) -> str:
        """Return the line that is printed below another one."""
        lines = self.printed.splitlines()
        return lines[lines.index(heading) + 1]

    @property
    def exports(self) -> str:
        """The lines that prepare a shell."""
        return "\n".join(line for line in self.printed.splitlines() if line.startswith(("export ", "unset ")))

    def sh(self, *lines: str) -> str:
        """Run lines in a shell; return what they print, which must not be an error."""
        done = subprocess.run(
            ["/bin/sh", "-eu"],
            input="\n".join(lines),
            cwd="/",
            env=self.shell,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def wait_until_delivered(self, device: str) -> None:
        """Read on until the demo says that an event of this device was delivered."""
        assert self.process.stdout is not None
        assert f"Kochava received Purchase of {device}, answered 200 success\n" in self.process.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Demo]:
    del template  # it is built by now
    environment = hostile_environment(tmp_path_factory.mktemp("home"))
    with python("-m", "forwarder_tools.demo", environment=environment | {"KEEP": "1"}) as process:
        printed = printed_until(process, "Stop: Ctrl-C")
        assert "none lost" in printed, printed
        yield Demo(process, printed, environment | {"PATH": f"{aws_cli()}:{environment['PATH']}"})
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


@pytest.mark.parametrize("heading", ["With Python:", "With the AWS CLI:"])
def test_a_command_that_is_printed_publishes(demo: Demo, heading: str) -> None:
    demo.sh(demo.exports, demo.after(heading))
    demo.wait_until_delivered(str(EXAMPLE["kochava_device_id"]))


needs_node = pytest.mark.skipif(shutil.which("node") is None or not (NODE / ".installed").exists(), reason=NO_NODE)


@needs_node
def test_awss_sdk_for_node_publishes(demo: Demo) -> None:
    event = json.dumps(EXAMPLE | {"kochava_device_id": "KDtest-node"})
    demo.sh(demo.exports, f"node {NODE}/publish.js '{event}'")
    demo.wait_until_delivered("KDtest-node")


PROGRAMS: dict[str, str] = dict(
    re.findall(r"```(python|js)\n(.*?)```", (ROOT / "docs" / "publish.md").read_text(), re.DOTALL)
)
LANGUAGES = ["python", pytest.param("js", marks=needs_node)]


def command_of(language: str, program: str) -> str:
    """Return the shell command that runs a program."""
    if language == "python":
        return shlex.join([sys.executable, "-c", program])
    return f"cd {shlex.quote(str(NODE))} && {shlex.join(['node', '--input-type=module', '-e', program])}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_documents_program_publishes(demo: Demo, language: str) -> None:
    program = PROGRAMS[language].replace("KD0123456789", f"KDtest-{language}").replace("order-", f"{language}-")
    demo.sh(demo.exports, command_of(language, program))
    for _ in range(2):
        demo.wait_until_delivered(f"KDtest-{language}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_documents_program_says_what_sqs_refused(language: str) -> None:
    with Aws() as aws:
        aws.refused["events"] = "InternalError"
        done = subprocess.run(
            ["/bin/sh", "-c", command_of(language, PROGRAMS[language])],
            env=base_environment(
                AWS_ENDPOINT_URL=aws.url,
                AWS_REGION=REGION,
                AWS_DEFAULT_REGION=REGION,
                AWS_ACCESS_KEY_ID=NOT_A_KEY,
                AWS_SECRET_ACCESS_KEY=NOT_A_KEY,
                EVENT_QUEUE_URL=f"{aws.url}/000000000000/events",
            ),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert len(aws.requests("SendMessageBatch")) == 1
    assert done.returncode == 1
    assert "send again: order-4711: InternalError, order-4712: InternalError\n" in done.stderr


def test_the_file_that_is_named_prepares_a_shell_too(demo: Demo) -> None:
    [prepare] = re.findall(r"and so does: (\. .*)", demo.printed)
    names = [line.split()[1].partition("=")[0] for line in demo.exports.splitlines() if line.startswith("export ")]
    [said, sourced] = (
        demo.sh(how, f"env | grep -E '^({'|'.join(names)})=' | sort") for how in (demo.exports, prepare)
    )

    assert said == sourced
    assert said.count("\n") == len(names) > 10
    values = dict(line.split("=", 1) for line in said.splitlines())
    queues = (values["EVENT_QUEUE_URL"], values["DEAD_LETTER_QUEUE_URL"])
    assert all(url.startswith(f"{values['AWS_ENDPOINT_URL']}/") for url in queues)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN"} & set(demo.sh(prepare, "env | cut -d= -f1").split())


def test_what_a_shell_reaches_without_a_proxy_stays_so(demo: Demo) -> None:
    printed = demo.sh("export NO_PROXY=example.com; unset no_proxy", demo.exports, 'echo "$NO_PROXY $no_proxy"')
    assert printed == "127.0.0.1,example.com 127.0.0.1\n"


@pytest.mark.skipif(shutil.which("javac") is None, reason=NO_JAVA)
def test_java_trusts_the_cloud_with_what_it_is_said_to_need(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "Trust.java").write_text(JAVA)
    [needed] = re.findall("Java needs besides: (.*)", demo.printed)
    command = f'java {needed} {tmp_path}/Trust.java "$AWS_ENDPOINT_URL/_ministack/ready"'
    assert demo.sh(demo.exports, command) == "200"
