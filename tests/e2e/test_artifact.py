"""The deployed package, built for both architectures: right, small, compiled, and the same every time."""

import base64
import csv
import hashlib
import importlib.metadata
import importlib.util
import json
import marshal
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType

import pytest

ROOT = Path(__file__).parents[2]
MIB = 2**20
ELF_MACHINES = {"arm64": 183, "x86_64": 62}
HOSTS = {"aarch64": "arm64", "arm64": "arm64", "x86_64": "x86_64", "AMD64": "x86_64"}
UNCHECKED_HASH = 0b01
INSTALLERS_OWN = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"})
ONLY_ON_LINUX = pytest.mark.skipif(platform.system() != "Linux", reason="the package is made for Linux")

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON", "MAKE"))},
    "PATH": os.pathsep.join((str(ROOT / ".tools/uv/bin"), os.environ["PATH"])),
    "PYTHON": sys.executable,
    "AWS_DEFAULT_REGION": "us-east-1",
    "SAM_CLI_TELEMETRY": "0",
}


def _sam_build(architecture: str, folder: Path) -> Path:
    subprocess.run(
        [
            ROOT / ".tools/sam/bin/sam",
            "build",
            *("--build-dir", folder, "--parameter-overrides", f"Architecture={architecture}"),
        ],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    )
    return folder / "ForwarderFunction"


