"""What people do with a case: each step is decided from its journal, recorded, and told again where somebody was quicker."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import attrs

from cybertip.cases.case import Case
from cybertip.cases.decisions import Decision, Dismissed, View
from cybertip.cases.events import (
    Approved,
    Claimed,
    Event,
    MediaKept,
    MediaMissing,
    Released,
    Retried,
    Returned,
    Routed,
    Viewed,
)
from cybertip.cases.journal import CaseJournal
from cybertip.cases.references import EvidenceId, ItemRef, ReviewerId
from cybertip.cases.review import decided
from cybertip.cases.routing import Destination
from cybertip.cases.stages import TRANSITIONS, Stage
from cybertip.desk.effects import Append, Failed, Look, Now, Read, Weigh
from cybertip.desk.keys import reviewer_tag
from cybertip.desk.office import Office
from cybertip.errors import AdapterError, Conflict, InvalidReport, NotNow, NotYours, UnknownCase, Violation
from cybertip.filing.effects import Flow
from cybertip.ports.storage import Head, Letter

__all__ = [
    "approve",
    "change",
    "claim",
    "decide",
    "head_after",
    "keep",
    "load",
    "miss",
    "release",
    "retry",
    "route",
    "take_back",
    "view",
]

#: How often a step is decided anew where somebody else is always quicker.
_TRIES = 20

#: Returns what is to happen to a case, as it stands at a time; nothing, where it happened already.
Step = Callable[[Case, datetime], Sequence[Event]]


def load(office: Office, key: str) -> Flow[tuple[CaseJournal, Head]]:
    """Read a case and its head, which go together. Raises `UnknownCase`; that of somebody else looks no different."""
    for _ in range(_TRIES):
        head = yield from Look(key)
        if head is None or head.lane != office.cases or head.tenant != office.organisation:
            break
        entries = yield from Read(key)
        if entries and entries[-1].version == head.version:
            return CaseJournal.of(key, entries), head
    else:
        raise Conflict("it is changed all the time", key=key)
    raise UnknownCase("there is no such case", key=key)


def change(office: Office, key: str, step: Step, *, letters: Sequence[Letter] = (), wake: bool = False) -> Flow[Case]:
    """Let something happen to a case.

    Args:
        office: whose case it is.
        key: the case's.
        step: says what is to happen.
        letters: what is posted with it.
        wake: whether there is something to do for a worker now.
    """
    for _ in range(_TRIES):
        journal, head = yield from load(office, key)
        now = yield from Now()
        events = step(journal.case, now)
        if not events:
            return journal.case
        for event in events:
            journal = journal.then(event, now)
        after = head_after(office, head, journal, due_at=now if wake else head.due_at)
        append = Append(entries=journal.pending, head=after, expected=head.version, letters=tuple(letters))
        try:
            yield from append
        except Conflict:
            continue
        return journal.case
    raise Conflict("it is changed all the time", key=key)


def head_after(office: Office, head: Head, journal: CaseJournal, *, due_at: datetime | None) -> Head:
    """Return the head that goes with what happened to a case."""
    case = journal.case
    # The user's tag stays; the others follow from the case.
    kept = [tag for tag in head.tags if tag.startswith("user:")]
    by = case.decided_by
    return attrs.evolve(
        head,
        version=journal.version,
        digest=journal.digest,
        status=case.status,
        due_at=due_at,
        priority=case.priority,
        report_id=case.report_id,
        tags=(
            *kept,
            *(() if case.queue is None else (f"queue:{case.queue}",)),
            *(("delayed",) if case.delay is not None else ()),
            *(("overdue",) if case.overdue else ()),
            *(() if by is None else (reviewer_tag(office.organisation, by),)),
        ),
    )


# -- who has it -----------------------------------------------------------------------------------------------------------


def claim(office: Office, key: str, *, reviewer: ReviewerId, lasting: timedelta) -> Flow[Case]:
    """Give a case to a reviewer for a time; whoever has it already has it for longer then."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        _demand(case, "claimed")
        held = case.claim_at(now)
        if held is not None and held.reviewer != reviewer:
            raise NotYours("somebody else has it", key=key)
        return (Claimed(reviewer=reviewer, until=now + lasting),)

    return (yield from change(office, key, step))


def release(office: Office, key: str, *, reviewer: ReviewerId) -> Flow[Case]:
    """Give a case back; it is no fault to give back what one does not have any more."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        held = case.claim
        return () if held is None or held.reviewer != reviewer else (Released(reviewer=reviewer),)

    return (yield from change(office, key, step))


def route(office: Office, key: str, *, reviewer: ReviewerId, to: Destination, queue: str | None) -> Flow[Case]:
    """Send a case to another queue, or from triage to review."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        _demand(case, "routed")
        return (Routed(reviewer=reviewer, to=to, queue=queue),)

    return (yield from change(office, key, step))


