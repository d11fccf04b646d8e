"""The history of a submission, and what follows from it; `cybertip.filing.chain` says how its entries hold together."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from cybertip.filing.chain import FIRST, Entry, following
from cybertip.filing.decision import Status, status_of
from cybertip.filing.events import Event, decode, encode
from cybertip.filing.submission import Submission, apply

__all__ = ["Journal"]


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
        entry = following(self.key, self.version, self.digest, kind=kind, data=data, at=at)
        return Journal(
            key=self.key,
            state=apply(self.key, self.state, event, at),
            version=entry.version,
            digest=entry.digest,
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
