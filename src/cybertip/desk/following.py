"""What the platform and the host are told after a report, until they heard it: nothing of it ever touches the report.

A letter that cannot be delivered comes again, later each time; once that has failed often, or repeating it cannot mend it,
the case shows it as overdue. It is never dropped: it comes up again slowly until it is delivered, and `resend` has it
delivered now.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cybertip.cases.case import Case
from cybertip.cases.events import PRESERVATION, Notified, Overdue, Preserved
from cybertip.cases.journal import CaseJournal
from cybertip.cases.notices import CaseEvent, CaseEventKind, Preservation
from cybertip.cases.references import CaseId
from cybertip.desk.effects import Failed, Notify, Now, Preserve, Read, Settle
from cybertip.desk.failures import asked_for, is_for_good, reason_of
from cybertip.desk.letters import Subject, letter_id, request_id, wanted
from cybertip.desk.office import Office
from cybertip.desk.pauses import FIRST, LONGEST
from cybertip.desk.questions import reported_media
from cybertip.desk.reviewing import load
from cybertip.desk.standing import NOTHING, Happens, Standing, look, record
from cybertip.errors import UnknownCase, UnknownEvent
from cybertip.filing.chain import Entry
from cybertip.filing.effects import Flow
from cybertip.ports.storage import Letter
from cybertip.webhooks.failures import WebhookError

__all__ = ["follow", "resend"]

#: What is told once in the life of a case.
_ONCE = frozenset({PRESERVATION, str(CaseEventKind.FILED), str(CaseEventKind.PRESERVED)})
#: What letters were posted with which events.
_POSTED = {
    "case.reported": (PRESERVATION, CaseEventKind.FILED),
    "case.preserved": (CaseEventKind.PRESERVED,),
    "case.delayed": (CaseEventKind.NEEDS_HUMAN,),
    "case.blocked": (CaseEventKind.NEEDS_HUMAN,),
}


def follow(office: Office, letter: Letter) -> Flow[None]:
    """Deliver a letter that was taken, and record that it was, or that it is overdue."""
    about = Subject.of_letter(letter)
    try:
        standing = yield from look(office, about.case)
        entries = yield from Read(about.case)
        tell = _telling(about, entries, id=request_id(letter.id))
    except (UnknownCase, UnknownEvent):
        # Of a newer program, which can deliver it, or nobody's.
        now = yield from Now()
        yield from Settle(id=letter.id, due_at=now + LONGEST)
        return
    is_told = about.of in _ONCE and _was_told(standing.case, about.of)
    failure = None if is_told else (yield from tell)
    if failure is None:
        yield from _note(office, standing, about.of)
        yield from Settle(id=letter.id, due_at=None)
    else:
        yield from _put_off(office, standing, letter, about.of, failure)


def resend(office: Office, key: str) -> Flow[Case]:
    """Have the overdue letters of a case delivered now."""
    journal, _ = yield from load(office, key)
    entries = yield from Read(key)
    now = yield from Now()
    for entry in entries:
        for of in _POSTED.get(entry.kind.partition("/")[0], ()):
            if of in journal.case.overdue:
                # Nothing happens where there is no such letter, or none any more.
                yield from Settle(id=letter_id(key, entry.version, of), due_at=now)
    return journal.case


# -- what is said ---------------------------------------------------------------------------------------------------------


def _telling(about: Subject, entries: Sequence[Entry], *, id: str) -> Preserve | Notify:
    """Return what a letter says: what follows from the journal up to its entry, whatever happened since."""
    known = entries[: about.version]
    then = CaseJournal.of(about.case, known).case
    if about.of != PRESERVATION:
        kind, at = CaseEventKind(about.of), known[-1].recorded_at
        event = CaseEvent(kind=kind, case=CaseId(about.case), at=at, report_id=then.report_id)
        return Notify(event=event, id=id)
    assert then.report_id is not None
    notice = Preservation(user=then.user, reported_media=reported_media(then), report_id=then.report_id)
    return Preserve(notice=notice, id=id)


def _was_told(case: Case, of: str) -> bool:
    return case.preserved if of == PRESERVATION else of in case.notified


# -- what came of it ------------------------------------------------------------------------------------------------------


def _note(office: Office, standing: Standing, of: str) -> Flow[None]:
    """Record that somebody was told; that the platform preserves is told to the host in turn."""

    def step(case: Case, now: datetime) -> Happens:
        if of in _ONCE and _was_told(case, of):
            return NOTHING
        if of == PRESERVATION:
            return Happens((Preserved(),), wanted(office, CaseEventKind.PRESERVED))
        return Happens((Notified(of=of),))

    yield from record(office, standing, step, claimed=False)


def _put_off(office: Office, standing: Standing, letter: Letter, of: str, failure: WebhookError | Failed) -> Flow[None]:
    """Have a letter come again, and record once that it is overdue where that is no slip any more."""
    # A failure that is none of the endpoint's is one of the desk itself, which has nothing to call it with.
    is_overdue = letter.tries >= office.policy.failures or isinstance(failure, Failed) or is_for_good(failure)
    if is_overdue:
        overdue = Happens((Overdue(of=of, reason=reason_of(failure)),))
        yield from record(office, standing, lambda case, now: NOTHING if of in case.overdue else overdue, claimed=False)
    now = yield from Now()
    yield from Settle(id=letter.id, due_at=now + (LONGEST if is_overdue else _pause(letter.tries, failure)))


def _pause(tries: int, failure: WebhookError | Failed) -> timedelta:
    """Return the pause after a failure: twice as long each time, and as long as the answer asks for, within bounds."""
    ours: timedelta = FIRST * 2 ** min(max(tries - 1, 0), 20)
    return min(max(ours, asked_for(failure, longest=LONGEST)), LONGEST)
