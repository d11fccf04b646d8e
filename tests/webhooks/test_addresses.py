"""A request goes where it was meant to go, and nowhere that only we can reach."""

import pytest
from hypothesis import given, strategies as st

from cybertip.webhooks.addresses import LOOPBACK, Address, Guard

PLATFORM = Address.of("https://platform.example/hook")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://platform.example", ("https", "platform.example", 443, "/")),
        ("https://Platform.Example.:8443/a/b?c=d", ("https", "platform.example", 8443, "/a/b?c=d")),
        ("https://192.0.2.1/x", ("https", "192.0.2.1", 443, "/x")),
        ("https://[2001:DB8::1]/x", ("https", "2001:db8::1", 443, "/x")),
        ("http://localhost:8080/x", ("http", "localhost", 8080, "/x")),
        ("http://127.0.0.1/x", ("http", "127.0.0.1", 80, "/x")),
        ("http://[::1]:8080/x", ("http", "::1", 8080, "/x")),
    ],
)
def test_an_address_is_read_in_parts(url: str, parts: tuple[str, str, int, str]) -> None:
    """What is checked is what is connected to: the parts, spelled anew, are the same address."""
    address = Address.of(url)
    assert (address.scheme, address.host, address.port, address.target) == parts
    assert Address.of(address.url) == address


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example/",
        "http://192.0.2.1/",
        "http://localhost.platform.example/",
        "ftp://platform.example/",
        "file:///etc/passwd",
        "//platform.example/",
        "platform.example",
        "https://",
        "https:///x",
        "https://user@platform.example/",
        "https://user:canary@platform.example/",
        "https://platform.example#fragment",
        "https://platform.example\\@intranet/",
        "https://platform.example /",
        "https://platform.example\n/",
        "https://pl\u00e4tform.example/",
        "https://platform.example:0/",
        "https://platform.example:99999/",
        "https://platform.example:canary/",
        "https://platform..example/",
        "https://-platform.example/",
        "https://plat%66orm.example/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.0.0.256/",
        "https://[fe80::1%25eth0]/",
        "https://[::1/",
        "https://" + "a" * 64 + ".example/",
        "https://" + "a." * 130 + "example/",
    ],
)
def test_what_another_reader_could_take_for_another_host_is_refused(url: str) -> None:
    """An address that is plain http, or is spelled in a way that programs disagree on, is refused without repeating it."""
    with pytest.raises(ValueError, match="must") as refused:
        Address.of(url)
    assert "canary" not in str(refused.value)
    assert "platform" not in str(refused.value).replace("https://platform.example/hook", "")


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """No text makes anything but an address that spells itself, or a `ValueError`."""
    for url in (text, f"https://{text}", f"https://platform.example{text}"):
        try:
            address = Address.of(url)
        except ValueError:
            continue
        assert Address.of(address.url) == address
        if url.startswith("https://platform.example/"):
            assert address.host == "platform.example"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("platform.example", True),
        ("a.cdn.example", True),
        ("a.b.cdn.example", True),
        ("cdn.example", False),
        ("xcdn.example", False),
        ("platform.example.attacker.example", False),
        ("sub.platform.example", False),
        ("192.0.2.1", True),
        ("192.0.2.2", False),
    ],
)
def test_only_hosts_on_the_list_are_asked(host: str, allowed: bool) -> None:
    """A name is on the list, or is below one that is there with a star; nothing that only looks like it is."""
    guard = Guard(hosts=["PLATFORM.example", "*.cdn.example", "192.0.2.1"])
    assert (guard.against(Address.of(f"https://{host}/")) is None) == allowed


def test_an_empty_list_allows_nothing() -> None:
    """There is no list that allows everything, and a name alone is no list."""
    assert Guard(hosts=[]).against(PLATFORM) is not None
    with pytest.raises(ValueError, match="must name a host"):
        Guard(hosts=["*"])
    with pytest.raises(TypeError, match="collection"):
        Guard(hosts="platform.example")


@pytest.mark.parametrize(
    "ip",
    [
        "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "100.100.100.200",  # private, carrier's, a metadata service
        "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::",  # this machine
        "169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "168.63.129.16", "192.0.0.192",  # metadata
        "224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1",  # multicast
        "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "2001:db8::1",  # reserved
        "fc00::1", "fd12:3456::1", "fec0::1",  # private, of version 6
        "::ffff:10.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
        "64:ff9b:1::1", "2001:0:a00:1::1",  # version 4 inside version 6
        "not an address", "", "10.0.0.1/8",
    ],
)  # fmt: skip
def test_no_address_that_only_we_can_reach_is_connected_to(ip: str) -> None:
    """Private, loopback, link-local, metadata, multicast and reserved addresses are refused, however they are wrapped."""
    refused = Guard(hosts=["platform.example"]).against_ip(ip, PLATFORM)
    assert refused is not None
    assert not ip or ip not in refused


@pytest.mark.parametrize("ip", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_addresses_are_connected_to(ip: str) -> None:
    """What everybody can reach is allowed."""
    assert Guard(hosts=["platform.example"]).against_ip(ip, PLATFORM) is None


def test_the_host_may_allow_a_network() -> None:
    """A network that is named may be reached, and its neighbours may not."""
    guard = Guard(hosts=["platform.example"], networks=["10.1.0.0/16", *LOOPBACK])
    assert guard.against_ip("10.1.2.3", PLATFORM) is None
    assert guard.against_ip("::ffff:10.1.2.3", PLATFORM) is None
    assert guard.against_ip("10.2.0.1", PLATFORM) is not None
    assert guard.against_ip("127.0.0.1", PLATFORM) is None
    assert guard.against_ip("::1", PLATFORM) is None


def test_plain_http_never_leaves_the_machine() -> None:
    """Whatever a resolver says of localhost, and whatever is allowed: what is not encrypted stays here."""
    local = Address.of("http://localhost:8080/")
    guard = Guard(hosts=["localhost"], networks=["0.0.0.0/0", "::/0"])
    assert guard.against_ip("127.0.0.1", local) is None
    assert guard.against_ip("8.8.8.8", local) is not None
    assert guard.against_ip("10.0.0.1", local) is not None


def test_a_target_is_not_shown() -> None:
    """A path or a query may hold a secret: it is in no repr."""
    assert "canary" not in repr(Address.of("https://platform.example/canary?token=canary"))
