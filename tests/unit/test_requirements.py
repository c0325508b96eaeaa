"""src/requirements.txt, from which the package is built, says what uv.lock says."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = (ROOT / "src/requirements.txt").read_text()
PROVIDED = (ROOT / "src/build/provided.txt").read_text()


def _requirements(text: str) -> list[str]:
    """Return the lines that say something to pip."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def _locked() -> dict[str, dict[str, Any]]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    return {package["name"]: package for package in lock["package"]}


def _with_dependencies(*names: str) -> set[str]:
    """Return the packages that these ones bring, themselves included."""
    locked = _locked()
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [dependency["name"] for dependency in locked[name].get("dependencies", [])]
    return found


def test_they_are_what_uv_exports_from_the_lock(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=os.pathsep.join((str(ROOT / ".tools/uv/bin"), os.environ["PATH"])))
    if uv is None:
        pytest.fail("uv is not on PATH: run `make install`")
    exported = subprocess.run(
        [uv, "export", "--quiet", "--frozen", "--offline", "--no-dev", "--no-emit-project", "--no-header"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert _requirements(REQUIREMENTS) == _requirements(exported), "run `make lock`"


def test_every_one_is_pinned_and_hashed() -> None:
    entries = re.split(r"\n(?=\S)", "\n".join(_requirements(REQUIREMENTS)))

    assert entries
    for entry in entries:
        assert re.match(r"^[a-z0-9-]+(\[[a-z,]+\])?==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", entry), entry


def test_they_name_no_registry_and_no_path_of_a_machine() -> None:
    assert re.findall(r"\S*://\S*|\s/\S*", REQUIREMENTS) == []
    assert [line for line in _requirements(REQUIREMENTS) if line.startswith("-")] == []


def test_provided_is_what_boto3_brings_and_nothing_else_needs() -> None:
    ours = _with_dependencies("aws-lambda-powertools", "urllib3", "pydantic")

    assert set(_requirements(PROVIDED)) == _with_dependencies("boto3") - ours
