import pytest

from forwarder_tools.sandbox import Credentials

CREDENTIALS = Credentials("test-api-key", "test-app-secret")

BODY = (
    rb'{"action":"event","kochava_app_id":"kotest-app-1","kochava_device_id":"KD0001","data":{"usertime":1521574016,'
    rb'"device_ua":"Mozilla\/5.0","origination_ip":"203.0.113.7","device_ver":"",'
    rb'"device_ids":{"idfa":"07F5A855-1375-4E51-9F15-0EFD4E5C84F4"},"event_name":"Purchase","currency":"USD",'
    rb'"event_data":{"price":9.99}}}'
)
TOKEN = "6f6f3242e28eef9d3e971b631ab230b4970a50f6c1a36a8f678bfbf87822191c"


def test_the_known_answer() -> None:
    assert len(BODY) == 314
    assert CREDENTIALS.token(BODY) == TOKEN


def test_a_right_signature_has_no_problems() -> None:
    headers = [("kochava-api-key", "test-api-key"), ("kochava-auth-token", TOKEN)]
    assert list(CREDENTIALS.problems(headers, BODY)) == []


@pytest.mark.parametrize(
    ("headers", "body", "problems"),
    [
        ([], BODY, ["Kochava-Api-Key: must be sent once", "Kochava-Auth-Token: must be sent once"]),
        (
            [("kochava-api-key", "test-other-key"), ("kochava-auth-token", TOKEN)],
            BODY,
            ["Kochava-Api-Key: does not match"],
        ),
        (
            [("kochava-api-key", "test-api-key"), ("kochava-auth-token", TOKEN.upper())],
            BODY,
            ["Kochava-Auth-Token: does not match"],
        ),
        (
            [("kochava-api-key", "test-api-key"), ("kochava-auth-token", TOKEN)],
            BODY.replace(rb"\/", b"/"),
            ["Kochava-Auth-Token: does not match"],
        ),
        (
            [("kochava-api-key", "test-api-key"), *[("kochava-auth-token", TOKEN)] * 2],
            BODY,
            ["Kochava-Auth-Token: must be sent once"],
        ),
        (
            [("kochava-api-key", "test-api-key"), ("kochava-auth-token", "\xe9")],
            BODY,
            ["Kochava-Auth-Token: does not match"],
        ),
    ],
)
def test_wrong_signatures(headers: list[tuple[str, str]], body: bytes, problems: list[str]) -> None:
    assert list(CREDENTIALS.problems(headers, body)) == problems


def test_the_secret_is_not_shown() -> None:
    assert "test-app-secret" not in repr(CREDENTIALS)
