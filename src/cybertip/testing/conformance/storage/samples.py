"""Made-up journals."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cybertip.errors import Conflict
from cybertip.ports.storage import Claim, Entry, Head, Letter, Storage
from cybertip.testing.conformance.running import at_once

__all__ = ["NOW", "at", "at_once", "begin", "claimed", "entries", "go_on", "head", "letter", "made_up", "tried", "wins"]

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """Return the time so many seconds after `NOW`."""
    return NOW + timedelta(seconds=seconds)


def _digest(key: str, version: int) -> str:
    return hashlib.sha256(f"{key}/{version}".encode()).hexdigest() if version else "0" * 64


def entries(key: str, *versions: int, data: str = '{"a":1}') -> tuple[Entry, ...]:
    """Return entries of a journal; each was recorded a microsecond after the one before."""
    return tuple(
        Entry(
            key=key,
            version=version,
            recorded_at=NOW + timedelta(microseconds=version),
            kind="noted",
            data=data,
            previous=_digest(key, version - 1),
            digest=_digest(key, version),
        )
        for version in versions
    )


def head(key: str, version: int, *, due_at: datetime | None = NOW, **more: Any) -> Head:
    """Return a head that goes with an entry."""
    return Head(key=key, version=version, digest=_digest(key, version), **{"status": "open", "due_at": due_at, **more})


def letter(id: str, *, due_at: datetime = NOW, topic: str = "news", key: str = "a") -> Letter:
    return Letter(id=id, key=key, topic=topic, data='{"b":2}', due_at=due_at)


def begin(storage: Storage, key: str, *, letters: Sequence[Letter] = (), **more: Any) -> Head:
    """Begin a journal with one entry."""
    new = head(key, 1, **more)
    storage.append(entries(key, 1), new, expected=0, letters=letters)
    return new


def go_on(storage: Storage, key: str, version: int, *, claim: Claim | None = None, **more: Any) -> Head:
    """Append one entry."""
    new = head(key, version, **more)
    storage.append(entries(key, version), new, expected=version - 1, claim=claim)
    return new


def tried(storage: Storage, key: str, worker: str = "second", *, now: float = 0, until: float = 60) -> Claim | None:
    """Try to claim a submission; the worker's name is the token."""
    return storage.claim(key, token=worker, now=at(now), until=at(until))


def claimed(storage: Storage, key: str, worker: str = "first", *, now: float = 0, until: float = 60) -> Claim:
    """Claim a submission that can be claimed."""
    claim = tried(storage, key, worker, now=now, until=until)
    assert claim is not None, "it could not be claimed"
    return claim


def made_up(key: str, worker: str = "nobody") -> Claim:
    """Return a claim that no storage ever gave."""
    return Claim(key=key, token=worker, until=at(60))


def wins(outcomes: Sequence[object]) -> int:
    """Count who got through; whoever did not got a `Conflict` and nothing else."""
    failures = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    for failure in failures:
        if not isinstance(failure, Conflict):
            raise failure
    return len(outcomes) - len(failures)
