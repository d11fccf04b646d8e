"""Where a signal is: recorded when it comes in, and then brought to one case, whatever crashes on the way.

```
received -> placing (which case) -> placed
received -> unresolved -> placing ...
```

A signal has a journal of its own, and a case another; no transaction spans both. So the case that is meant is recorded
first, then the signal joins it, then that is noted. Who finds a signal on its way looks into that case: if the signal is not
in it and the case was decided, which shuts its door for ever, the signal can safely go elsewhere. So it is in one case, and
never in two.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import attrs

from cybertip.cases.checking import checks, identifier, instance
from cybertip.cases.references import CaseId, UserRef
from cybertip.cases.signals import Signal, converter
from cybertip.errors import UnknownEvent
from cybertip.filing.chain import FIRST, Entry, following
from cybertip.filing.manifest import canonical

__all__ = ["Event", "Place", "Placed", "Placing", "Received", "SignalJournal", "Unresolved", "decode", "encode"]


class Place(StrEnum):
    """Where a signal is."""

    #: It is recorded, and on its way.
    RECEIVED = "received"
    #: Nobody could say so far who made what it is about: it is shown until somebody does.
    UNRESOLVED = "unresolved"
    #: It is to join a case.
    PLACING = "placing"
    #: It is in its case.
    PLACED = "placed"


def _signal(value: object) -> str | None:
    return None if isinstance(value, Signal.__args__) else "must be a signal"


@attrs.frozen(kw_only=True)
class Received:
    """A signal came in."""

    organisation: str = attrs.field(validator=identifier)
    signal: Signal = attrs.field(validator=checks("type", _signal))


@attrs.frozen(kw_only=True)
class Unresolved:
    """Nobody could say so far who made what it is about."""


@attrs.frozen(kw_only=True)
class Placing:
    """It is to join a case."""

    case: CaseId = attrs.field(validator=identifier)
    #: Who made what it is about.
    user: UserRef = attrs.field(validator=instance(UserRef))


@attrs.frozen(kw_only=True)
class Placed:
    """It is in that case."""

    case: CaseId = attrs.field(validator=identifier)


Event = Received | Unresolved | Placing | Placed

_KINDS: dict[str, type[Any]] = {f"signal.{kind.__name__.lower()}/1": kind for kind in Event.__args__}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> tuple[str, str]:
    """Return an event as the name of its kind and canonical JSON.

    >>> encode(Placed(case=CaseId("case/0123/000001")))
    ('signal.placed/1', '{"case":"case/0123/000001"}')
    """
    return _NAMES[type(event)], canonical(converter().unstructure(event))


def decode(kind: str, data: str, *, key: str = "") -> Event:
    """Read an event; raise `UnknownEvent` for a kind, a version or a field that this program does not know."""
    known = _KINDS.get(kind)
    if known is None:
        raise UnknownEvent(f"it has an event of kind {kind!r}, which a newer program wrote; it is held", key=key)
    try:
        return cast(Event, converter().structure(json.loads(data), known))
    except Exception:
        # Without the cause, which would quote what could not be read.
        raise UnknownEvent(f"its event of kind {kind!r} cannot be read; it is held", key=key) from None


@attrs.frozen(kw_only=True)
class SignalJournal:
    """A signal's history, with what follows from it and what is not recorded yet."""

    key: str
    received: Received | None = None
    received_at: datetime | None = None
    place: Place = Place.RECEIVED
    #: The case that it is in, or is to join; and about whom that is.
    case: CaseId | None = None
    user: UserRef | None = None
    version: int = 0
    digest: str = FIRST
    pending: tuple[Entry, ...] = ()

    @classmethod
    def of(cls, key: str, entries: Iterable[Entry]) -> "SignalJournal":
        """Fold what was recorded; raise `UnknownEvent` for what this program cannot have written."""
        journal = cls(key=key)
        for entry in entries:
            event = decode(entry.kind, entry.data, key=key)
            journal = attrs.evolve(journal._after(event, entry.recorded_at), version=entry.version, digest=entry.digest)
        return journal

    def then(self, event: Event, at: datetime) -> "SignalJournal":
        """Return the journal with one more event, which is not recorded yet."""
        kind, data = encode(event)
        entry = following(self.key, self.version, self.digest, kind=kind, data=data, at=at)
        return attrs.evolve(
            self._after(event, at), version=entry.version, digest=entry.digest, pending=(*self.pending, entry)
        )

    def recorded(self) -> "SignalJournal":
        """Return the same journal after storage took what was pending."""
        return attrs.evolve(self, pending=())

    @property
    def signal(self) -> Signal:
        """What came in; there must be something."""
        assert self.received is not None
        return self.received.signal

    def _after(self, event: Event, at: datetime) -> "SignalJournal":
        begins = isinstance(event, Received)
        if begins is not (self.received is None) or self.place is Place.PLACED:
            raise UnknownEvent(
                "its journal cannot have been written by this program: a signal comes in once, and ends in a case",
                key=self.key,
            )
        match event:
            case Received():
                return attrs.evolve(self, received=event, received_at=at)
            case Unresolved():
                return attrs.evolve(self, place=Place.UNRESOLVED)
            case Placing():
                return attrs.evolve(self, place=Place.PLACING, case=event.case, user=event.user)
            case Placed():
                if event.case != self.case:
                    raise UnknownEvent("it was placed in another case than the one that was meant", key=self.key)
                return attrs.evolve(self, place=Place.PLACED)
