"""The checks, each by a program that reaches no network. Each returns what it found, a line for each finding.

Exceptions stand where they are needed, with the reason: in the template's metadata, or beside the line of code.
A check that looked at nothing has found that.
"""

import json
import platform
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from forwarder_tools.processes import ROOT, ToolError, base_environment, tool
from tests.cloudformation import Json

SECONDS = 300

DEPLOYED_CODE, TOOLS = "src/kochava_forwarder", "src/forwarder_tools"
STARTS_PROGRAMS = ("B404", "B603")
"""The tools start the project's own programs, with argument lists of their own. What is deployed starts none."""

GUARD = "node_modules/@cdklabs/cdk-validator-cfnguard"
"""Holds cfn-guard, and AWS's proactive controls of Control Tower as rules for it."""

OWN_RULES = ROOT / "tests" / "security" / "own.guard"

GUARD_SYSTEMS = {"Linux": "ubuntu", "Darwin": "macos"}
GUARD_PROCESSORS = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}

LOCKS = ("uv.lock", "package-lock.json", ".svg")
"""Ends of names of files that programs write, all hashes and figures."""

NO_SECRETS = {
    r"^(old-|new-)?test(-(api-|new-)?(key|value).*)?$": "says itself that it is for tests",
    r"^(bench|a-value-of-the-payload|secret-of-the-shell|secret)$": "the same",
    r"^(kochava|production)/[a-z]+$": "the name of a secret",
    r"^(AccessDeniedException|GetSecretValue)$": "words of AWS",
    r"^changeit$": "the password that Java gives to files of public certificates",
    r"\.py` `": "a path in the documents",
    r"^[a-z]+( [a-z]+){3,}$": "a sentence",
    r"(?i)^(900150983cd24fb0d6963f7d28e17f72|a9993e364706816aba3e25717850c26c9cd0d89d)$": "MD5 and SHA-1 of abc",
    r"(?i)^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad$": "SHA-256 of abc",
    r"^(9774d56d682e549c|9b2cf535f27731c9)$": "Android ids of emulators, in public documents",
    r"^6f6f3242e28eef9d3e971b631ab230b4970a50f6c1a36a8f678bfbf87822191c$": "a signature made with a test key",
    r"^(eyJhY3Rpb24iO|H4sIA)[A-Za-z0-9+/]+=*$": "a sample's body in base64: an action, or gzip",
    r"^c2cf1996819a6b936ccba3e8b7b7e595$": "the MD5 of a sample's body",
}
"""Values that look like secrets to detect-secrets, and what they are."""

ELSEWHERE = """
    Artifactory AzureStorageKey Cloudant DiscordBotToken GitLabToken IbmCloudIam IbmCosHmac IPPublic Mailchimp
    OpenAI SendGrid Slack Softlayer SquareOAuth Stripe TelegramBotToken TwilioKey
"""
"""Services that nobody here has an account with. Each detector takes time for each line: these are left out."""

MD5_OF_A_BODY = '"md5OfBody":'


def unsafe_code(folder: Path, *, allowed: Sequence[str] = ()) -> list[str]:
    """Look at Python code with bandit.

    Args:
        folder: where the code is.
        allowed: bandit's tests that are left out.
    """
    skips = ["--skip", ",".join(allowed)] if allowed else []
    report = _json(tool("security", "bin", "bandit"), "--quiet", "--recursive", *skips, "--format", "json", folder)
    looked = report["metrics"]["_totals"]["loc"] > 0
    return [
        *_nothing("bandit", folder, looked=looked),
        *(f"bandit: {error['filename']}: {error['reason']}" for error in report["errors"]),
        *(
            f"bandit: {found['filename']}:{found['line_number']}: {found['test_id']} {found['issue_text']}"
            for found in report["results"]
        ),
    ]