# -- its files ------------------------------------------------------------------------------------------------------------


def keep(office: Office, key: str, media: ItemRef, *, evidence: EvidenceId) -> Flow[Case]:
    """Note that the bytes of a file are kept; they are digested here."""
    weighed = yield from Weigh(evidence)
    if isinstance(weighed, Failed):
        raise AdapterError(weighed.reason)

    def step(case: Case, now: datetime) -> Sequence[Event]:
        if media not in case.media:
            raise NotNow("no signal of the case names this file", key=key)
        kept = MediaKept(media=media, evidence=evidence, sha256=weighed.sha256, md5=weighed.md5, size=weighed.size)
        return () if media in case.kept else (kept,)

    return (yield from change(office, key, step))


def miss(office: Office, key: str, media: ItemRef, *, reason: str) -> Flow[Case]:
    """Note that the bytes of a file cannot be had any more."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        if media not in case.media:
            raise NotNow("no signal of the case names this file", key=key)
        if media in case.kept or media in case.missing:
            return ()
        _demand(case, "mediamissing")
        return (MediaMissing(media=media, reason=reason),)

    return (yield from change(office, key, step))


def view(
    office: Office, key: str, media: ItemRef, *, reviewer: ReviewerId, wholly: bool, exif: bool, at: datetime | None
) -> Flow[Case]:
    """Record that somebody looked at a file, at the bytes that are kept of it."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        _demand(case, "viewed")
        kept = case.kept.get(media)
        if kept is None:
            raise NotNow("the file is not kept yet: what was looked at must be what is reported", key=key)
        seen = View(sha256=kept.sha256, reviewer=reviewer, at=at or now, wholly=wholly, exif=exif)
        return () if seen in case.views else (Viewed(view=seen),)

    return (yield from change(office, key, step))


# -- what becomes of it ---------------------------------------------------------------------------------------------------


def decide(office: Office, key: str, decision: Decision | Dismissed, *, reviewer: ReviewerId) -> Flow[Case]:
    """Record a decision of whoever has the case. Raises `InvalidReport` with all that does not go with it."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        if case.decision == decision and case.decided_by == reviewer:
            # The same again, by somebody whose connection broke.
            return ()
        _demand(case, "dismissed" if isinstance(decision, Dismissed) else "decided")
        held = case.claim_at(now)
        if held is None or held.reviewer != reviewer:
            raise NotYours("claim it first: who decides has it", key=key)
        if case.unseen:
            raise NotNow("signals came in since you claimed it: look at them, and claim it again", key=key)
        if isinstance(decision, Decision) and (found := tuple(_unrecorded(case, decision, reviewer, now))):
            raise InvalidReport(found)
        return (decided(case, decision, reviewer=reviewer, policy=office.review),)

    return (yield from change(office, key, step, wake=True))


def _unrecorded(case: Case, decision: Decision, reviewer: ReviewerId, now: datetime) -> Iterator[Violation]:
    """Say which views are claimed without a record: one speaks for nobody else, and of nothing that is yet to come."""
    for index, one in enumerate(decision.media):
        for place, seen in enumerate(one.views):
            if seen not in case.views and (seen.reviewer != reviewer or seen.at > now):
                path = f"decision.media[{index}].views[{place}]"
                message = "has no record, and is not the reviewer's own of a time before now"
                yield Violation(path=path, rule="no-record", message=message)


def approve(office: Office, key: str, *, reviewer: ReviewerId) -> Flow[Case]:
    """Let a second person approve what the first decided."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        if case.approved_by == reviewer:
            return ()
        _demand(case, "approved")
        if case.decided_by == reviewer:
            raise NotYours("a second person approves what the first decided", key=key)
        return (Approved(reviewer=reviewer),)

    return (yield from change(office, key, step, wake=True))


def take_back(office: Office, key: str, *, reviewer: ReviewerId, reason: str) -> Flow[Case]:
    """Take a decision back, as long as its filing cannot be under way."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        _demand(case, "returned")
        return (Returned(reviewer=reviewer, reason=reason),)

    return (yield from change(office, key, step))


def retry(office: Office, key: str, *, reviewer: ReviewerId, reason: str) -> Flow[Case]:
    """Try a filing again that could not be made."""

    def step(case: Case, now: datetime) -> Sequence[Event]:
        if case.stage is Stage.DECIDED:
            return ()
        _demand(case, "retried")
        return (Retried(reviewer=reviewer, reason=reason),)

    return (yield from change(office, key, step, wake=True))


def _demand(case: Case, word: str) -> None:
    """Demand that something can happen now, by the table of stages."""
    if (case.stage, word) not in TRANSITIONS:
        raise NotNow(f"it is {case.stage}, and cannot be {word} now", key=case.key)
