"""The forms of an address: what is sent of each."""

import pytest

from tests.unit.strategies import changed, sent


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\n", "203.0.113.7"),
        ("203.0.113.7:52544", "203.0.113.7"),
        ("203.0.113.7:0", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        (" [2001:db8::1] ", "2001:db8::1"),
        ("2001:db8::1:443", "2001:db8::1:443"),  # an address as it stands
        ("2001:DB8:0:0::1", "2001:DB8:0:0::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
        ("/203.0.113.7", "203.0.113.7"),  # Java's InetAddress
        ("/203.0.113.7:52544", "203.0.113.7"),
        ("/[2001:db8::1]:443", "2001:db8::1"),
        ("/2001:db8:0:0:0:0:0:1", "2001:db8:0:0:0:0:0:1"),
        ("203.0.113.7/32", "203.0.113.7"),  # PostgreSQL's inet
        ("2001:db8::1/128", "2001:db8::1"),
        ("::ffff:0.0.0.0", ""),
        ("0.0.0.0", ""),  # noqa: S104 - nothing listens there
        ("0.0.0.0:80", ""),
        ("::", ""),
        ("0:0:0:0:0:0:0:0", ""),
        ("[::]", ""),
        ("", ""),
        (" ", ""),
        (None, ""),
        ("unknown", ""),
        ("null", ""),
        ("-", ""),
        ("<ip>", ""),
    ],
)
def test_an_address_is_sent_alone_and_in_its_own_family(given: str | None, expected: str) -> None:
    assert sent(changed({"data.origination_ip": given}))["data"]["origination_ip"] == expected