def secrets(folder: Path, files: Iterable[Path]) -> list[str]:
    """Look for secrets and what looks like them with detect-secrets.

    Args:
        folder: where the files are.
        files: their paths in it.
    """
    looked = [path for path in files if not path.name.endswith(LOCKS)]
    if not looked:
        return list(_nothing("detect-secrets", "files", looked=False))
    excluded = [option for pattern in NO_SECRETS for option in ("--exclude-secrets", pattern)]
    disabled = [option for name in ELSEWHERE.split() for option in ("--disable-plugin", f"{name}Detector")]
    options = ["--no-verify", "--all-files", "--exclude-lines", MD5_OF_A_BODY, *excluded, *disabled]
    report = _json(tool("secrets", "bin", "detect-secrets"), "scan", *options, *looked, folder=folder)
    return [
        f"detect-secrets: {found['filename']}:{found['line_number']}: {found['type']}"
        for path in report["results"].values()
        for found in path
    ]


def open_template(templates: Sequence[Path]) -> list[str]:
    """Look at templates with checkov. Exceptions: `Metadata: { checkov: { skip: ... } }` of a resource."""
    files = [option for template in templates for option in ("--file", str(template))]
    options = ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact", "--output", "json"]
    report = _json(tool("security", "bin", "checkov"), *options, *files)
    results = report.get("results", {})
    summary = report.get("summary", {})
    looked = summary.get("passed", 0) + summary.get("failed", 0) > 0 and not summary["parsing_errors"]
    return [
        *_nothing("checkov", "what is deployed", looked=looked),
        *(
            f"checkov: {Path(found['file_path']).stem}: {found['resource']}: "
            f"{found['check_id']} {found['check_name']}"
            for found in results.get("failed_checks", [])
        ),
    ]


def forbidden_template(templates: Sequence[Path]) -> list[str]:
    """Look at templates with cfn-guard.

    Exceptions: `Metadata: { guard: { SuppressedRules: ... } }` of a resource.
    """
    return [finding for template in templates for finding in _forbidden(template)]


def _forbidden(template: Path) -> Iterator[str]:
    resources = json.loads(template.read_text())["Resources"]
    options = ["--show-summary", "none", "--output-format", "json", "--structured"]
    rules = ("--rules", tool("guard", GUARD, "rules", "control-tower", "cfn-guard"), "--rules", OWN_RULES)
    (report,) = _json(_guard(), "validate", "--data", template, *rules, *options)
    yield from _nothing("cfn-guard", template.stem, looked=bool(report["compliant"]))
    for broken in report["not_compliant"]:
        rule = broken["Rule"]["name"]
        for name in sorted(set(re.findall(r'"path": "/Resources/(\w+)', json.dumps(broken)))) or ["?"]:
            metadata = resources.get(name, {}).get("Metadata", {})
            if rule not in metadata.get("guard", {}).get("SuppressedRules", []):
                yield f"cfn-guard: {template.stem}: {name}: {rule}"


def _guard() -> Path:
    system, processor = platform.system(), platform.machine().lower()
    if system not in GUARD_SYSTEMS or processor not in GUARD_PROCESSORS:
        raise ToolError(f"cfn-guard: there is none for {system} on {processor}")
    return tool("guard", GUARD, "bin", GUARD_SYSTEMS[system], GUARD_PROCESSORS[processor], "cfn-guard")


def _nothing(program: str, what: object, *, looked: bool) -> Iterator[str]:
    if not looked:
        yield f"{program}: looked at nothing of {what}"


def _json(*arguments: str | Path, folder: Path = ROOT) -> Json:
    """Return what a program prints; that it found something is no failure of it."""
    name = Path(arguments[0]).name
    environment = base_environment()
    try:
        done = subprocess.run(
            arguments, capture_output=True, text=True, env=environment, cwd=folder, timeout=SECONDS, check=False
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{name} was not done after {SECONDS} s") from None
    except ValueError:
        raise ToolError(f"{name} ended with status {done.returncode}: {done.stderr}") from None
