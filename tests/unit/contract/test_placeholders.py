"""What names nobody, and what only looks like it."""

import pytest

from tests.unit.strategies import (
    UUID,
    ZERO_UUID,
    changed,
    problems,
    sent,
)

# What names nobody: zeros, and what programs print for a value that they do not have.
NOBODY = [
    *("", " ", "\t\n", "0", "0000000000000000", ZERO_UUID, "00:00:00:00:00:00", "00000000000000000000000000", "-"),
    *(
        "null",
        "NULL",
        " null ",
        "undefined",
        "Undefined",
        "none",
        "None",
        "nil",
        "NaN",
        "(null)",
        "unknown",
        "N/A",
    ),
    *("n/a", "(not set)", '"null"', "[object Object]", "02:00:00:00:00:00", "02-00-00-00-00-00", "020000000000"),
    *(
        "__IDFA__",
        "%%ADVERTISING_IDENTIFIER_PLAIN%%",
        "%idfa%",
        "$USER_ID",
        "[idfa]",
        "[device_id]",
        "\\N",
        "#N/A",
    ),
    *("<null>", "<idfa>", "<>", "{}", "{idfa}", "{{idfa}}", "${IDFA}", "#{device.idfa}", "{" + UUID + "}"),
]


@pytest.mark.parametrize("nobody", NOBODY)
def test_an_identifier_that_names_nobody_is_left_out(nobody: str) -> None:
    device_ids = {"idfa": nobody, "mac": nobody, "rida": "fake-roku"}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"rida": "fake-roku"}
    assert sent(changed({"kochava_device_id": nobody}))["kochava_device_id"] == ""
    event = changed({"data.device_ids": {"our_own": nobody}, "kochava_device_id": nobody})
    assert problems(event) == "data.device_ids: names no device, and kochava_device_id neither"


@pytest.mark.parametrize(
    "somebody", ["null-7", "nobody", "Unknown Soldier", "x0", "{a} b", "<a", "00a0", "n.a.", "undefined1"]
)
def test_what_only_resembles_a_placeholder_is_a_name(somebody: str) -> None:
    event = changed({"data.device_ids": {"our_own": somebody}, "kochava_device_id": somebody})
    assert sent(event)["data"]["device_ids"] == {"our_own": somebody}
    assert sent(event)["kochava_device_id"] == somebody


@pytest.mark.parametrize("nobody", ["", " ", "0", ZERO_UUID, "00:00:00:00:00:00", "0000000000000000"])
def test_identifiers_that_identify_nobody_are_dropped(nobody: str) -> None:
    device_ids = {"idfa": nobody, "mac": nobody, "rida": "fake-roku"}
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == {"rida": "fake-roku"}
