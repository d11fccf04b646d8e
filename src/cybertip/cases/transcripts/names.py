"""File names that are safe wherever a file may be unpacked, and tell one conversation from another."""

import hashlib
import re

__all__ = ["file_name"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
#: What Windows takes for a device, whatever follows it.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_LONGEST = 80
#: How a name ends that was given a digest: nobody can choose an identifier that has another's name.
_DIGESTED = re.compile(r".*-[0-9a-f]{8}", re.DOTALL)


def file_name(identifier: str, suffix: str) -> str:
    """Return a file name made of an identifier, such as a thread's.

    Letters, digits, `-` and `_` stay. Where anything had to change, or where letters could be taken for their capitals, a
    few digits of a digest keep apart what would otherwise have the same name.

    >>> file_name("thread-7", ".csv")
    'thread-7.csv'
    >>> file_name("../Mallory: C:\\\\aux", ".csv")
    'Mallory_C_aux-cf39d631.csv'
    """
    plain = _UNSAFE.sub("_", identifier).strip("_-")[:_LONGEST]
    changed = not plain or plain != identifier or plain != plain.lower()
    if changed or _DEVICE.fullmatch(plain) or _DIGESTED.fullmatch(plain):
        digest = hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        plain = f"{plain or 'unnamed'}-{digest}"
    return plain + suffix
