"""A journal that shows whether it was tampered with: each entry carries the digest of the one before it.

An entry's digest is the SHA-256 of the canonical JSON of everything in it, its predecessor's digest included. Altering an
entry breaks its own digest; taking out, adding or reordering entries breaks the chain. What a chain cannot show, a journal
that is missing as a whole or cut at its end, a checkpoint over all heads does.

What an entry means is no business of the chain: submissions and cases are kept in it alike.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from cybertip.filing.manifest import canonical, digest_of

__all__ = ["FIRST", "Entry", "Tampering", "following", "verify"]

#: What stands where a predecessor's digest would.
FIRST = "0" * 64


@attrs.frozen(kw_only=True)
class Entry:
    """One event of a journal, as it is recorded."""

    key: str
    #: From 1, without gaps.
    version: int
    recorded_at: datetime
    #: What happened, as a name and as canonical JSON.
    kind: str
    data: str = attrs.field(repr=False)
    #: The digest of the entry before it, 64 hexadecimal digits; zeros for the first.
    previous: str = attrs.field(repr=False)
    digest: str


def following(key: str, version: int, digest: str, *, kind: str, data: str, at: datetime) -> Entry:
    """Return the entry that follows the one with this version and digest; 0 and `FIRST` where there is none before it.

    Nothing else of the journal is needed, so that a long one can go on without being read.

    >>> from datetime import UTC
    >>> entry = following("case-1", 0, FIRST, kind="noted/1", data="{}", at=datetime(2026, 1, 1, tzinfo=UTC))
    >>> following("case-1", entry.version, entry.digest, kind="noted/1", data="{}", at=entry.recorded_at).version
    2
    """
    return Entry(
        key=key,
        version=version + 1,
        recorded_at=at,
        kind=kind,
        data=data,
        previous=digest,
        digest=_digest(key, version + 1, at, kind, data, digest),
    )


def _digest(key: str, version: int, at: datetime, kind: str, data: str, previous: str) -> str:
    return digest_of(canonical([key, version, at.astimezone(UTC).isoformat(), kind, data, previous]))


@attrs.frozen(kw_only=True)
class Tampering:
    """A place where a journal is not what was written."""

    key: str
    version: int
    what: str

    def __str__(self) -> str:
        return f"{self.key}, entry {self.version}: {self.what}"


def verify(
    key: str, entries: Sequence[Entry], *, version: int | None = None, digest: str | None = None
) -> tuple[Tampering, ...]:
    """Check a journal's chain, and its end against what its head, or a checkpoint, says it is."""
    found: list[Tampering] = []
    previous = FIRST
    for place, entry in enumerate(entries, start=1):
        if entry.version != place:
            what = (
                "is out of order" if entry.version < place else f"comes where entry {place} should be: some are missing"
            )
            found.append(Tampering(key=key, version=entry.version, what=what))
            break
        if entry.previous != previous:
            found.append(Tampering(key=key, version=place, what="does not follow from the entry before it"))
        if entry.digest != _digest(key, place, entry.recorded_at, entry.kind, entry.data, entry.previous):
            found.append(Tampering(key=key, version=place, what="was altered"))
        previous = entry.digest
    if version is not None and not found:
        if len(entries) < version:
            found.append(Tampering(key=key, version=len(entries) + 1, what=f"is missing: there were {version} entries"))
        elif digest is not None and version and entries[version - 1].digest != digest:
            found.append(Tampering(key=key, version=version, what="is another than it was: the journal was forked"))
    return tuple(found)
