"""What signs requests and what verifies them, whatever the scheme; and how a request is kept from counting twice.

A signature vouches for bytes: a body is signed as it leaves, and verified as it came, before anybody parses it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

import attrs

from cybertip.errors import CybertipError

__all__ = [
    "GivenHeaders",
    "Headers",
    "Replayed",
    "Seen",
    "Signer",
    "Unverified",
    "Verified",
    "Verifier",
    "compact",
    "headers_named",
    "id_of",
    "refuse_replay",
]

Headers = tuple[tuple[str, str], ...]
#: Headers as web frameworks give them: a mapping, or pairs, of texts or of bytes.
GivenHeaders = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]


class Unverified(CybertipError):
    """A request is not what somebody who is trusted sent now. Answer 401 and do nothing that it asks for."""


class Replayed(Unverified):
    """A request is genuine and came before. Answer a notification as if it were new, and do nothing a second time."""


@attrs.frozen(kw_only=True)
class Verified:
    """What is known of a genuine request."""

    #: The same each time that the request comes: its sender's name for it, or the digest of its body.
    id: str
    #: When it was sent; None where the scheme does not say.
    sent_at: datetime | None
    #: Until when it could come again and still be genuine; None means for ever.
    until: datetime | None


class Signer(Protocol):
    """Sign requests."""

    @property
    def content_type(self) -> str:
        """What the body is labelled as."""
        ...

    def sign(self, body: bytes, *, id: str, at: datetime) -> Headers:
        """Return the headers that vouch for a body.

        Args:
            body: the bytes that are sent.
            id: the same for each attempt to send the same request.
            at: the time of this attempt.
        """
        ...


class Verifier(Protocol):
    """Verify requests."""

    def verify(self, body: bytes, headers: GivenHeaders, *, now: datetime) -> Verified:
        """Return what is known of a request, or raise `Unverified`.

        Args:
            body: the bytes that came, before anybody parsed them.
            headers: the request's headers, in whatever case.
            now: the time of the receiver's clock.
        """
        ...


class Seen(Protocol):
    """Remember requests, so that none counts twice.

    - Of several that add the same id at once, one gets True.
    - An id is remembered until the time that it was added with, or for ever.
    """

    def add(self, id: str, *, until: datetime | None) -> bool:
        """Remember a request; return whether it is new."""
        ...

    def forget(self, id: str) -> None:
        """Forget a request that could not be acted on, so that its sender can try again."""
        ...


def refuse_replay(verified: Verified, seen: Seen) -> None:
    """Raise `Replayed` where a genuine request came before, and remember it otherwise.

    Call it after verifying, never before: else anybody could use up an id. A scheme without times, such as Coop's, has only
    the digest of the body to tell requests by, and a sender that tries again sends the same body: do not refuse by it what
    may be asked twice, such as additional info.
    """
    if not seen.add(verified.id, until=verified.until):
        raise Replayed("the request came before: it was sent again, or somebody recorded it")


def headers_named(headers: GivenHeaders, *names: str) -> tuple[str | None, ...]:
    """Return headers' values, None for one that is not there; raise `Unverified` where one is there several times."""
    pairs: Iterable[tuple[Any, Any]] = headers.items() if isinstance(headers, Mapping) else headers
    found: dict[str, str] = {}
    for key, value in pairs:
        name = _text(key).lower()
        if name in names and name in found:
            raise Unverified(f"the request has several {name} headers, and nobody can tell which one counts")
        found[name] = _text(value)
    return tuple(found.get(name) for name in names)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def id_of(text: str) -> str:
    """Make an id that every scheme takes out of any text, such as a letter's; the same text makes the same id.

    >>> id_of("decision-1/14/preserve")
    'msg_951d81da4f7a11d517f26322dd8b494a23f274b4'
    """
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:40]}"


def compact(value: Any) -> bytes:
    """Spell a body: JSON without white space, its keys sorted, in UTF-8.

    >>> compact({"users": [], "media": []})
    b'{"media":[],"users":[]}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
