"""Tests of single values: what a URL, an address or a length must be. None of them looks anything up."""

import ipaddress
import re
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from cybertip.model import State

__all__ = ["US_STATES", "is_blank", "is_email", "is_ip", "is_past", "is_url", "repeats_calling_code"]

#: Two letters each; the XSD's empty word is none.
US_STATES = frozenset(str(state) for state in State) - {""}

#: A scheme of one letter is the drive of a path, and one with a dot, or before a port, is a host.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+-]+:(?![0-9]+(?:/|$))(.+)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: As the standard library reads them, at a tenth of its cost: most addresses are such.
_VERSION_4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
#: Far more than the documented length, which is a rule of its own; the parser's time grows faster than its text.
_LONGEST = 1000
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_WHITE_OR_CONTROL = re.compile(r"[\s\x00-\x1f\x7f]")
#: Schemes whose addresses are useless without a host.
_WITH_HOST = frozenset({"ftp", "ftps", "http", "https", "ws", "wss"})


def is_blank(text: str) -> bool:
    """Tell whether a text has nothing to read in it."""
    return not text.strip()


def is_past(value: date | datetime, now: datetime) -> bool:
    """Tell whether a time, or the whole of a day (in UTC), is over."""
    return value < now if isinstance(value, datetime) else value < now.astimezone(UTC).date()


def is_ip(text: str) -> bool:
    """Tell whether a text is an IP address: version 4, version 6, or 4 mapped into 6; no prefix, port or zone."""
    if _VERSION_4.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def is_url(text: str) -> bool:
    """Tell whether a text is an absolute URL; a web address must name a host."""
    rest = _SCHEME.fullmatch(text)
    if rest is None or _WHITE_OR_CONTROL.search(text):
        return False
    try:
        parts = urlsplit(text)
        # The port is only looked at when it is asked for.
        return parts.scheme not in _WITH_HOST or (bool(parts.hostname) and (parts.port is None or parts.port > 0))
    except ValueError:
        return False


def is_email(text: str) -> bool:
    """Tell whether a text is one bare email address of RFC 5322 or 6531, and nothing around it.

    The standard library's parser decides. It is lenient about domains, and so are we: an address that a user really had
    must not keep a report from being filed.
    """
    from email.headerregistry import Address

    if len(text) > _LONGEST or _WHITE_OR_CONTROL.search(text.rpartition("@")[2]) or _CONTROL.search(text):
        return False
    # RFC 6531 allows any character beyond ASCII where RFC 5322 allows a letter; the parser knows the older one.
    plain = _BEYOND_ASCII.sub("x", text)
    try:
        parsed = Address(addr_spec=plain)
    except Exception:
        # The parser means HeaderParseError, and trips over some texts that are no address: an open bracket, many of them.
        return False
    # What the parser drops or unfolds, such as a comment, was not part of a bare address.
    return bool(parsed.username and parsed.domain) and parsed.addr_spec == plain


def repeats_calling_code(number: str, calling_code: str) -> bool:
    """Tell whether a phone number begins with the calling code that stands beside it, after `+` or `00`."""
    digits = re.sub(r"[\s().-]", "", number)
    return digits.startswith((calling_code, f"00{calling_code[1:]}"))
