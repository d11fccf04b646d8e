"""Which addresses a request may go to: guards against being sent to where only we can reach (SSRF).

A name is checked before it is looked up, and what it stands for is checked after, by whoever connects to just that address.
"""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

import attrs

__all__ = ["LOOPBACK", "Address", "Guard"]

_IP = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")

#: Networks of this machine, for those who allow them: `Guard(hosts=..., networks=LOOPBACK)`.
LOOPBACK = ("127.0.0.0/8", "::1/128")

#: Where a cloud tells a machine its secrets, as far as these are not private addresses anyway.
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "169.254.169.254", "fd00:ec2::254")))

#: What is not public, by IANA's registries of special-purpose addresses. Python's own `is_global` follows them, and each
#: release of Python another state of them.
_SPECIAL_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_SPECIAL_6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
#: Addresses of version 4 inside addresses of version 6, which gateways take out again.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@attrs.frozen(kw_only=True)
class Address:
    """Where a request goes, in parts that were checked, so that no other reader of a URL can see another host in it.

    >>> Address.of("https://platform.example/hook?tenant=7")
    Address(scheme='https', host='platform.example', port=443)
    >>> Address.of("http://platform.example/hook")
    Traceback (most recent call last):
    ValueError: must be https, unless it is on this machine (localhost, 127.0.0.1 or ::1)
    """

    scheme: str
    #: A name in lower case, or an address without brackets.
    host: str
    port: int
    #: The path with the query, which may hold a secret.
    target: str = attrs.field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Address":
        """Return the address that a URL stands for; raise `ValueError`, which does not repeat it, where it is none."""
        if not isinstance(url, str):
            raise TypeError("an address is given as text, such as https://platform.example/hook")
        if re.search(r"[^\x21-\x7e]|\\", url):
            raise ValueError("must be a URL without spaces or other unusual characters")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise ValueError("must be a URL, such as https://platform.example/hook") from None
        if parts.scheme not in _PORTS or not host:
            raise ValueError("must be a URL that begins with https:// and names a host")
        if "@" in parts.netloc or "#" in url:
            raise ValueError("must be a URL without user and without fragment")
        if port == 0:
            raise ValueError("must have a port from 1 to 65535, or none")
        host = _host(host)
        if parts.scheme == "http" and not _is_of_this_machine(host):
            raise ValueError("must be https, unless it is on this machine (localhost, 127.0.0.1 or ::1)")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme], target=target)

    @property
    def url(self) -> str:
        """The URL, spelled anew from its parts."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"


def _host(text: str) -> str:
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    name = text.lower().removesuffix(".")
    if not _NAME.fullmatch(name) or len(name) > 253:
        raise ValueError("must name a host in plain letters (an international name in its xn-- form)")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", name.rpartition(".")[2]):
        # Some resolvers take 127.1, 0x7f000001 and 2130706433 for addresses.
        raise ValueError("must name a host, or an address in its usual form")
    return name


def _is_of_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _networks(given: Collection[str]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(one) for one in given)


def _hosts(given: Collection[str]) -> frozenset[str]:
    if isinstance(given, str):
        raise TypeError("hosts must be a collection of names, not one text")
    return frozenset(f"*.{_host(one[2:])}" if one.startswith("*.") else _host(one) for one in given)


@attrs.frozen(kw_only=True)
class Guard:
    """Say where requests may go.

    Args:
        hosts: the names, or the addresses, that may be asked for; `*.cdn.example` stands for every name below it. There is
            no way to allow all of them.
        networks: networks that may be reached although they are not public, such as `10.1.0.0/16` or those of `LOOPBACK`.

    >>> guard = Guard(hosts=["platform.example"])
    >>> guard.against(Address.of("https://intranet.example/"))
    'the host is not on the list of those that are allowed'
    >>> guard.against_ip("169.254.169.254", Address.of("https://platform.example/"))
    'the host stands for a metadata service'
    >>> guard.against_ip("8.8.8.8", Address.of("https://platform.example/")) is None
    True
    """

    hosts: frozenset[str] = attrs.field(converter=_hosts)
    networks: tuple[_Network, ...] = attrs.field(default=(), converter=_networks)

    def against(self, address: Address) -> str | None:
        """Say what speaks against an address before its host is looked up; None if nothing does."""
        names = {address.host}
        above = address.host
        while "." in above:
            above = above.partition(".")[2]
            names.add(f"*.{above}")
        return None if names & self.hosts else "the host is not on the list of those that are allowed"

    def against_ip(self, ip: str, address: Address) -> str | None:
        """Say what speaks against connecting to what a host was found to stand for; None if nothing does."""
        try:
            found = _plain(ipaddress.ip_address(ip))
        except ValueError:
            return "the host stands for something that is no address"
        if address.scheme == "http" and not found.is_loopback:
            return "the host was to be on this machine, and is not: only https may leave it"
        if any(found in network for network in self.networks):
            return None
        kind = _kind(found)
        return None if kind is None else f"the host stands for {kind}"


def _plain(ip: _IP) -> _IP:
    """Return the address of version 4 that one of version 6 leads to."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def _kind(ip: _IP) -> str | None:
    """Name what an address is, unless it is a public one."""
    if ip in _METADATA:
        return "a metadata service"
    if ip.is_loopback:
        return "a loopback address"
    if ip.is_link_local:
        return "a link-local address"
    if ip.is_multicast:
        return "a multicast address"
    if isinstance(ip, ipaddress.IPv4Address):
        public = not any(ip in network for network in _SPECIAL_4)
    else:
        public = ip in _UNICAST_6 and not any(ip in network for network in _SPECIAL_6)
    return None if public else "an address that is not public"
