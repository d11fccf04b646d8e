"""Storage that is watched: whatever is recorded or sent without the right to it is a flaw."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from cybertip.filing.events import Intended, decode
from cybertip.ports.storage import Claim, Entry, Head, Letter, Storage
from cybertip.testing.simulation.history import Flaw

__all__ = ["Ledger"]


class Ledger:
    """Pass everything on to a storage, and know who has the claim on what.

    Its methods are those of `cybertip.ports.storage.Storage`; what is not watched goes straight through.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        #: The token of the present claim, by submission.
        self._present: dict[str, str | None] = {}
        #: The call that was intended last, by the token of the claim, until it is made.
        self._intended: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def append(
        self,
        entries: Sequence[Entry],
        head: Head,
        *,
        expected: int,
        claim: Claim | None = None,
        letters: Sequence[Letter] = (),
    ) -> None:
        self._storage.append(entries, head, expected=expected, claim=claim, letters=letters)
        for entry in entries:
            event = decode(entry.kind, entry.data) if entry.kind.startswith("intended/") else None
            if isinstance(event, Intended):
                if claim is None or claim.token != self._present.get(head.key):
                    raise Flaw(f"{head.key}: an intent was recorded without the claim")
                self._intended[claim.token] = event.call
        if head.due_at is None:
            self._present[head.key] = None

    def claim(self, key: str, *, token: str, now: datetime, until: datetime) -> Claim | None:
        claim = self._storage.claim(key, token=token, now=now, until=until)
        if claim is not None:
            self._present[key] = claim.token
        return claim

    def claim_due(
        self, *, token: str, now: datetime, until: datetime, limit: int, lanes: Collection[str] | None = None
    ) -> tuple[tuple[Head, Claim], ...]:
        claimed = self._storage.claim_due(token=token, now=now, until=until, limit=limit, lanes=lanes)
        self._present |= {claim.key: claim.token for _, claim in claimed}
        return claimed

    def release(self, claim: Claim) -> None:
        self._storage.release(claim)
        if self._present.get(claim.key) == claim.token:
            self._present[claim.key] = None

    def expects(self, claim: Claim, call: str) -> None:
        """Raise `Flaw` unless the holder of a claim, which it may have lost by now, has just recorded that it would call."""
        if self._intended.pop(claim.token, None) != call:
            raise Flaw(f"{claim.key}: /{call} is being sent, and was not intended on disk")
