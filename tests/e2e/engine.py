"""A Docker engine that only the tests use, and an image of Lambda's runtime made from this machine's own files.

The engine lives in namespaces of its own: its processes and containers see each other, a bridge and a loopback
interface, and a way out that ends nowhere. So nothing started there can leave the machine, no port collides with
one of the machine's, and one signal ends it all. Whatever a container asks a name server for, and whatever it
sends beyond this machine, is counted.
"""

from __future__ import annotations

import io
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from forwarder_tools.artifact import host_architecture
from forwarder_tools.processes import ROOT, base_environment, uninterrupted, wait_for
from forwarder_tools.runtime import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROGRAMS = ("dockerd", "docker", "iptables", "unshare", "nsenter", "ip", "ldd")
WAY_OUT = "wayout"
BRIDGE = "172.17.0.1"
"""The address under which containers reach what listens inside."""

START_SECONDS = 60
IMAGE_SECONDS = 120

IMAGE = f"public.ecr.aws/lambda/python:3.13-{host_architecture()}"
"""The name under which SAM looks for the runtime's image."""

VARIABLES = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    ),
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
"""What AWS's own image sets."""

BOOTSTRAP = b"""#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13 PYTHONPATH=/var/task:/opt/python:/var/runtime
exec /var/lang/bin/python3.13 -m awslambdaric "$_HANDLER"
"""
NOT_NEEDED = {
    *("__pycache__", "site-packages", "dist-packages", "test", "idlelib", "ensurepip", "tkinter"),
    f"config-3.13-{platform.machine()}-linux-gnu",
}
"""Of Python's library."""


def why_not() -> str | None:
    """Return why no engine can run on this machine, with the remedy; None if one can."""
    if platform.system() != "Linux":
        return f"{platform.system()} has no namespaces: an engine of the tests' own runs on Linux only"
    if os.geteuid() != 0:
        return "the tests' own Docker engine needs root: run the tests as root to have these"
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        return (
            f"{' and '.join(missing)} not found: `.ci/run` installs what is missing on Debian, "
            "else `apt-get install docker.io iproute2`"
        )
    return None


