"""Everything that follows from what happened to a case: the fold of its events."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs

from cybertip.cases.decisions import Decision, Dismissed, View
from cybertip.cases.events import (
    PRESERVATION,
    Approved,
    Blocked,
    Claimed,
    Decided,
    Delayed,
    Enriched,
    Environment,
    Event,
    Filed,
    Joined,
    MediaKept,
    MediaMissing,
    Notified,
    Opened,
    Overdue,
    Preserved,
    Released,
    Reported,
    Retracted,
    Retried,
    Returned,
    Routed,
    Viewed,
)
from cybertip.cases.references import CaseId, ItemRef, ReviewerId, SignalId, ThreadId, UserRef
from cybertip.cases.review import faults
from cybertip.cases.routing import Destination
from cybertip.cases.signals import HashMatched, KnownMatch, Media, Signal
from cybertip.cases.stages import BEFORE_FILING, TRANSITIONS, Stage
from cybertip.errors import UnknownEvent
from cybertip.model import ReportId

__all__ = [
    "Case",
    "apply",
    "fold",
    "status_when_joined",
]


#: From the least urgent to the most.
_URGENCY = (Destination.NOTED, Destination.TRIAGE, Destination.REVIEW)


@attrs.define(kw_only=True)
class _Collected:
    """What a case collects. It grows in place while a journal is folded, so that 10,000 signals cost 10,000 steps."""

    signals: dict[SignalId, Signal] = attrs.Factory(dict)
    media: dict[ItemRef, Media] = attrs.Factory(dict)
    named_at: dict[ItemRef, datetime] = attrs.Factory(dict)
    kept: dict[ItemRef, MediaKept] = attrs.Factory(dict)
    missing: dict[ItemRef, str] = attrs.Factory(dict)
    # Sets that remember their order.
    matches: dict[KnownMatch, None] = attrs.Factory(dict)
    views: dict[View, None] = attrs.Factory(dict)
    threads: dict[ThreadId, None] = attrs.Factory(dict)
    victims: dict[UserRef, None] = attrs.Factory(dict)
    recipients: dict[UserRef, None] = attrs.Factory(dict)

    def copied(self) -> "_Collected":
        return _Collected(**{field.name: dict(getattr(self, field.name)) for field in attrs.fields(_Collected)})

    def join(self, signal: Signal, at: datetime) -> None:
        """Take a signal in. Of a file that several signals name, the first says where it is."""
        self.signals[signal.id] = signal
        for one in signal.media:
            self.media.setdefault(one.ref, one)
            self.named_at.setdefault(one.ref, at)
        if isinstance(signal, HashMatched):
            self.matches.update(dict.fromkeys(signal.matches))
        self.threads.update(dict.fromkeys(signal.threads))
        self.victims.update(dict.fromkeys(signal.victims))
        self.recipients.update(dict.fromkeys(signal.recipients))


@attrs.frozen(kw_only=True)
class Case:
    """Everything that follows from the events so far."""

    key: str
    organisation: str
    user: UserRef
    environment: Environment
    opened_at: datetime
    predecessor: CaseId | None = attrs.field(default=None, repr=False)
    stage: Stage = Stage.OPEN
    #: Where the signals, or a person, sent it.
    destination: Destination = Destination.NOTED
    queue: str | None = None
    priority: int = 0
    #: Who took it last, and until when.
    claim: Claimed | None = attrs.field(default=None, repr=False)
    #: Whether signals joined after that: whoever has it has not seen them.
    unseen: bool = False
    decision: Decision | Dismissed | None = attrs.field(default=None, repr=False)
    decided_at: datetime | None = None
    decided_by: ReviewerId | None = attrs.field(default=None, repr=False)
    approved_by: ReviewerId | None = attrs.field(default=None, repr=False)
    enriched: Enriched | None = attrs.field(default=None, repr=False)
    #: Why the filing cannot be made.
    reasons: tuple[str, ...] = ()
    #: Why it has to wait, as long as it does.
    delay: str | None = None
    #: What the host could not be told so far, although it was tried time and again, and why.
    overdue: Mapping[str, str] = attrs.field(factory=dict)
    #: What the host was told.
    notified: frozenset[str] = frozenset()
    filed: Filed | None = None
    filed_at: datetime | None = None
    report_id: ReportId | None = None
    preserved: bool = False
    _collected: _Collected = attrs.field(factory=_Collected, repr=False, alias="collected")

    @property
    def signals(self) -> Mapping[SignalId, Signal]:
        """Its signals, each once, in the order in which they came."""
        return self._collected.signals

    @property
    def media(self) -> Mapping[ItemRef, Media]:
        """Every file that its signals name."""
        return self._collected.media

    @property
    def named_at(self) -> Mapping[ItemRef, datetime]:
        """When each file was first named here."""
        return self._collected.named_at

    @property
    def matches(self) -> tuple[KnownMatch, ...]:
        """What matched known material, which says nothing about who has looked at it."""
        return tuple(self._collected.matches)

    @property
    def kept(self) -> Mapping[ItemRef, MediaKept]:
        """The files whose bytes are preserved."""
        return self._collected.kept

    @property
    def missing(self) -> Mapping[ItemRef, str]:
        """The files that cannot be had any more, and why."""
        return self._collected.missing

    @property
    def threads(self) -> tuple[ThreadId, ...]:
        """The conversations that its signals are about."""
        return tuple(self._collected.threads)

    @property
    def victims(self) -> tuple[UserRef, ...]:
        """Whom it was done to, as far as signals tell."""
        return tuple(self._collected.victims)

    @property
    def recipients(self) -> tuple[UserRef, ...]:
        """For whom it was meant, as far as signals tell."""
        return tuple(self._collected.recipients)

    @property
    def views(self) -> tuple[View, ...]:
        """Every record of somebody looking at something."""
        return tuple(self._collected.views)

    def views_of(self, media: ItemRef) -> tuple[View, ...]:
        """Return who looked at the bytes that are kept of a file: there is no other way to say that it was viewed."""
        kept = self.kept.get(media)
        return () if kept is None else tuple(view for view in self._collected.views if view.sha256 == kept.sha256)

    def claim_at(self, now: datetime) -> Claimed | None:
        """Return who has the case at a time: a claim lapses by itself."""
        return self.claim if self.claim is not None and now < self.claim.until else None

    @property
    def status(self) -> str:
        """Where it stands, in a word. A claim that has lapsed stands in it until somebody else claims, or gives it up."""
        if self.stage is not Stage.OPEN:
            return str(self.stage)
        return "claimed" if self.claim is not None else str(self.destination)


def status_when_joined(status: str, to: Destination) -> str:
    """Return a case's status after a signal joined, from its status alone: its journal need not be read for it.

    >>> status_when_joined("triage", Destination.REVIEW), status_when_joined("claimed", Destination.REVIEW)
    ('review', 'claimed')
    """
    return str(_more_urgent(Destination(status), to)) if status in set(Destination) else status


def _more_urgent(one: Destination, other: Destination) -> Destination:
    return max(one, other, key=_URGENCY.index)


# -- the fold -------------------------------------------------------------------------------------------------------------


def fold(key: str, history: Iterable[tuple[Event, datetime]]) -> Case | None:
    """Return what follows from events and the times of their recording; None follows from none."""
    case: Case | None = None
    for event, at in history:
        case = _apply(key, case, event, at)
    return case


def apply(key: str, case: Case | None, event: Event, at: datetime) -> Case:
    """Return the case after one more event; raise `UnknownEvent` where it cannot have happened."""
    return _apply(key, None if case is None else _copied(case), event, at)


def _copied(case: Case) -> Case:
    return attrs.evolve(case, collected=case._collected.copied())


def _apply(key: str, case: Case | None, event: Event, at: datetime) -> Case:
    """Apply an event; what the case has collected grows in place."""
    if case is None:
        if not isinstance(event, Opened):
            raise _impossible(key, "it does not begin with its opening")
        return Case(
            key=key,
            organisation=event.organisation,
            user=event.user,
            environment=event.environment,
            opened_at=at,
            predecessor=event.predecessor,
        )
    stage = TRANSITIONS.get((case.stage, _word(event)))
    if stage is None:
        raise _impossible(key, f"it was {_word(event)} while {case.stage}")
    return attrs.evolve(case, stage=stage, **_changes(case, event, at))


def _word(event: Event) -> str:
    """Return what the table calls an event."""
    if isinstance(event, Decided):
        if isinstance(event.decision, Dismissed):
            return "dismissed"
        return "proposed" if event.needs_approval else "decided"
    return type(event).__name__.lower()


def _changes(case: Case, event: Event, at: datetime) -> dict[str, Any]:
    collected = case._collected
    match event:
        case Joined():
            return _joined(case, event, at)
        case Routed():
            return {"destination": event.to, "queue": event.queue or case.queue}
        case MediaKept():
            # The first to keep a file has kept it: what was decided, and viewed, is about those bytes.
            collected.kept.setdefault(event.media, event)
            collected.missing.pop(event.media, None)
            return _no_longer_awaited(case)
        case MediaMissing():
            if event.media not in collected.kept:
                collected.missing[event.media] = event.reason
            return _no_longer_awaited(case)
        case Viewed():
            collected.views[event.view] = None
        case Claimed():
            _demand(case, _is_free(case, event.reviewer, at), "it was claimed while somebody else had it")
            return {"claim": event, "unseen": False}
        case Released():
            held = case.claim is not None and case.claim.reviewer == event.reviewer
            _demand(case, held, "it was released by somebody who did not have it")
            return {"claim": None}
        case Decided():
            return _decided(case, event, at)
        case Approved():
            _demand(case, event.reviewer != case.decided_by, "it was approved by whoever decided it")
            return {"approved_by": event.reviewer, "decided_at": at, "claim": None}
        case Returned():
            undone = ("claim", "decision", "decided_at", "decided_by", "approved_by", "enriched", "delay")
            return dict.fromkeys(undone) | {"reasons": ()}
        case Enriched():
            return {"enriched": event, "claim": None, "delay": None}
        case Blocked():
            return {"reasons": event.reasons, "delay": None}
        case Retried():
            return {"reasons": (), "enriched": None, "decided_at": at, "claim": None}
        case Filed():
            return {"filed": event, "filed_at": at, "delay": None}
        case Reported():
            return {"report_id": event.report_id, "delay": None}
        case Retracted():
            return {"delay": None}
        case Preserved() | Notified() | Overdue():
            return _followed_up(case, event)
        case Delayed():
            return {"delay": event.reason}
        case Opened():
            pass
    return {}


def _no_longer_awaited(case: Case) -> dict[str, Any]:
    """Before it is to be filed a case waits for files alone; what is still awaited is said anew."""
    return {"delay": None} if case.stage in BEFORE_FILING else {}


def _followed_up(case: Case, event: Preserved | Notified | Overdue) -> dict[str, Any]:
    """Note what the host was told, or could not be told."""
    if isinstance(event, Overdue):
        return {"overdue": {**case.overdue, event.of: event.reason}}
    of = PRESERVATION if isinstance(event, Preserved) else event.of
    left = {name: reason for name, reason in case.overdue.items() if name != of}
    if isinstance(event, Preserved):
        return {"preserved": True, "overdue": left}
    return {"notified": case.notified | {of}, "overdue": left}


def _joined(case: Case, event: Joined, at: datetime) -> dict[str, Any]:
    """Take a signal in, once: it may come in again after a crash, and says nothing new."""
    _demand(case, event.signal.creator in (None, case.user), "a signal about somebody else joined it")
    if event.signal.id in case.signals:
        return {}
    case._collected.join(event.signal, at)
    return {
        "unseen": case.claim is not None,
        "destination": _more_urgent(case.destination, event.to),
        "queue": case.queue or event.queue,
        "priority": max(case.priority, event.priority),
    }


def _decided(case: Case, event: Decided, at: datetime) -> dict[str, Any]:
    claim = case.claim_at(at)
    held = claim is not None and claim.reviewer == event.reviewer
    _demand(case, held, "it was decided by somebody who did not have it")
    if isinstance(event.decision, Decision):
        found = next(faults(case, event.decision, partial=True), None)
        _demand(case, found is None, f"its decision does not go with it ({found and found.rule})")
        case._collected.views.update(dict.fromkeys(event.decision.views))
    return {"decision": event.decision, "decided_at": at, "decided_by": event.reviewer, "claim": None, "delay": None}


def _is_free(case: Case, reviewer: ReviewerId, at: datetime) -> bool:
    claim = case.claim_at(at)
    return claim is None or claim.reviewer == reviewer


def _demand(case: Case, holds: bool, otherwise: str) -> None:
    if not holds:
        raise _impossible(case.key, otherwise)


def _impossible(key: str, what: str) -> UnknownEvent:
    return UnknownEvent(f"its journal cannot have been written by this program: {what}; it is held", key=key)
