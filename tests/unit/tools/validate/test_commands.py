"""The command line of `kochava-forwarder validate`: what it reads, prints and ends with."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from forwarder_tools.processes import ROOT
from forwarder_tools.samples import expectations, sample_name, sample_paths
from forwarder_tools.validate.commands import validate
from forwarder_tools.validate.options import OPTIONS
from kochava_forwarder.contract.event import parse_event
from kochava_forwarder.contract.user_agent import DeviceUaEncoding
from kochava_forwarder.kochava.payload import encode_payload
from kochava_forwarder.settings import Settings
from tests.unit.strategies import FULL, GONE, MINIMAL, SENT_AT, UUID, Event, changed

TIMED = changed({"data.usertime": SENT_AT})
VALID = changed({"data.device_ver": "Fake-Fake-1"}, TIMED)
ODD = changed({"data.event_name": "Purchased"}, VALID)
WRONG = changed({"data.event_data": {"campaign": "secret-value"}}, VALID)


def _run(*arguments: str, given: str | bytes = "") -> Result:
    return CliRunner(mix_stderr=False).invoke(validate, arguments, given, standalone_mode=False)


def _lines(*events: Event | str) -> str:
    return "".join(f"{event if isinstance(event, str) else json.dumps(event)}\n" for event in events)


def _status(*arguments: str, given: str | bytes = "") -> int:
    status: int = _run(*arguments, given=given).return_value
    return status


# --- verdicts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sample_paths(), ids=sample_name)
def test_a_sample_has_the_verdict_that_is_expected_of_it(path: Path) -> None:
    done = _run("--json", str(path))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    expected = expectations()[sample_name(path)]

    assert [event["valid"] for event in found] == [row.outcome != "invalid" for row in expected]
    assert [event["record"] for event in found] == list(range(len(expected)))
    for event, row in zip(found, expected, strict=True):
        said = "; ".join(f"{problem['path']}: {problem['problem']}" for problem in event["problems"])
        assert all(mention in said for mention in row.mentions if row.outcome == "invalid")
    assert done.return_value == any(row.outcome == "invalid" for row in expected)


@pytest.mark.parametrize(
    ("events", "arguments", "status"),
    [
        ([VALID], [], 0),
        ([VALID, ODD], [], 0),
        ([VALID, ODD], ["--strict"], 1),
        ([VALID], ["--strict"], 0),
        ([VALID, WRONG, VALID], [], 1),
        ([VALID, WRONG, VALID], ["--json"], 1),
        ([VALID, WRONG, VALID], ["--wire"], 1),
    ],
)
def test_the_status_says_whether_all_are_valid(events: list[Event], arguments: list[str], status: int) -> None:
    assert _status(*arguments, "-", given=_lines(*events)) == status


def test_each_problem_is_a_line_and_the_summary_is_on_stderr(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(_lines(VALID, "", WRONG, ODD))
    done = _run(str(path))

    doubt = 'event_name_near_standard: Kochava counts it as another event; did you mean "Purchase"?'
    assert done.stdout.splitlines() == [
        f"{path}:3: data.event_data.campaign: is reserved by Kochava; give it another name",
        f"{path}:4: warning: {doubt}",
    ]
    assert done.stderr == "3 events: 2 valid, 1 with warnings, 1 invalid\n"


def test_no_value_is_shown() -> None:
    personal = changed(
        {"data.device_ids": {"idfa": "jane@mail.example"}, "data.origination_ip": "secret-address"}, WRONG
    )
    for arguments in ([], ["--json"]):
        done = _run(*arguments, "-", given=_lines(personal, changed({"event_id": GONE}, FULL), WRONG))
        for value in ("jane", "secret", "203.0.113.7", "9774d56d682e549c", "KD0001"):
            assert value not in done.stdout + done.stderr


# --- files --------------------------------------------------------------------------------------------------


def test_several_files_are_one_check(tmp_path: Path) -> None:
    for name, event in {"a": VALID, "b": WRONG}.items():
        (tmp_path / name).write_text(json.dumps(event, indent=2))
    done = _run(str(tmp_path / "a"), "-", str(tmp_path / "b"), given=_lines(ODD))

    assert [line.split(" ")[0] for line in done.stdout.splitlines()] == ["-:1:", f"{tmp_path / 'b'}:1:"]
    assert done.stderr == "3 events: 2 valid, 1 with warnings, 1 invalid\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file or directory: give a file that can be read, or - for stdin"),
        (b"", "has no events: give it one a line, or an SQS event"),
        (b"\n \n", "has no events: give it one a line, or an SQS event"),
        (b"\x1f\x8b\x08\x00", "is compressed: unpack it, as in `gunzip -c FILE | kochava-forwarder validate -`"),
        (
            b"\x28\xb5\x2f\xfd\x24",
            "is compressed: unpack it, as in `zstd -dc FILE | kochava-forwarder validate -`",
        ),
        (json.dumps(VALID).encode("utf-16"), "is UTF-16: save it as UTF-8"),
        (json.dumps(VALID).encode("utf-16-be"), "is UTF-16: save it as UTF-8"),
        (json.dumps(VALID).encode("utf-16-le"), "is UTF-16: save it as UTF-8"),
    ],
)
def test_a_file_without_events_is_named_and_others_are_still_read(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "events.jsonl"
    if content is not None:
        path.write_bytes(content)
    done = _run(str(path), "-", given=_lines(WRONG))

    assert done.return_value == 2
    assert done.stderr == f"{path}: {said}\n1 event: 0 valid, 0 with warnings, 1 invalid\n"
    assert done.stdout.startswith("-:1: data.event_data.campaign: ")


def test_of_an_unknown_action_only_that_is_said() -> None:
    link = {**TIMED, "action": "linkIdentity", "data": {"identity_link": {"app_userid": "u-1"}}}
    assert _run("-", given=_lines(link)).stdout.splitlines() == [
        "-:1: action: must be 'event', 'install', 'update' or 'identityLink'; send one of these, or leave it out"
    ]


def test_what_is_not_utf_8_is_a_problem_of_its_event() -> None:
    given = _lines(VALID).encode() + _lines(changed({"data.event_name": "Été"}, VALID)).encode().replace(
        b"\\u00c9", b"\xc9"
    )
    done = _run("-", given=given)
    assert done.stdout.startswith("-:2: data.event_name: is not valid Unicode; ")
    assert done.stderr == "2 events: 1 valid, 0 with warnings, 1 invalid\n"


def test_a_byte_order_mark_counts_for_nothing() -> None:
    sample = (ROOT / "events" / "purchase.json").read_bytes()
    assert _status("-", given=b"\xef\xbb\xbf" + sample) == 0


@pytest.mark.parametrize(
    "arguments", [[], ["--json", "--wire", "-"], ["--device-ua-encoding", "x", "-"], ["--fly"]]
)
def test_a_wrong_use_is_one(arguments: list[str]) -> None:
    done = CliRunner(mix_stderr=False).invoke(validate, arguments)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("Error: ")


# --- settings -----------------------------------------------------------------------------------------------


NAMELESS = changed({"kochava_app_id": GONE}, VALID)


@pytest.mark.parametrize(("app_id", "status"), [(" kodefault ", 0), ("", 1), (" ", 1)])
def test_the_app_id_is_that_of_events_that_name_none(app_id: str, status: int) -> None:
    done = _run("--app-id", app_id, "--wire", "-", given=_lines(NAMELESS))
    assert done.return_value == status
    assert ('"kochava_app_id":"kodefault"' in done.stdout) == (status == 0)
    assert ("kochava_app_id: is missing" in done.stderr) == (status == 1)


CHILD = changed(
    {
        "data.device_limit_tracking": True,
        "data.event_name": "order_done",
        "data.event_data": {"user_name": "x", "sum": 1},
        "data.device_ids": {"idfa": UUID, "custom": "fake-0001"},
    },
    VALID,
)


@pytest.mark.parametrize(
    ("option", "value", "place", "expected"),
    [
        ("--device-ua-encoding", "raw", "device_ua", "Mozilla/5.0 (Fake)"),
        ("--event-names", "order_done=Purchase", "event_name", "Purchase"),
        ("--origination-ip-precision", "network", "origination_ip", "203.0.113.0"),
        ("--advertising-ids", "consented", "device_ids", {"custom": "fake-0001"}),
        ("--dropped-parameters", "user_name", "event_data", {"sum": 1}),
    ],
)
def test_each_setting_changes_what_is_sent(option: str, value: str, place: str, expected: object) -> None:
    default = json.loads(_run("--wire", "-", given=_lines(CHILD)).stdout)["data"]
    given = json.loads(_run("--wire", option, value, "-", given=_lines(CHILD)).stdout)["data"]
    assert given == {**default, place: expected}
    assert default[place] != expected


def test_what_is_sent_has_no_advertising_id_without_consent() -> None:
    everywhere = {"kochava_device_id": UUID, "data.gaid": UUID, "data.event_data.idfa": UUID}
    given = _lines(changed(everywhere, CHILD))
    assert UUID in _run("--wire", "-", given=given).stdout
    done = _run("--wire", "--advertising-ids", "consented", "-", given=given)
    assert done.return_value == 0
    assert UUID not in done.stdout


def test_every_setting_is_an_option_or_says_nothing_of_events() -> None:
    names = {field.alias for field in Settings.model_fields.values()}
    assert OPTIONS.keys() <= names
    assert names - OPTIONS.keys() == {
        *("KOCHAVA_ENDPOINT", "DEAD_LETTER_QUEUE_URL", "REFUSAL_QUEUE_ARN", "MAX_WORKERS"),
        *("REQUEST_TIMEOUT_SECONDS", "KOCHAVA_SECRET_ID", "RETRY_HORIZON_SECONDS", "AMBIGUOUS_DELIVERY"),
        *("DEDUPLICATION_TABLE", "DEDUPLICATION_WINDOW_SECONDS"),
    }


def test_what_the_settings_refuse_is_a_problem() -> None:
    nameless = changed({"data.device_ids": {"idfa": UUID}}, CHILD)
    done = _run("--advertising-ids", "consented", "-", given=_lines(nameless))
    assert done.stdout.startswith("-:1: body: names its device by advertising ids only, ")


def test_a_name_is_doubted_under_which_it_is_sent() -> None:
    purchased = changed({"data.event_name": "Purchased"}, VALID)
    assert _run("--event-names", "Purchased=Purchase", "-", given=_lines(purchased)).stdout == ""


def test_a_setting_that_the_function_refuses_is_a_wrong_use() -> None:
    done = CliRunner(mix_stderr=False).invoke(validate, ["--event-names", "a", "-"])
    assert done.exit_code == 2
    assert "Error: --event-names: must be names such as order_done=Purchase" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "encoding"),
    [
        ([], DeviceUaEncoding.PERCENT),
        (["--device-ua-encoding", "percent"], DeviceUaEncoding.PERCENT),
        (["--device-ua-encoding", "raw"], DeviceUaEncoding.RAW),
    ],
)
def test_the_wire_has_the_bytes_that_kochava_gets(arguments: list[str], encoding: DeviceUaEncoding) -> None:
    events = [FULL, WRONG, VALID]
    done = _run("--wire", *arguments, "-", given=_lines(*events))
    sent = [
        encode_payload(parse_event(json.dumps(event), sent_at=SENT_AT, default_app_id=None), encoding)
        for event in (FULL, VALID)
    ]

    assert done.stdout_bytes == b"".join(payload + b"\n" for payload in sent)
    assert "-:2: data.event_data.campaign: is reserved by Kochava; give it another name\n" in done.stderr


def test_an_event_without_a_time_is_of_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: SENT_AT + 0.9)
    done = _run("--wire", "-", given=_lines(MINIMAL))
    assert json.loads(done.stdout)["data"]["usertime"] == SENT_AT


# --- as a program -------------------------------------------------------------------------------------------


PROGRAM = [sys.executable, "-m", "forwarder_tools", "validate"]


def _environment(home: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT / "src"), "HOME": str(home), "COLUMNS": "80", "LC_ALL": "C"}


def test_it_reads_an_event_as_its_line_comes(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "--json", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(tmp_path),
    ) as program:
        assert program.stdin
        assert program.stdout
        for number in (1, 2):
            program.stdin.write(_lines(VALID))
            program.stdin.flush()
            assert json.loads(program.stdout.readline())["line"] == number
        _, summary = program.communicate(timeout=60)
    assert (program.returncode, summary) == (0, "2 events: 2 valid, 0 with warnings, 0 invalid\n")


def test_it_ends_quietly_when_nobody_reads_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(_lines(VALID) * 2000)
    with subprocess.Popen(
        [*PROGRAM, "--json", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(tmp_path)
    ) as program:
        assert program.stdout
        assert program.stderr
        program.stdout.readline()
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 1


def test_lines_are_whole_at_80_columns(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "-"],
        input=_lines(WRONG),
        capture_output=True,
        text=True,
        check=False,
        env=_environment(tmp_path),
    )
    assert done.stdout == "-:1: data.event_data.campaign: is reserved by Kochava; give it another name\n"
    assert done.returncode == 1


def test_it_imports_nothing_of_aws(tmp_path: Path) -> None:
    code = """
import sys
from forwarder_tools.cli import main
main(["validate", "-"])
print({"boto3", "botocore", "rich"} & {*sys.modules})
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=_lines(VALID),
        capture_output=True,
        text=True,
        check=True,
        env=_environment(tmp_path),
    )
    assert done.stdout.endswith("set()\n")


# --- the documents ------------------------------------------------------------------------------------------


def test_the_documented_example_is_what_it_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = (ROOT / "docs" / "events.md").read_text()
    [section] = re.findall(r"^## Check events before.*?(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)
    [command, printed] = re.findall(r"```(?:sh|text)\n(.*?)```", section, re.DOTALL)
    misspelt = {**changed({"data.event_name": GONE}, VALID), "kochava_appid": "kotest-app-1"}
    near = changed({"data.event_name": "Add to Wishlist"}, VALID)
    (tmp_path / "events.jsonl").write_text(_lines(VALID, misspelt, near))
    monkeypatch.chdir(tmp_path)

    done = _run(*command.split()[2:])
    assert done.stdout + done.stderr == printed