@dataclass(frozen=True)
class Engine:
    """A running engine."""

    folder: Path
    socket: Path
    process: int
    """The first process of its namespaces."""

    def inside(self, *arguments: str | Path) -> list[str | Path]:
        """Return a command line that runs another one inside the engine's namespaces."""
        return ["nsenter", "--target", str(self.process), "--net", "--pid", "--", *arguments]

    @contextmanager
    def network(self) -> Iterator[None]:
        """Put this thread into the engine's network; what it opens or starts meanwhile stays there."""
        with Path("/proc/thread-self/ns/net").open() as here, Path(f"/proc/{self.process}/ns/net").open() as there:
            os.setns(there.fileno(), os.CLONE_NEWNET)
            try:
                yield
            finally:
                os.setns(here.fileno(), os.CLONE_NEWNET)

    def packets_out(self) -> int:
        """Return how many packets containers have sent beyond this machine so far."""
        listed = self.run("iptables", "-nvx", "-L", "FORWARD", "1").stdout
        return int(listed.split()[0])

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment in which Docker's clients find this engine."""
        return base_environment(DOCKER_HOST=f"unix://{self.socket}", SAM_CLI_TELEMETRY="0", **more)

    def run(
        self,
        *arguments: str | Path,
        seconds: float = IMAGE_SECONDS,
        variables: Mapping[str, str] | None = None,
        given: str | bytes | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end, in the project's folder."""
        done = subprocess.run(
            self.inside(*arguments),
            cwd=ROOT,
            env=self.environment(**(variables or {})),
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )

    def docker(self, *arguments: str, given: bytes | None = None) -> str:
        """Run Docker's own command; return what it prints."""
        done = self.run("docker", *arguments, given=given)
        if done.returncode != 0:
            raise RuntimeError(f"docker {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """Start an engine and end it with all its containers; it has the one image that SAM needs."""
    groups_before = _control_groups()
    with tempfile.TemporaryDirectory(prefix="docker-engine-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        process = None
        try:
            with uninterrupted():
                process = _start(folder)
            engine = _wait_until_ready(folder, process)
            engine.run("iptables", "-I", "FORWARD", "1", "-o", WAY_OUT)
            engine.docker(
                "import",
                *(f"--change=ENV {name}={value}" for name, value in VARIABLES.items()),
                *("--change=WORKDIR /var/task", '--change=ENTRYPOINT ["/lambda-entrypoint.sh"]'),
                *("-", IMAGE),
                given=runtime_image(),
            )
            yield engine
        finally:
            with uninterrupted():
                if process is not None:
                    process.send_signal(signal.SIGKILL)  # --kill-child passes it on to everything inside
                    process.wait()
                for group in _control_groups() - groups_before:
                    _remove_control_group(group)


def _start(folder: Path) -> subprocess.Popen[bytes]:
    options = (
        *("--host", f"unix://{folder}/docker.sock", "--data-root", f"{folder}/data"),
        *("--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid", "--storage-driver", "overlay2"),
        *("--bip", f"{BRIDGE}/16", "--dns", BRIDGE),
    )
    script = f"""
    ip link set lo up
    ip link add {WAY_OUT} type veth peer name nowhere
    ip addr add 192.0.2.1/24 dev {WAY_OUT}
    ip link set {WAY_OUT} up
    ip link set nowhere up
    ip route add default dev {WAY_OUT}
    exec dockerd "$@"
    """
    with (folder / "dockerd.log").open("wb") as log:
        return subprocess.Popen(
            [
                *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("sh", "-ec", script, "dockerd", *options),
            ],
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_ready(folder: Path, process: subprocess.Popen[bytes]) -> Engine:
    engine: list[Engine] = []

    def ready() -> bool:
        engine.extend(found for found in [_ready(folder, process)] if found)
        return bool(engine)

    wait_for(ready, seconds=START_SECONDS, what="dockerd's start")
    return engine[0]


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> Engine | None:
    if process.poll() is not None:
        raise RuntimeError(f"dockerd ended as it started:\n{(folder / 'dockerd.log').read_text()[-2000:]}")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    if not children:
        return None
    engine = Engine(folder, folder / "docker.sock", int(children[0]))
    answers = engine.socket.exists() and engine.run("docker", "version", seconds=10).returncode == 0
    return engine if answers else None


def _control_groups() -> set[Path]:
    return set(Path("/sys/fs/cgroup").glob("*/docker")) | set(Path("/sys/fs/cgroup").glob("docker"))


def _remove_control_group(group: Path) -> None:
    """Remove a control group and those below it, which the kernel has emptied by killing their processes."""
    for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        with suppress(OSError):
            folder.rmdir()
    with suppress(OSError):
        group.rmdir()


class NameServer:
    """A name server that knows no name, and remembers what it was asked for; listens on this thread's network."""

    def __init__(self, address: str) -> None:
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        with suppress(OSError):
            while query := self._socket.recvfrom(512):
                (question, client) = query
                if len(question) < QUESTION_AT:
                    return
                self.asked.append(_name_in(question))
                self._socket.sendto(question[:2] + NO_SUCH_NAME + question[QUESTION_AT:], client)


QUESTION_AT = 12
NO_SUCH_NAME = bytes.fromhex("8183 0001 0000 0000 0000")
"""The rest of an answer's header: flags, and one question without answers."""


def _name_in(question: bytes) -> str:
    labels, at = [], QUESTION_AT
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels)


def runtime_image() -> bytes:
    """Return the image's files as a tar archive.

    Python, the packages that Lambda brings and its runtime client come from the environment of the tests; what
    SAM runs while it builds on the image, a shell and two programs, from the machine.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        _add_python(archive)
        for package in packages():
            archive.add(package, f"var/runtime/{package.name}", filter=_needed)
        for name, text in {"var/runtime/bootstrap": BOOTSTRAP, "lambda-entrypoint.sh": BOOTSTRAP}.items():
            _add_text(archive, name, text, 0o755)
        _add_text(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", 0o644)
        _add_text(archive, "etc/nsswitch.conf", b"hosts: files dns\n", 0o644)
        for name in ("tmp", "var/task", "opt"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(folder)
    return buffer.getvalue()


def _add_python(archive: tarfile.TarFile) -> None:
    python = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    archive.dereference = True
    archive.add(python, "var/lang/bin/python3.13")
    archive.add(library, "var/lang/lib/python3.13", filter=_needed)
    programs = {f"bin/{name}": Path(shutil.which(name) or f"/bin/{name}") for name in ("sh", "mv", "chmod")}
    for name, program in programs.items():
        archive.add(program, name)
    # What the function's own extensions are linked with is in AWS's image too.
    extensions = [*(library / "lib-dynload").glob("*.so"), *Path(sysconfig.get_path("platlib")).rglob("*.so")]
    binaries = [python, *programs.values(), *extensions]
    for shared in sorted(_shared_libraries(binaries)):
        archive.add(shared, str(shared).lstrip("/"))


def _shared_libraries(binaries: list[Path]) -> set[Path]:
    """Return the libraries that binaries are linked with, the loader included."""
    ldd = shutil.which("ldd") or "ldd"
    listed = subprocess.run([ldd, *binaries], capture_output=True, text=True, check=False).stdout
    words = (Path(word) for word in listed.split() if word.startswith("/") and not word.endswith(":"))
    return {path for path in words if not path.is_relative_to(sysconfig.get_path("platlib"))}


def _needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if NOT_NEEDED & set(Path(entry.name).parts[3:]) else entry


def _add_text(archive: tarfile.TarFile, name: str, text: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text), mode
    archive.addfile(entry, io.BytesIO(text))
