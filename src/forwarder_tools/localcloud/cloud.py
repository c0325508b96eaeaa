"""A cloud on this machine: MiniStack, started and ended, and clients for it.

It enforces IAM, so the function may do what the template's role allows and no more, and it serves TLS, which
the queues' policies demand. Several may run side by side, each on a port and in a folder of its own; nothing
of one outlives its `with`.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES, ConfigValueStore, ConstantProvider

from forwarder_tools.loopback import fetch
from forwarder_tools.processes import (
    NO_AWS_FILES,
    ToolError,
    base_environment,
    free_port,
    last_lines,
    running,
    tool,
    wait_for,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sqs import SQSClient

REGION = "us-east-1"
NOT_A_KEY = "test"
"""Stands where AWS tools insist on a key: MiniStack's own word for its root user, worthless elsewhere."""

CA = "ca.pem"
LOOPBACK = "127.0.0.1"
START_SECONDS = 20


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud: its address, and clients for it."""

    url: str
    folder: Path
    """Where it writes; the log is `cloud.log`, its authority's certificate `ca.pem`. Removed at its end."""

    @property
    def aws_settings(self) -> dict[str, str]:
        """The environment variables with which any AWS tool or library talks to this cloud only."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": NOT_A_KEY,
            "AWS_SECRET_ACCESS_KEY": NOT_A_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CA_BUNDLE": self.authority,
            "AWS_EC2_METADATA_DISABLED": "true",
            **NO_AWS_FILES,
        }

    @property
    def authority(self) -> str:
        """The file with its authority's certificate."""
        return str(self.folder / CA)

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=NOT_A_KEY,
            aws_secret_access_key=NOT_A_KEY,
            region_name=REGION,
            botocore_session=_session_apart(),
        )

    @cached_property
    def sqs(self) -> SQSClient:
        """A client for its queues."""
        return self._session.client("sqs", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """A client for its logs."""
        return self._session.client("logs", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def functions(self) -> LambdaClient:
        """A client for its functions."""
        return self._session.client("lambda", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def iam(self) -> IAMClient:
        """A client for its roles."""
        return self._session.client("iam", endpoint_url=self.url, verify=self.authority)

    @cached_property
    def stacks(self) -> CloudFormationClient:
        """A client for its stacks."""
        return self._session.client("cloudformation", endpoint_url=self.url, verify=self.authority)


def _session_apart() -> botocore.session.Session:
    """Return a session with botocore's defaults alone: no profile, file, variable or proxy of this machine's."""
    settings = {name: default for name, (_, _, default, _) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()}
    settings |= {"config_file": os.devnull, "credentials_file": os.devnull, "region": REGION}
    session = botocore.session.Session()
    constants = {name: ConstantProvider(value) for name, value in settings.items()}
    session.register_component("config_store", ConfigValueStore(mapping=constants))
    session.set_default_client_config(Config(proxies={}))
    return session


@contextmanager
def local_cloud(*, host: str = LOOPBACK, port: int | None = None, tls: bool = True) -> Iterator[LocalCloud]:
    """Start a cloud, and end it with everything in it.

    Args:
        host: the address of this machine to listen on.
        port: the TCP port; a free one by default.
        tls: serve https. A container has no certificate of this cloud's authority, so it needs http.

    Yields:
        The cloud, ready to be used.

    Raises:
        ToolError: it is not installed or does not start, or the port is in use.
    """
    server = tool("cloud", "bin", "hypercorn")
    port = free_port(host) if port is None else _free(host, port)
    with tempfile.TemporaryDirectory(prefix="local-cloud-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        cloud = LocalCloud(f"http{'s' if tls else ''}://{host}:{port}", folder)
        certificate, key = _certify(folder)
        environment = base_environment(
            GATEWAY_PORT=str(port),
            MINISTACK_HOST=host,  # stands in the queues' URLs, to which AWS's SDK for Node sends its requests
            AUTH="true",
            MINISTACK_REGION=REGION,
            # What functions trust; they inherit it.
            USE_SSL="1" if tls else "0",
            AWS_CA_BUNDLE=cloud.authority,
            # Everything that it writes lands in the one folder that is removed.
            TMPDIR=name,
            STATE_DIR=str(folder / "state"),
            S3_DATA_DIR=str(folder / "s3"),
            PERSIST_STATE="0",
            # Services that nobody needs here, each with a port of its own.
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
        )
        # Not MiniStack's own command: with TLS that would take port 443 too, where it can.
        arguments: list[str | Path] = [
            *(server, "ministack.app:app", "--workers", "0", "--keep-alive", "75"),
            *("--bind", f"{host}:{port}"),
            *(("--certfile", certificate, "--keyfile", key) if tls else ()),
        ]
        output = folder / "cloud.log"
        with running(arguments, environment=environment, folder=folder, output=output) as process:
            wait_for(
                lambda: _is_ready(cloud, process, output), seconds=START_SECONDS, what="the local cloud's start"
            )
            yield cloud


def _free(host: str, port: int) -> int:
    """Return the port if nobody listens on it.

    Raises:
        ToolError: somebody does.
    """
    try:
        with socket.create_server((host, port)):
            return port
    except OSError as problem:
        raise ToolError(
            f"port {port} of {host}: {problem.strerror}; end what listens there (another local cloud?)"
        ) from None


def _certify(folder: Path) -> tuple[Path, Path]:
    """Write an authority's certificate to `folder`, and one for the loopback address; returns that and its key."""
    import trustme  # noqa: PLC0415 - in a checkout only, and the commands' help is there without

    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(folder / CA)
    certificate, key = folder / "cloud.pem", folder / "cloud.key"
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    return certificate, key


def _is_ready(cloud: LocalCloud, process: subprocess.Popen[bytes], output: Path) -> bool:
    if process.poll() is not None:
        raise ToolError(f"the local cloud ended as it started:\n{last_lines(output)}")
    try:
        get(cloud, "ready")
    except OSError:
        return False
    return True


def get(cloud: LocalCloud, path: str) -> Any:
    """Return what MiniStack says of itself at `path`, read from JSON."""
    trust = ssl.create_default_context(cafile=cloud.authority) if cloud.url.startswith("https:") else None
    return json.loads(fetch(f"{cloud.url}/_ministack/{path}", seconds=START_SECONDS, trust=trust))
