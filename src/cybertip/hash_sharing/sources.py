"""Where NCMEC's lists are. Which of them an organisation may read depends on what NCMEC gave it credentials for."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final, Self
from urllib.parse import urlsplit

import attrs

__all__ = ["SOURCES", "Source"]

_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


def _sound(url: str) -> str:
    """Return an address that credentials may be sent to, spelled without a slash at its end."""
    fault = "the address of a list is https to a host with a plain path (http is for this machine), and nothing more"
    if re.search(r"[^\x21-\x7e]|[\\@?#]", url):
        raise ValueError(fault)
    try:
        parts = urlsplit(url.rstrip("/"))
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(fault) from None
    if not host or not _PATH.fullmatch(parts.path) or parts.scheme not in ("http", "https"):
        raise ValueError(fault)
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError(fault)
    return parts.geturl()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@attrs.frozen(kw_only=True)
class Source:
    """A list that is shared, and its address.

    >>> Source.named("industry").url
    'https://report.cybertip.org/hashsharing'
    >>> Source.named("http://127.0.0.1:8026/hashsharing", list="ours").list
    'ours'
    """

    #: What the list is called here.
    list: str
    #: The address that `/v2/entries` is added to.
    url: str = attrs.field(converter=_sound)

    @classmethod
    def named(cls, text: str, *, list: str | None = None) -> Self:
        """Return the source that a configuration names: one of `SOURCES`, or the address of another.

        Args:
            text: the name or the address.
            list: what the list is called here; an address needs one.
        """
        known = SOURCES.get(text)
        if known is not None:
            return cls(list=list or known.list, url=known.url)
        if "://" not in text:
            raise ValueError(f"a source is an address or one of {', '.join(SOURCES)}")
        if not list:
            raise ValueError("a source that is an address needs a name for its list")
        return cls(list=list, url=text)

    @property
    def is_local(self) -> bool:
        """Tell whether it is on this machine."""
        return _is_loopback(urlsplit(self.url).hostname or "")


def _both(name: str, title: str, production: str, test: str) -> dict[str, Source]:
    return {
        name: Source(list=title, url=production),
        f"{name}-test": Source(list=f"{title} (test)", url=test),
    }


_NPO, _NPO_TEST = "https://hashsharing.ncmec.org", "https://hashsharing-test.ncmec.org"

#: The lists that are known, each with the test environment's beside it. NCMEC's newer pages are under
#: `https://report.cybertip.org/ws-hashsharing`: if it gives you another address, that one counts.
SOURCES: Final[Mapping[str, Source]] = MappingProxyType(
    _both(
        "industry",
        "NCMEC Industry CSAM",
        "https://report.cybertip.org/hashsharing",
        "https://exttest.cybertip.org/hashsharing",
    )
    | _both(
        "industry-exploitative",
        "NCMEC Industry Exploitative",
        "https://report.cybertip.org/exploitative-hashsharing",
        "https://exttest.cybertip.org/exploitative-hashsharing",
    )
    | _both(
        "law-enforcement",
        "NCMEC Law Enforcement CSAM",
        "https://lesp.ncmec.org/csam-hashsharing",
        "https://betalesp.ncmec.org/csam-hashsharing",
    )
    | _both("npo", "NCMEC NPO CSAM", f"{_NPO}/npo", f"{_NPO_TEST}/npo")
    | _both("npo-exploitative", "NCMEC NPO Exploitative", f"{_NPO}/exploitative", f"{_NPO_TEST}/exploitative")
    | _both(
        "npo-generative-ai",
        "NCMEC NPO Generative AI CSAM",
        f"{_NPO}/generative-ai-csam",
        f"{_NPO_TEST}/generative-ai-csam",
    )
    | _both(
        "npo-generative-ai-exploitative",
        "NCMEC NPO Generative AI Exploitative",
        f"{_NPO}/generative-ai-exploitative",
        f"{_NPO_TEST}/generative-ai-exploitative",
    )
)
