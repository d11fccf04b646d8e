"""What a URL, an email address, an IP address and a phone number must be."""

import ipaddress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from cybertip.rules.values import is_blank, is_email, is_ip, is_past, is_url, repeats_calling_code


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com",
        "a@b",
        '"a b"@example.com',
        "a@[192.0.2.1]",
        "jörg@example.com",
        "a@exämple.com",
        "o'brien+tag@mail.example.com",
        "x" * 64 + "@example.com",
        "用户@例子.example",
    ],
)
def test_an_address_that_a_user_may_have_is_an_email(text: str) -> None:
    """No real address keeps a report from being filed."""
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "@b",
        "a.example.com",
        "a b@example.com",
        " a@example.com",
        "a@example.com ",
        "a@example.com\n",
        "a@b@c",
        "Sam <a@example.com>",
        "a@example.com, b@example.com",
        "a(comment)@example.com",
        "group:a@example.com;",
        "a..b@example.com",
        "a@b..c",
        "a@.b",
        "a\x00@example.com",
        "(",
        '"',
        '"@',
        '"a@example.com',
        "[",
        "a@[",
    ],
)
def test_what_is_not_one_bare_address_is_no_email(text: str) -> None:
    """Names, lists, comments and half addresses are refused."""
    assert not is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "HTTP://EXAMPLE.COM/a b".replace(" ", "%20"),
        "https://münchen.example/",
        "http://[2001:db8::1]:8080/x",
        "http://192.0.2.1/",
        "ftp://example.com/x",
        "mailto:a@example.com",
        "magnet:?xt=urn:x",
        "http://exampleonion.onion/x",
    ],
)
def test_an_absolute_address_is_a_url(text: str) -> None:
    """Addresses of any scheme pass, whatever their host is called."""
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "/a/b", "//example.com", "http://", "http:///x", "https://example.com/a b", "http://[::1/",
     "http://example.com:99999/", "http://example.com:x/", "http://example.com:0/", "http:", "1http://example.com", "x"],
)  # fmt: skip
def test_what_does_not_lead_anywhere_is_no_url(text: str) -> None:
    """Relative, broken and empty addresses are refused."""
    assert not is_url(text)


@pytest.mark.parametrize("text", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "::", "255.255.255.255"])
def test_both_versions_are_ip_addresses(text: str) -> None:
    """Version 4, version 6, and 4 mapped into 6."""
    assert is_ip(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "192.0.2.256",
        "192.0.2",
        "192.0.2.1/24",
        "192.0.2.1:80",
        "fe80::1%eth0",
        " 192.0.2.1",
        "01.2.3.4",
        "1",
        "::g",
    ],
)
def test_what_is_no_address_is_no_ip(text: str) -> None:
    """Networks, ports, zones and white space do not belong to an address."""
    assert not is_ip(text)


@given(
    st.lists(
        st.sampled_from(["0", "1", "9", "10", "99", "199", "249", "255", "256", "01", "00", "", "1\n", "\u0661"]),
        min_size=3,
        max_size=5,
    ).map(".".join)
)
def test_the_quick_way_to_an_address_is_that_of_the_library(text: str) -> None:
    """What is told by a glance is an address of version 4 by the standard library's word, and nothing else is."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        assert not is_ip(text)
    else:
        assert is_ip(text)


@pytest.mark.parametrize(
    ("number", "code", "repeats"),
    [
        ("555 0100", "+1", False),
        ("+1 555 0100", "+1", True),
        ("(+1) 555 0100", "+1", True),
        ("001 555 0100", "+1", True),
        ("1 555 0100", "+1", False),
        ("+44 20 0000 0000", "+44", True),
        ("20 0000 0000", "+44", False),
        ("+44 20 0000 0000", "+49", False),
    ],
)
def test_a_calling_code_stands_once(number: str, code: str, repeats: bool) -> None:
    """A number that repeats its code behind + or 00 is found; a number that merely begins alike is not."""
    assert repeats_calling_code(number, code) is repeats


def test_the_past_ends_now() -> None:
    """A time is past before now and not at now; a day is past when it is over, in UTC."""
    now = datetime(2025, 6, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert is_past(now - timedelta(microseconds=1), now)
    assert not is_past(now, now)
    assert is_past(datetime(2025, 5, 31, 22, 29, tzinfo=UTC), now)
    assert is_past(date(2025, 5, 30), now)
    assert not is_past(date(2025, 5, 31), now)


def test_white_space_is_blank() -> None:
    """Spaces of any kind say nothing."""
    assert is_blank(" \t\u00a0\u3000")
    assert not is_blank(" x ")
