"""The artifact that the local tools run: what `sam build` makes of the template, for this machine."""

import hashlib
import json
import os
import platform
import shutil
import tempfile
from pathlib import Path

from forwarder_tools.processes import ROOT, ToolError, base_environment, proxies, run, tool

TEMPLATE = ROOT / "template.yaml"

BUILDS = ROOT / ".aws-sam" / "local"
"""Apart from `.aws-sam/build`, which `make build` fills for the cloud, usually for another processor."""

INPUTS = (
    TEMPLATE.name,
    "src/build/**/*",
    "src/requirements.txt",
    "src/kochava_forwarder/**/*",
    "src/forwarder_tools/artifact.py",
    ".python-version",
)
PROGRAMS = (".tools/uv/bin", ".venv/bin")
"""Where the build's own programs are looked for first: uv, and the Python that precompiles."""

TEMPLATE_FOLDER = "build"
KEPT_BUILDS = 4
BUILD_SECONDS = 180
FUNCTION = "ForwarderFunction"

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def host_architecture() -> str:
    """Return this machine's processor as the template's `Architecture` parameter names it.

    Raises:
        ToolError: Lambda has no such processor.
    """
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise ToolError(
            f"processor {machine}: the local tools run on {' and '.join(set(_ARCHITECTURES.values()))} only"
        )
    return _ARCHITECTURES[machine]


def build() -> Path:
    """Build the template for this machine, or find the build of the same inputs.

    A build's folder is named by its inputs and never changes once it is there, so any number of
    demos and tests may share it.

    Returns:
        The built `template.yaml`; the function's folder lies beside it.

    Raises:
        ToolError: a tool is missing or `sam build` failed.
    """
    architecture = host_architecture()
    target = BUILDS / f"{architecture}-{_fingerprint()}"
    if not target.exists():
        BUILDS.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="building-", dir=BUILDS, ignore_cleanup_errors=True) as scratch:
            _sam_build(architecture, Path(scratch) / TEMPLATE_FOLDER)
            try:
                # As deep as it was built: the template names README.md and LICENSE by relative paths.
                Path(scratch).rename(target)
            except OSError:
                if not target.exists():  # else somebody else was quicker with the same inputs
                    raise
        _forget_old_builds()
    os.utime(target)
    return target / TEMPLATE_FOLDER / TEMPLATE.name


def _fingerprint() -> str:
    digest = hashlib.sha256()
    found = {path for pattern in INPUTS for path in ROOT.glob(pattern)}
    for path in sorted(path for path in found if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sam_build(architecture: str, folder: Path) -> None:
    import yaml  # noqa: PLC0415 - a help text needs none

    search = os.pathsep.join((*(str(ROOT / place) for place in PROGRAMS), os.environ["PATH"]))
    sam, parameter = tool("sam", "bin", "sam"), f"ParameterKey=Architecture,ParameterValue={architecture}"
    run(
        [
            *(sam, "build", "--template-file", TEMPLATE, "--build-dir", folder),
            *("--parameter-overrides", parameter, "--region", "us-east-1"),
        ],
        # uv may have to fetch a wheel that its cache lacks.
        environment=base_environment(PATH=search, SAM_CLI_TELEMETRY="0", **proxies()),
        folder=ROOT,
        output=folder.parent / "output",
        seconds=BUILD_SECONDS,
    )
    built = folder / TEMPLATE.name
    # JSON is YAML, and what reads the template reads JSON in a hundredth of the time: SAM does so seven times.
    built.write_text(json.dumps(yaml.safe_load(built.read_text()), indent=1))


def _forget_old_builds() -> None:
    builds = (path for path in BUILDS.iterdir() if not path.name.startswith("building-"))
    for old in sorted(builds, key=lambda path: path.stat().st_mtime)[:-KEPT_BUILDS]:
        shutil.rmtree(old, ignore_errors=True)
