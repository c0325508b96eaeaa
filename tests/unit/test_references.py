"""What code and documents point at is there: files, links with their anchors, make targets, sections, names."""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "kochava_forwarder"
_SKIPPED = frozenset((".git", ".venv", ".tools", ".aws-sam", "__pycache__"))


def _files(*patterns: str) -> list[Path]:
    found = (path for pattern in patterns for path in ROOT.glob(pattern))
    return sorted(path for path in found if path.is_file() and not _SKIPPED & set(path.relative_to(ROOT).parts))


DOCUMENTS = _files("*.md", "docs/**/*.md", "events/*.md", ".github/**/*.md")
MODULES = _files("src/**/*.py", "tests/**/*.py")
OTHERS = _files("Makefile", "src/build/**/*", "*.yaml", "*.toml", ".*.yaml", ".github/**/*.y*ml")
TEXTS = [*DOCUMENTS, *MODULES, *OTHERS]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(path: Path) -> str:
    """Return what a file says to people: a module's docstrings and comments, the whole of any other file."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr))
    strings = [node.value.value for node in nodes if isinstance(node.value, ast.Constant)]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*(string for string in strings if isinstance(string, str)), *comments])


# --- files and links ----------------------------------------------------------------------------------------

_PATH = re.compile(r"(?<![\w./-])(?:src|tests|docs|events|\.github)/[\w./*-]*\w")
_BACKTICKED_FILE = re.compile(r"`([\w./-]+\.(?:py|md|ya?ml|toml|txt|json|mk|svg))`")
_DOCUMENT = re.compile(r"(?<![\w/.-])([\w-]+\.md)\b")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SECTION = re.compile(r"([\w-]+\.md)[`)]*\s+section\s+(\d+)")
BUILT = ".aws-sam/"  # is there after `make build` only
_PLACEHOLDER = re.compile(r"[A-Z]{4,}|\*\*")


def _exists(name: str, beside: Path) -> bool:
    folders = (ROOT, ROOT / "src", CODE, ROOT / "docs", beside.parent, ROOT / "tests" / "unit")
    return any((folder / name).exists() or ("*" in name and any(folder.glob(name))) for folder in folders)


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_every_file_that_is_named_is_there(path: Path) -> None:
    text = _prose(path)
    names = {*_PATH.findall(text), *_BACKTICKED_FILE.findall(text), *_DOCUMENT.findall(text)}
    names -= {name for name in names if name.startswith(BUILT)}
    known = (name for name in names if not _PLACEHOLDER.search(Path(name).stem) or _exists(name, path))

    assert [name for name in known if not _exists(name, path)] == []


def _anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for link in _LINK.findall(path.read_text()):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_every_section_that_is_cited_is_there(path: Path) -> None:
    for name, number in _SECTION.findall(_prose(path)):
        document = ROOT / "docs" / name
        assert re.search(rf"^## {number}\. ", document.read_text(), re.MULTILINE), f"{name} section {number}"


# --- tests --------------------------------------------------------------------------------------------------

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
THREATS = re.findall(
    r"^\| (.+?) \| (.+?) \| ?(.*?) ?\|$",
    (ROOT / "docs" / "security.md").read_text().partition("## Threats")[2],
    re.MULTILINE,
)


@cache
def _functions(name: str) -> frozenset[str]:
    tree = ast.parse((ROOT / name).read_text()) if (ROOT / name).exists() else ast.Module([], [])
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_every_test_that_is_named_is_there(path: Path) -> None:
    assert [
        f"{file}::{test}" for file, test in _TEST.findall(path.read_text()) if test not in _functions(file)
    ] == []


@pytest.mark.parametrize(
    ("threat", "defence", "tests"), [row for row in THREATS if row[0] not in {"threat", "---"}]
)
def test_every_threat_has_a_test_or_no_defence(threat: str, defence: str, tests: str) -> None:
    named = _TEST.findall(tests)

    assert named or "**No defence**" in defence, threat
    assert len(named) == tests.count("`") / 2, f"{threat}: a test is named as `file.py::test`"


def test_every_threat_is_read() -> None:
    assert len(THREATS) > 30


# --- make ---------------------------------------------------------------------------------------------------

TARGETS = frozenset(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
_MAKE = re.compile(r"""(?:(?<=[`'"])|^(?:\s*(?:-\s*)?(?:run|entry):)?\s*)make ([a-z]+)\b""", re.MULTILINE)


@pytest.mark.parametrize("path", TEXTS, ids=_name)
def test_every_make_target_that_is_named_is_there(path: Path) -> None:
    assert set(_MAKE.findall(_prose(path))) - TARGETS == set()


def test_every_target_has_its_line_in_the_help_and_no_other_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert set(phony.split()) == TARGETS


# --- names --------------------------------------------------------------------------------------------------

_WORD = re.compile(r"[A-Za-z_]\w*")
_BACKTICKED_NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?:\(\))?`(?!`)")
_OUTSIDE = frozenset(sys.stdlib_module_names) | {
    "ApproximateAgeOfOldestMessage",  # CloudWatch's
    "ru_maxrss",  # the system's
}


@cache
def _vocabulary() -> frozenset[str]:
    """Return every word that the code, not its prose, is made of, and every module's name."""
    words: set[str] = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    for path in MODULES:
        tokens = list(tokenize.generate_tokens(io.StringIO(path.read_text()).readline))
        before = tokenize.NEWLINE
        for token in tokens:
            docstring = token.type == tokenize.STRING and before in {
                tokenize.NEWLINE,
                tokenize.INDENT,
                tokenize.DEDENT,
            }
            if token.type != tokenize.COMMENT and not docstring:
                words |= set(_WORD.findall(token.string))
            if token.type not in {tokenize.NL, tokenize.COMMENT}:
                before = token.type
    for path in OTHERS:
        words |= set(_WORD.findall(path.read_text()))
    return frozenset(words)


_OTHERS_NAMES = frozenset(
    ROOT / name for name in ("docs/kochava-api.md", "events/README.md")
)  # Kochava's, publishers'
_OURS = [path for path in (*DOCUMENTS, *MODULES) if path not in _OTHERS_NAMES]


@pytest.mark.parametrize("path", _OURS, ids=_name)
def test_every_name_in_backticks_is_one_of_the_code(path: Path) -> None:
    names = {name for name in _BACKTICKED_NAME.findall(_prose(path)) if name.partition(".")[0] not in _OUTSIDE}

    assert {name for name in names if not set(name.split(".")) <= _vocabulary()} == set()


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
_PLACES = re.compile(r"`(\w+(?:/\w+)*\.py)`((?:[ ,]*(?:and )?`[A-Za-z_][\w.]*`)*)")


def _defined(path: Path) -> Iterator[str]:
    """Yield the names that a module defines at its top, and those inside its classes, with the class before."""
    for node in ast.parse(path.read_text()).body:
        yield from _names(node)
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for inner in node.body for name in _names(inner))


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case _:
            return []


@pytest.mark.parametrize(("module", "names"), _PLACES.findall(ARCHITECTURE))
def test_the_architecture_names_functions_where_they_are(module: str, names: str) -> None:
    assert set(re.findall(r"`([^`]+)`", names)) - set(_defined(CODE / module)) == set()


def test_the_architecture_names_every_module_that_is_deployed() -> None:
    for path in CODE.rglob("*.py"):
        if path.name != "__init__.py":
            assert re.search(rf"(?<![\w/]){path.name}\b", ARCHITECTURE), path.relative_to(CODE)