def _make(
    architecture: str,
    folder: Path,
    project: Path = ROOT,
    environment: Mapping[str, str] = ENVIRONMENT,
    target: str = "build-ForwarderFunction",
) -> subprocess.CompletedProcess[str]:
    """Run the recipe as SAM does, without SAM."""
    return subprocess.run(
        [
            "/usr/bin/env",
            "make",
            "--makefile",
            f"src/build/{architecture}/Makefile",
            target,
        ],
        cwd=project,
        env={**environment, "ARTIFACTS_DIR": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module", params=sorted(ELF_MACHINES))
def architecture(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(architecture: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the function that `sam build` makes."""
    return _sam_build(architecture, tmp_path_factory.mktemp(architecture))


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _distributions(text: str) -> set[str]:
    """Return the names at the beginnings of a requirements file's lines, as their folders write them."""
    return {name.replace("-", "_") for name in re.findall(r"^[a-z][a-z0-9-]*", text, flags=re.MULTILINE)}


def test_its_binaries_are_for_the_architecture(package: Path, architecture: str) -> None:
    binaries = list(package.rglob("*.so"))

    assert binaries
    for binary in binaries:
        head = binary.read_bytes()[:20]
        assert head[:4] == b"\x7fELF"
        assert int.from_bytes(head[18:20], "little") == ELF_MACHINES[architecture]


def test_it_holds_the_forwarder_and_its_requirements_and_nothing_else(package: Path) -> None:
    required = _distributions((ROOT / "src/requirements.txt").read_text())
    provided = _distributions((ROOT / "src/build/provided.txt").read_text())
    folders = {path.name for path in package.iterdir()}

    distributions = {name.split("-")[0] for name in folders if name.endswith(".dist-info")}
    assert distributions == required - provided
    modules = {name.removesuffix(".py") for name in folders if not name.endswith(".dist-info")}
    assert modules == distributions | {"kochava_forwarder", "__pycache__"}


def test_it_holds_every_module_of_the_forwarder(package: Path) -> None:
    source = ROOT / "src/kochava_forwarder"
    expected = {name for name in _files(source) if "__pycache__" not in name}

    built = package / "kochava_forwarder"
    assert {name for name in _files(built) if "__pycache__" not in name} == expected
    assert all((built / name).read_bytes() == (source / name).read_bytes() for name in expected)


def _recorded(folder: Path) -> dict[str, str]:
    """Return the files that the wheels brought into a folder, with the hashes of the wheels' own RECORDs.

    The installer's own rows and rewritten scripts are left out.
    """
    return {
        name: digest
        for record in folder.glob("*.dist-info/RECORD")
        for name, digest, _ in csv.reader(record.read_text().splitlines())
        if digest and not name.startswith("bin/") and Path(name).name not in INSTALLERS_OWN
    }


def _digest(path: Path) -> str:
    """Return a file's hash as RECORD writes it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()


def test_every_file_of_a_requirement_is_the_wheels_own(package: Path, architecture: str, tmp_path: Path) -> None:
    installed = _make(architecture, tmp_path, target="requirements")
    assert installed.returncode == 0, installed.stderr
    recorded = _recorded(tmp_path)

    built = {
        name: _digest(path)
        for name, path in _files(package).items()
        if not name.startswith("kochava_forwarder/") and path.suffix != ".pyc"
    }

    assert len(recorded) > 500
    assert built == recorded


def test_the_sbom_lists_what_it_holds_and_nothing_else(package: Path, tmp_path: Path) -> None:
    sbom = tmp_path / "sbom.cdx.json"
    made = subprocess.run(
        ["/usr/bin/env", "make", "sbom", f"SBOM={sbom}"],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr
    described = json.loads(sbom.read_text())
    hashes = {
        component["name"]: {
            digest["content"] for file in component["externalReferences"] for digest in file["hashes"]
        }
        for component in described["components"]
    }

    assert described["bomFormat"] == "CycloneDX"
    assert {(component["name"], component["version"]) for component in described["components"]} == {
        (_canonical(distribution.name), distribution.version)
        for distribution in importlib.metadata.distributions(path=[str(package)])
    }
    assert hashes == {name: _required_hashes(name) for name in hashes}


def _canonical(name: str) -> str:
    """Return a distribution's name as package indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _required_hashes(name: str) -> set[str]:
    """Return the hashes that src/requirements.txt takes for a package."""
    requirements = (ROOT / "src/requirements.txt").read_text()
    (entry,) = re.findall(rf"^{name}==(.*?)(?=^\S|\Z)", requirements, flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"sha256:([0-9a-f]{64})", entry))


def test_make_build_writes_the_sbom() -> None:
    planned = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", "build"],
        cwd=ROOT,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert '--output-file ".aws-sam/sbom.cdx.json"' in planned


def test_it_tells_nothing_of_the_machine_it_was_built_on(package: Path) -> None:
    for name, path in _files(package).items():
        assert Path(name).name not in {".lock", "RECORD", *INSTALLERS_OWN}
        assert str(ROOT).encode() not in path.read_bytes()
        assert str(package).encode() not in path.read_bytes()


def test_every_module_is_compiled_for_good(package: Path) -> None:
    sources = list(package.rglob("*.py"))

    assert sources
    for source in sources:
        compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        assert int.from_bytes(compiled[4:8], "little") == UNCHECKED_HASH
        assert compiled[8:16] == importlib.util.source_hash(source.read_bytes())
    assert len(list(package.rglob("*.pyc"))) == len(sources)


def test_stack_traces_name_the_path_in_lambda(package: Path) -> None:
    compiled = importlib.util.cache_from_source(str(package / "kochava_forwarder/__init__.py"))
    code = marshal.loads(Path(compiled).read_bytes()[16:])  # noqa: S302 - bytecode this test has just built

    assert isinstance(code, CodeType)
    assert code.co_filename == "/var/task/kochava_forwarder/__init__.py"


def test_it_is_small(package: Path, tmp_path: Path) -> None:
    files = _files(package)
    with zipfile.ZipFile(tmp_path / "package.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files.items():
            archive.write(path, name)

    assert sum(path.stat().st_size for path in files.values()) <= 18 * MIB
    assert (tmp_path / "package.zip").stat().st_size <= 6.5 * MIB


def test_a_second_build_elsewhere_is_the_same_to_the_byte(
    package: Path, architecture: str, tmp_path: Path
) -> None:
    project = tmp_path / "a copy of the project"
    for name in ("src/build", "src/kochava_forwarder"):
        shutil.copytree(ROOT / name, project / name)
    shutil.copy(ROOT / "src/requirements.txt", project / "src")

    made = _make(architecture, tmp_path / "again", project, {**ENVIRONMENT, "PYTHONHASHSEED": "7"})

    assert made.returncode == 0, made.stderr
    first, second = _files(package), _files(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


@pytest.fixture(scope="module")
def host_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the function built for this machine."""
    return _sam_build(HOSTS[platform.machine()], tmp_path_factory.mktemp("host"))


def _import(package: Path, modules: list[str]) -> list[str]:
    """Import modules of the package, with nothing else there; return the names of all that this brought in."""
    script = (
        "import importlib, sys; sys.path[:0] = [sys.argv[1]]; [*map(importlib.import_module, sys.argv[2:])]; "
        "print(*sys.modules)"
    )
    imported = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script, package, *modules],
        env={"DEAD_LETTER_QUEUE_URL": "https://sqs.example/queue", "AWS_DEFAULT_REGION": "us-east-1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert imported.stderr == ""
    assert imported.returncode == 0
    return imported.stdout.split()


@ONLY_ON_LINUX
def test_its_modules_import_on_their_own(host_package: Path) -> None:
    modules = sorted(_modules(host_package / "kochava_forwarder"))

    assert modules
    assert set(modules) <= set(_import(host_package, modules))


@ONLY_ON_LINUX
def test_a_start_imports_nothing_that_only_a_failure_needs(host_package: Path) -> None:
    imported = set(_import(host_package, ["kochava_forwarder.app"]))

    assert not imported & {"boto3", "botocore.session", "requests", "aws_xray_sdk"}


def _modules(folder: Path) -> Iterator[str]:
    for source in folder.rglob("*.py"):
        name = ".".join(source.relative_to(folder.parent).with_suffix("").parts)
        yield name.removesuffix(".__init__")


class TestRefusals:
    """What the build does not do, and what it says then."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
        return tmp_path

    @pytest.mark.parametrize(
        ("pattern", "replacement", "complaint"),
        [
            (r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", "Hash mismatch for"),
            (r" \\\n    --hash=\S+", "", "In `--require-hashes` mode, all requirements must have a hash"),
        ],
        ids=["another hash", "no hash"],
    )
    def test_a_file_without_its_hash(self, project: Path, pattern: str, replacement: str, complaint: str) -> None:
        requirements = project / "src/requirements.txt"
        requirements.write_text(re.sub(pattern, replacement, requirements.read_text()))

        made = _make("arm64", project / "out", project, {**ENVIRONMENT, "UV_OFFLINE": "1"})

        assert made.returncode != 0
        assert complaint in made.stderr
        assert not (project / "out/kochava_forwarder").exists()

    def test_a_machine_without_uv(self, project: Path) -> None:
        made = _make("arm64", project / "out", project, {**ENVIRONMENT, "UV": "no-such-uv"})

        assert made.returncode != 0
        assert "build: uv is not on PATH: run 'make build', or install uv with 'pip install uv'" in made.stderr
        assert not (project / "out").exists()

    def test_another_python(self, project: Path) -> None:
        other = project / "python"
        other.write_text("#!/bin/sh\nexit 1\n")
        other.chmod(0o755)

        made = _make("arm64", project / "out", project, {**ENVIRONMENT, "PYTHON": str(other)})

        assert made.returncode != 0
        assert "is not Python 3.13, which compiles the bytecode: name it" in made.stderr
        assert not (project / "out").exists()
