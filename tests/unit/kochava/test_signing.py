from kochava_forwarder.kochava.signing import Credentials, auth_token, headers

# The known answer of Kochava's rule, computed with openssl.
CREDENTIALS = Credentials("test-api-key", "test-app-secret")
PAYLOAD = (
    rb'{"action":"event","kochava_app_id":"kotest-app-1","kochava_device_id":"KD0001","data":{"usertime":1521574016,'
    rb'"device_ua":"Mozilla\/5.0","origination_ip":"203.0.113.7","device_ver":"",'
    rb'"device_ids":{"idfa":"07F5A855-1375-4E51-9F15-0EFD4E5C84F4"},"event_name":"Purchase","currency":"USD",'
    rb'"event_data":{"price":9.99}}}'
)
TOKEN = "6f6f3242e28eef9d3e971b631ab230b4970a50f6c1a36a8f678bfbf87822191c"


def test_the_known_answer() -> None:
    assert len(PAYLOAD) == 314
    assert auth_token(PAYLOAD, CREDENTIALS) == TOKEN


def test_the_headers_are_two_whole_lines() -> None:
    assert headers(PAYLOAD, CREDENTIALS).decode() == (
        f"Kochava-Api-Key: test-api-key\r\nKochava-Auth-Token: {TOKEN}\r\n"
    )


def test_credentials_do_not_show() -> None:
    assert "test-a" not in repr(CREDENTIALS)
