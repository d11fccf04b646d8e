"""What people see of cases and signals: pages of summaries, and one case at a time."""

from datetime import datetime
from typing import TypeVar

import attrs

from cybertip.cases.case import Case
from cybertip.cases.journal import CaseJournal
from cybertip.cases.placement import Place, SignalJournal
from cybertip.cases.references import CaseId, ReviewerId
from cybertip.cases.signals import Signal
from cybertip.cases.stages import REVIEWABLE
from cybertip.desk.effects import Find, Look, Now, Read
from cybertip.desk.office import Office
from cybertip.desk.reviewing import load
from cybertip.desk.visibility import Viewer, may_see_signals, sees
from cybertip.errors import UnknownCase, UnknownEvent
from cybertip.filing.effects import Flow
from cybertip.model import ReportId
from cybertip.ports.storage import Head

__all__ = ["Summary", "Waiting", "look", "page", "pending", "seen", "told", "unresolved"]

T = TypeVar("T")

_PAGE = 500
#: The statuses in which somebody can have a case.
_CLAIMABLE = REVIEWABLE - {"review", "triage"}


@attrs.frozen(kw_only=True)
class Summary:
    """Where a case stands, in a line."""

    case: CaseId
    status: str
    priority: int
    queue: str | None = None
    report_id: ReportId | None = None
    #: Whether it waits for the platform, or for a call to get through; whether the host could not be told of something.
    delayed: bool = False
    overdue: bool = False

    @classmethod
    def of(cls, head: Head) -> "Summary":
        """Return what a head says."""
        return cls(
            case=CaseId(head.key),
            status=head.status,
            priority=head.priority,
            queue=next((tag.removeprefix("queue:") for tag in head.tags if tag.startswith("queue:")), None),
            report_id=None if head.report_id is None else ReportId(head.report_id),
            delayed="delayed" in head.tags,
            overdue="overdue" in head.tags,
        )


@attrs.frozen(kw_only=True)
class Waiting:
    """A signal of which nobody could say so far whom it is about."""

    key: str
    signal: Signal
    received_at: datetime


def seen(office: Office, viewer: Viewer, key: str, flow: Flow[T]) -> Flow[T]:
    """Go on with what somebody asks of a case, if they may see it. Raises `UnknownCase`: the two look the same."""
    head = yield from Look(key)
    if head is None or not sees(office, viewer, head):
        flow.close()
        raise UnknownCase("there is no such case", key=key)
    return (yield from flow)


def told(office: Office, viewer: Viewer, flow: Flow[T]) -> Flow[T]:
    """Go on with what somebody asks of signals, if they may see them. Raises `UnknownCase`."""
    if not may_see_signals(office, viewer):
        flow.close()
        raise UnknownCase("there are no signals to be seen")
    return (yield from flow)


def look(office: Office, key: str) -> Flow[Case]:
    """Return a case."""
    journal, _ = yield from load(office, key)
    return journal.case


def page(
    office: Office, viewer: Viewer, *, status: str | None, tag: str | None, after: str | None, limit: int
) -> Flow[tuple[Summary, ...]]:
    """Return the cases that somebody may see, in the order of their keys."""
    found: list[Summary] = []
    while len(found) < limit:
        heads = yield from _heads(office, status=status, tag=tag, after=after)
        found += [Summary.of(head) for head in heads if sees(office, viewer, head)]
        if len(heads) < _PAGE:
            break
        after = heads[-1].key
    return tuple(found[:limit])


def pending(office: Office, viewer: Viewer, *, queue: str | None, limit: int) -> Flow[tuple[Summary, ...]]:
    """Return the cases that wait for somebody, the most urgent first; those that others have just now are left out."""
    now = yield from Now()
    tag = None if queue is None else f"queue:{queue}"
    waiting: list[Head] = []
    for status in sorted(REVIEWABLE):
        after = None
        while True:
            heads = yield from _heads(office, status=status, tag=tag, after=after)
            waiting += [head for head in heads if sees(office, viewer, head)]
            if len(heads) < _PAGE:
                break
            after = heads[-1].key
    found: list[Summary] = []
    for head in sorted(waiting, key=_urgency):
        if len(found) == limit:
            break
        if not (yield from _is_taken(head, now, viewer.reviewer)):
            found.append(Summary.of(head))
    return tuple(found)


def _urgency(head: Head) -> tuple[int, bool, str]:
    """Order by priority, what is to be decided before what is to be sorted, and then by key, so that pages are stable."""
    return -head.priority, head.status == "triage", head.key


def _is_taken(head: Head, now: datetime, reviewer: ReviewerId) -> Flow[bool]:
    """Tell whether somebody else has a case just now. Only of these few cases the journals are read."""
    if head.status not in _CLAIMABLE:
        return False
    try:
        journal = CaseJournal.of(head.key, (yield from Read(head.key)))
    except UnknownEvent:
        # A newer program wrote in it: who has it is not known here, and one case must not hide all the others.
        return False
    held = journal.case.claim_at(now)
    return held is not None and held.reviewer != reviewer


def unresolved(office: Office, *, after: str | None, limit: int) -> Flow[tuple[Waiting, ...]]:
    """Return the signals of which nobody could say so far whom they are about."""
    heads = yield from Find(
        lane=office.signals, tenant=office.organisation, status=str(Place.UNRESOLVED), after=after, limit=limit
    )
    found = []
    for head in heads:
        try:
            journal = SignalJournal.of(head.key, (yield from Read(head.key)))
        except UnknownEvent:
            # A newer program wrote in it, and shows it.
            continue
        if journal.place is Place.UNRESOLVED and journal.received_at is not None:
            found.append(Waiting(key=head.key, signal=journal.signal, received_at=journal.received_at))
    return tuple(found)


def _heads(office: Office, *, status: str | None, tag: str | None, after: str | None) -> Flow[tuple[Head, ...]]:
    return (
        yield from Find(lane=office.cases, tenant=office.organisation, status=status, tag=tag, after=after, limit=_PAGE)
    )
