"""What names a device: identifiers of a known and of another form, under Kochava's names and others."""

import pytest

from tests.unit.strategies import UUID, Event, changed, problems, sent

BARE = UUID.replace("-", "")
UUID_FORM = "must be a UUID with dashes"
ODD = [  # identifiers of another form than their name's, and what is said when there is nothing better
    ("idfa", "test-idfa", UUID_FORM),
    ("idfa", BARE, UUID_FORM + " (this is a UUID without dashes, or hashed)"),
    ("idfa", UUID + "0", UUID_FORM),
    ("idfv", UUID[1:], UUID_FORM),
    ("idfv", "{" + UUID, UUID_FORM),
    ("adid", "38400000-8cf0-11bd-b23e-10b96e40000g", UUID_FORM),
    ("adid", BARE.lower(), UUID_FORM + " (this is a UUID without dashes, or hashed)"),
    ("android_id", UUID, "must be 1 to 16 hexadecimal digits"),
    ("android_id", "x774d56d682e549c", "must be 1 to 16 hexadecimal digits"),
    ("android_id", "9774d56d682e549c0", "must be 1 to 16 hexadecimal digits"),
    ("imei", "35-693803", "must be digits"),
    ("imei", "0x3569", "must be digits"),
]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, value, _ in ODD])
def test_an_identifier_of_another_form_is_kept_beside_one_that_names_a_device(name: str, value: str) -> None:
    other = {"idfv": UUID} if name == "idfa" else {"idfa": UUID}
    for better in (other, {"our_own": "x"}, {"udid": "x"}):
        device_ids = {name: value} | better
        assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == device_ids
    event = changed({"data.device_ids": {name: value}, "kochava_device_id": "KD1"})
    assert sent(event)["data"]["device_ids"] == {name: value}


@pytest.mark.parametrize("device_id", ["", None, "null", "0000"])
@pytest.mark.parametrize(("name", "value", "wrong"), ODD)
def test_an_identifier_of_another_form_names_no_device_by_itself(
    name: str, value: str, wrong: str, device_id: str | None
) -> None:
    event = changed({"data.device_ids": {name: value}, "kochava_device_id": device_id})
    assert problems(event) == f"data.device_ids.{name}: {wrong}"


def test_all_identifiers_of_another_form_are_named() -> None:
    event = changed({"data.device_ids": {"idfa": "a", "imei": "b", "adid": "null"}})
    assert problems(event) == f"data.device_ids.idfa: {UUID_FORM}; data.device_ids.imei: must be digits"


@pytest.mark.parametrize(
    ("device_ids", "expected"),
    [
        ({"IDFA": UUID}, {"idfa": UUID}),
        ({"Android_Id": "9774d56d682e549c"}, {"android_id": "9774d56d682e549c"}),
        ({"UDID": "fake-roku"}, {"udid": "fake-roku"}),
        ({"Custom": "x"}, {"custom": "x"}),
        ({"IDFA": UUID, "idfa": "test"}, {"IDFA": UUID, "idfa": "test"}),  # which of the two, nobody can tell
        ({"idfa": "test", "IDFA": UUID}, {"IDFA": UUID, "idfa": "test"}),
        ({"IDFA": UUID, "idfa": ""}, {"idfa": UUID}),
        ({"IDFA": UUID, "idfa": None}, {"idfa": UUID}),
        ({"IDFA": UUID, "Idfa": "x"}, {"idfa": UUID, "Idfa": "x"}),
        ({"gaid": UUID}, {"gaid": UUID}),
        ({"Our Own": "x"}, {"Our Own": "x"}),
    ],
)
def test_a_known_name_in_other_letters_is_renamed_unless_both_are_there(
    device_ids: Event, expected: Event
) -> None:
    assert sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"] == expected


def test_a_name_of_blanks_is_none() -> None:
    assert problems(changed({"data.device_ids": {" ": "x"}})) == "data.device_ids.?: an identifier needs a name"
    assert sent(changed({"data.device_ids": {"": "", "udid": "x"}}))["data"]["device_ids"] == {"udid": "x"}


def test_two_names_that_differ_by_blanks_are_one_given_twice() -> None:
    assert (
        problems(changed({"data.device_ids": {"udid": "x", "udid ": "y"}})) == "data.device_ids.?: is given twice"
    )


@pytest.mark.parametrize("name", ["our_own", "udid", "openudid", "oaid", "custom"])
@pytest.mark.parametrize("length", [32, 40, 64])
def test_an_identifier_of_no_known_form_may_look_like_a_digest(name: str, length: int) -> None:
    assert sent(changed({"data.device_ids": {name: "ab" * (length // 2)}}))["data"]["device_ids"]


@pytest.mark.timeout(10)  # comparing each with each takes minutes
def test_a_megabyte_of_identifiers_is_read_at_once() -> None:
    device_ids = {f"Idfa{number:x}": "x" for number in range(60_000)}
    assert len(sent(changed({"data.device_ids": device_ids}))["data"]["device_ids"]) == len(device_ids)
