"""Where to file: NCMEC's test or production address, or a double on this machine. There is no default."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import urlsplit

from cybertip.protocol.endpoints import Endpoint

__all__ = ["Environment"]

_NCMEC = {
    "test": "https://exttest.cybertip.org/ispws",
    "production": "https://report.cybertip.org/ispws",
}
_SANDBOX = "sandbox"
_PATH = "/ispws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Say where reports go. An integration that NCMEC has not approved may cost an organisation its credentials, so the
    choice is always spelled out: `Environment.TEST`, `Environment.PRODUCTION`, or `Environment.sandbox(url)`.

    No other address can be made: a report can only go to NCMEC or to this machine. Clause: NCMEC, section 1 (access).

    >>> Environment.TEST.url
    'https://exttest.cybertip.org/ispws'
    >>> Environment.sandbox("http://127.0.0.1:8025").url
    'http://127.0.0.1:8025/ispws'
    """

    name: str
    url: str

    #: NCMEC's test system, which discards what it is sent.
    TEST: ClassVar["Environment"]
    #: NCMEC's real system: a report finished here is filed with law enforcement.
    PRODUCTION: ClassVar["Environment"]

    def __post_init__(self) -> None:
        sound = _loopback(self.url) if self.name == _SANDBOX else _NCMEC.get(self.name)
        if sound is None or sound != self.url:
            raise ValueError("an environment is Environment.TEST, Environment.PRODUCTION or Environment.sandbox(url)")

    def __str__(self) -> str:
        return self.name if self.name != _SANDBOX else f"{self.name} {self.url}"

    @classmethod
    def sandbox(cls, url: str) -> "Environment":
        """Return the environment of a double of NCMEC that runs on this machine.

        `url` is http or https to 127.0.0.0/8, ::1 or localhost, with a port where needed; `/ispws` is added where it has
        no path. Raises `ValueError` for any other host, so that a test cannot send anything anywhere.
        """
        return cls(name=_SANDBOX, url=_loopback(url))

    @classmethod
    def named(cls, text: str) -> "Environment":
        """Return the environment that a configuration names: `test`, `production`, or the URL of a double.

        >>> Environment.named("test") is Environment.TEST
        True
        """
        if not isinstance(text, str):
            raise TypeError("an environment is named by text: test, production or a loopback URL")
        if "://" in text:
            return cls.sandbox(text)
        for known in (cls.TEST, cls.PRODUCTION):
            if known.name == text:
                return known
        raise ValueError("an environment is named test, production or by a loopback URL, such as http://127.0.0.1:8025")

    @property
    def is_sandbox(self) -> bool:
        """Tell whether this is a double on this machine."""
        return self.name == _SANDBOX

    def address(self, endpoint: Endpoint) -> str:
        """Return the URL of an endpoint.

        >>> Environment.TEST.address(Endpoint.FILE_INFO)
        'https://exttest.cybertip.org/ispws/fileinfo'
        """
        return self.url + endpoint.path


def _loopback(url: str) -> str:
    """Return a URL spelled anew from parts that were checked, so that no other reader can see another host in it."""
    if not isinstance(url, str):
        raise TypeError("the address of a sandbox must be text, such as http://127.0.0.1:8025")
    fault = "the address of a sandbox must be http or https to 127.0.0.1, ::1 or localhost"
    if re.search(r"[^\x21-\x7e]|\\", url):
        raise ValueError(f"{fault}, without spaces or other unusual characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(fault) from None
    if parts.scheme not in ("http", "https") or host is None or not _is_loopback(host):
        raise ValueError(fault)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError(f"{fault}, without user, query or fragment")
    path = parts.path.rstrip("/") or _PATH
    if not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", path):
        raise ValueError(f"{fault}, with a plain path")
    spelled = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{spelled}{'' if port is None else f':{port}'}{path}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback and "%" not in host
    except ValueError:
        return False


Environment.TEST = Environment(name="test", url=_NCMEC["test"])
Environment.PRODUCTION = Environment(name="production", url=_NCMEC["production"])
