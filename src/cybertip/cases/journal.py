"""A case's journal: what was recorded of it, what follows from that, and what is not recorded yet."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from cybertip.cases.case import Case, apply, fold
from cybertip.cases.events import Event, decode, encode
from cybertip.filing.chain import FIRST, Entry, following

__all__ = ["CaseJournal"]


@attrs.frozen(kw_only=True)
class CaseJournal:
    """A case's history as far as it is known, with what follows from it and what is not recorded yet."""

    key: str
    state: Case | None = None
    #: Of the last entry, recorded or not.
    version: int = 0
    digest: str = FIRST
    #: Entries that storage does not have yet.
    pending: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, key: str, entries: Iterable[Entry]) -> "CaseJournal":
        """Fold what was recorded; raise `UnknownEvent` where a newer program wrote it."""
        known = tuple(entries)
        state = fold(key, ((decode(entry.kind, entry.data, key=key), entry.recorded_at) for entry in known))
        if not known:
            return cls(key=key)
        return cls(key=key, state=state, version=known[-1].version, digest=known[-1].digest)

    def then(self, event: Event, at: datetime) -> "CaseJournal":
        """Return the journal with one more event, which is not recorded yet."""
        kind, data = encode(event)
        entry = following(self.key, self.version, self.digest, kind=kind, data=data, at=at)
        return CaseJournal(
            key=self.key,
            state=apply(self.key, self.state, event, at),
            version=entry.version,
            digest=entry.digest,
            pending=(*self.pending, entry),
        )

    def recorded(self) -> "CaseJournal":
        """Return the same journal after storage took what was pending."""
        return attrs.evolve(self, pending=())

    @property
    def case(self) -> Case:
        """What follows from the events; there must be some."""
        assert self.state is not None
        return self.state
