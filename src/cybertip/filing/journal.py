"""A journal that shows whether it was tampered with: each entry carries the digest of the one before it.

An entry's digest is the SHA-256 of the canonical JSON of everything in it, its predecessor's digest included. Altering an
entry breaks its own digest; taking out, adding or reordering entries breaks the chain. What a chain cannot show, a journal
that is missing as a whole or cut at its end, a checkpoint over all heads does.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import attrs

from cybertip.filing.decision import Status, status_of
from cybertip.filing.events import Event, decode, encode
from cybertip.filing.manifest import canonical, digest_of
from cybertip.filing.submission import Submission, apply

__all__ = ["FIRST", "Entry", "Journal", "Tampering", "verify"]

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


def _digest(key: str, version: int, at: datetime, kind: str, data: str, previous: str) -> str:
    return digest_of(canonical([key, version, at.astimezone(UTC).isoformat(), kind, data, previous]))


@attrs.frozen(kw_only=True)
class Journal:
    """A submission's history as far as it is known, with what follows from it and what is not recorded yet."""

    key: str
    state: Submission | None = None
    #: Of the last entry, recorded or not.
    version: int = 0
    digest: str = FIRST
    #: Entries that storage does not have yet.
    pending: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, key: str, entries: Iterable[Entry]) -> "Journal":
        """Fold what was recorded; raise `UnknownEvent` where a newer program wrote it."""
        state: Submission | None = None
        version, digest = 0, FIRST
        for entry in entries:
            state = apply(key, state, decode(entry.kind, entry.data, key=key), entry.recorded_at)
            version, digest = entry.version, entry.digest
        return cls(key=key, state=state, version=version, digest=digest)

    def then(self, event: Event, at: datetime) -> "Journal":
        """Return the journal with one more event, which is not recorded yet."""
        kind, data = encode(event)
        version = self.version + 1
        digest = _digest(self.key, version, at, kind, data, self.digest)
        entry = Entry(
            key=self.key, version=version, recorded_at=at, kind=kind, data=data, previous=self.digest, digest=digest
        )
        return Journal(
            key=self.key,
            state=apply(self.key, self.state, event, at),
            version=version,
            digest=digest,
            pending=(*self.pending, entry),
        )

    def recorded(self) -> "Journal":
        """Return the same journal after storage took what was pending."""
        return attrs.evolve(self, pending=())

    @property
    def submission(self) -> Submission:
        """What follows from the events; there must be some."""
        assert self.state is not None
        return self.state

    @property
    def status(self) -> Status:
        """Where the submission stands."""
        return status_of(self.submission)


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
