"""Where a submission stands: the fold of its events.

The life of an attempt (one report opened at NCMEC) is this table, and nothing else. A pair that is not in it cannot happen;
a journal that holds one was not written by this program.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import attrs

from cybertip.errors import UnknownEvent
from cybertip.filing.events import (
    Call,
    Damaged,
    Described,
    Escalated,
    Event,
    Filed,
    Finished,
    Intended,
    Lost,
    Mismatched,
    Observation,
    Observed,
    Opened,
    Overridden,
    Refused,
    Retracted,
    Suspended,
    Unreadable,
    Unsent,
    Uploaded,
    Verdict,
    Withdrawn,
)
from cybertip.filing.manifest import Filing
from cybertip.filing.receipts import completed
from cybertip.model import FileId, ReportId

__all__ = ["INTENDED_FROM", "TRANSITIONS", "Attempt", "FileProgress", "Stage", "Submission", "apply", "fold"]


class Stage(StrEnum):
    """Where an attempt stands."""

    OPENING = "opening"
    OPEN = "open"
    #: Everything is there, and `/finish` was called. Once that is in doubt, nothing else may be called until it is known
    #: what became of it.
    FINISHING = "finishing"
    #: The report must not be finished; only `/retract` may be called.
    RETRACTING = "retracting"
    #: The report is retracted, deleted, or was never opened. A new attempt may begin.
    GONE = "gone"
    FINISHED = "finished"


_FILE_CALLS = (Call.UPLOAD, Call.DESCRIBE)

#: From a stage, by what happened to a call, to the next stage.
TRANSITIONS: dict[tuple[Stage, Call, str], Stage] = {
    # submit: a lost answer may leave an orphan, which nobody will finish and which deletes itself
    (Stage.OPENING, Call.SUBMIT, "done"): Stage.OPEN,
    (Stage.OPENING, Call.SUBMIT, "lost"): Stage.GONE,
    (Stage.OPENING, Call.SUBMIT, "unsent"): Stage.GONE,
    **{(Stage.OPENING, Call.SUBMIT, verdict): Stage.GONE for verdict in Verdict if verdict is not Verdict.GONE},
    # upload and file details: repeating one whose answer was lost could double it
    **{(Stage.OPEN, call, "done"): Stage.OPEN for call in _FILE_CALLS},
    **{(Stage.OPEN, call, "unsent"): Stage.OPEN for call in _FILE_CALLS},
    **{(Stage.OPEN, call, "lost"): Stage.RETRACTING for call in _FILE_CALLS},
    **{(Stage.OPEN, call, "adopted"): Stage.FINISHED for call in _FILE_CALLS},
    (Stage.OPEN, Call.UPLOAD, "mismatched"): Stage.RETRACTING,
    **{(Stage.OPEN, call, Verdict.LATER): Stage.OPEN for call in _FILE_CALLS},
    **{(Stage.OPEN, call, Verdict.CREDENTIALS): Stage.OPEN for call in _FILE_CALLS},
    **{(Stage.OPEN, call, Verdict.FILE_GONE): Stage.OPEN for call in _FILE_CALLS},
    # nobody knows what an unknown code says of the file: it may have arrived
    **{(Stage.OPEN, call, Verdict.UNKNOWN): Stage.RETRACTING for call in _FILE_CALLS},
    **{(Stage.OPEN, call, Verdict.OURS): Stage.RETRACTING for call in _FILE_CALLS},
    **{(Stage.OPEN, call, Verdict.GONE): Stage.GONE for call in _FILE_CALLS},
    # finish: repeating it tells what became of it; until then nothing else may be tried
    (Stage.FINISHING, Call.FINISH, "done"): Stage.FINISHED,
    (Stage.FINISHING, Call.FINISH, "adopted"): Stage.FINISHED,
    (Stage.FINISHING, Call.FINISH, "lost"): Stage.FINISHING,
    (Stage.FINISHING, Call.FINISH, "unsent"): Stage.FINISHING,
    (Stage.FINISHING, Call.FINISH, Verdict.LATER): Stage.FINISHING,
    (Stage.FINISHING, Call.FINISH, Verdict.CREDENTIALS): Stage.FINISHING,
    (Stage.FINISHING, Call.FINISH, Verdict.UNKNOWN): Stage.FINISHING,
    (Stage.FINISHING, Call.FINISH, Verdict.OURS): Stage.RETRACTING,
    (Stage.FINISHING, Call.FINISH, Verdict.FILE_GONE): Stage.RETRACTING,
    (Stage.FINISHING, Call.FINISH, Verdict.GONE): Stage.GONE,
    # retract: 5101 and 5001 mean gone, 5102 that it was finished after all
    (Stage.RETRACTING, Call.RETRACT, "done"): Stage.GONE,
    (Stage.RETRACTING, Call.RETRACT, Verdict.GONE): Stage.GONE,
    (Stage.RETRACTING, Call.RETRACT, "adopted"): Stage.FINISHED,
    (Stage.RETRACTING, Call.RETRACT, "lost"): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, "unsent"): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, Verdict.LATER): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, Verdict.CREDENTIALS): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, Verdict.UNKNOWN): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, Verdict.OURS): Stage.RETRACTING,
    (Stage.RETRACTING, Call.RETRACT, Verdict.FILE_GONE): Stage.RETRACTING,
}

#: The stages from which a call can be intended; None is before the first attempt and after one that is gone. A complete
#: report whose finish is in doubt is only ever asked to finish, and one that must not be finished only to go. A report whose
#: finish was surely not taken may be asked to do either.
INTENDED_FROM: dict[Call, tuple[Stage | None, ...]] = {
    Call.SUBMIT: (None,),
    **dict.fromkeys(_FILE_CALLS, (Stage.OPEN,)),
    Call.FINISH: (Stage.OPEN, Stage.FINISHING),
    Call.RETRACT: (Stage.OPEN, Stage.RETRACTING),
}


@attrs.frozen(kw_only=True)
class FileProgress:
    """How far one file is in an attempt."""

    file_id: FileId | None = None
    described: bool = False


@attrs.frozen(kw_only=True)
class Attempt:
    """One report opened at NCMEC for the submission, or about to be."""

    stage: Stage
    files: tuple[FileProgress, ...]
    report_id: ReportId | None = None
    opened_at: datetime | None = None
    changed_at: datetime | None = None
    #: How often a call was answered "later" in this attempt since the last success.
    repeats: int = 0
    #: How often it was intended to retract the report.
    retracts: int = 0
    #: A finish may have been taken, and nobody knows.
    in_doubt: bool = False


@attrs.frozen(kw_only=True)
class Submission:
    """Everything that follows from the events so far."""

    key: str
    environment: str
    filing: Filing = attrs.field(repr=False)
    priority: int = 0
    tenant: str = ""
    tags: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    #: The call whose outcome is not recorded yet, and when it was intended.
    intent: Intended | None = None
    intended_at: datetime | None = None
    receipt: Finished | None = None
    #: What came too late to count in answer to a finish: the receipt may be among it.
    late: tuple[Observation, ...] = attrs.field(default=(), repr=False)
    #: Reports that NCMEC may have opened without our learning of it. Nobody finishes them; they delete themselves.
    possible_orphans: int = 0
    #: Failures in a row, when the last one was, and what NCMEC then asked for.
    failures: int = 0
    failed_at: datetime | None = None
    retry_after_for: float | None = None
    #: The last failure was about credentials: the whole lane has it.
    credentials_failed: bool = False
    #: Attempts whose upload came out with another MD5.
    mismatches: int = 0
    #: Attempts since a person last decided to go on; those that never left do not count.
    budget_used: int = 0
    #: Why no call may be made until a person decides.
    blocked: str | None = None
    #: A person was called since the last success.
    escalated: bool = False
    withdrawn: bool = False
    #: By how much NCMEC's clock is ahead of ours.
    skew: timedelta = timedelta(0)

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that is alive, or finished; None before the first and after each that is gone."""
        last = self.attempts[-1] if self.attempts else None
        return None if last is None or last.stage is Stage.GONE else last

    @property
    def report_id(self) -> ReportId | None:
        """NCMEC's number of the filed report, or of the open one."""
        if self.receipt is not None:
            return self.receipt.report_id
        return self.attempt.report_id if self.attempt is not None else None


def fold(key: str, events: Iterable[tuple[Event, datetime]]) -> Submission | None:
    """Return what follows from a whole journal: events with the times they were recorded at; None from an empty one."""
    state: Submission | None = None
    for event, at in events:
        state = apply(key, state, event, at)
    return state


def apply(key: str, state: Submission | None, event: Event, at: datetime) -> Submission:
    """Return what follows from one more event."""
    if state is None:
        if not isinstance(event, Filed):
            raise _impossible(key, f"it begins with {type(event).__name__}")
        return Submission(
            key=key,
            environment=event.environment,
            filing=event.filing,
            priority=event.priority,
            tenant=event.tenant,
            tags=event.tags,
        )
    match event:
        case Filed():
            raise _impossible(key, "it was filed twice")
        case Intended():
            return attrs.evolve(_intend(state, event), intended_at=at)
        case Opened():
            seen_at = event.observation.date or at
            state = _timed(_moved(state, Call.SUBMIT, "done"), event.observation, at)
            return _change(state, report_id=event.report_id, opened_at=seen_at, changed_at=seen_at)
        case Uploaded():
            state = _timed(_moved(state, Call.UPLOAD, "done", event.file), event.observation, at)
            return _file(state, event.file, event.observation.date or at, file_id=event.file_id)
        case Described():
            state = _timed(_moved(state, Call.DESCRIBE, "done", event.file), event.observation, at)
            return _file(state, event.file, event.observation.date or at, described=True)
        case Finished():
            state = _calmed(_finished(state, event))
            return attrs.evolve(state, receipt=completed(event, state.late), blocked=None)
        case Retracted():
            return _moved(state, Call.RETRACT, "done")
        case Lost():
            return _doubted(_failed(_moved(state, event.call, "lost"), at), event.call)
        case Unsent():
            return _unburnt(_failed(_moved(state, event.call, "unsent"), at), event.call)
        case Refused():
            return _refuse(state, event, at)
        case Mismatched():
            state = _failed(_moved(state, Call.UPLOAD, "mismatched", event.file), at)
            blocked = "NCMEC received other bytes than the manifest says, twice" if state.mismatches else state.blocked
            return attrs.evolve(state, mismatches=state.mismatches + 1, blocked=blocked)
        case Damaged():
            return attrs.evolve(state, blocked=f"the evidence of file {event.file + 1} {event.reason}")
        case Unreadable():
            return _failed(state, at)
        case Escalated():
            # From now on the slow pace is reckoned: after a call to a person, nothing follows at once.
            return attrs.evolve(state, escalated=True, failed_at=at)
        case Overridden():
            # An attempt that is being opened counts: its budget is given back if it turns out that none was opened.
            opening = state.intent is not None and state.intent.call is Call.SUBMIT
            return attrs.evolve(_calmed(state), blocked=None, escalated=False, mismatches=0, budget_used=int(opening))
        case Withdrawn():
            return attrs.evolve(_calmed(state), withdrawn=True)
        case Suspended():
            return attrs.evolve(state, blocked=event.reason)
        case Observed():
            return _learn(state, event)


def _learn(state: Submission, event: Observed) -> Submission:
    """Keep a late answer to a finish: where all that is known of the receipt is that there is one, this may be it."""
    if event.call is not Call.FINISH:
        return state
    late = (*state.late, event.observation)
    return attrs.evolve(state, late=late, receipt=completed(state.receipt, late) if state.receipt is not None else None)


def _intend(state: Submission, event: Intended) -> Submission:
    if state.intent is not None:
        raise _impossible(state.key, f"{event.call} was intended while {state.intent.call} was")
    stage = None if state.attempt is None else state.attempt.stage
    unfinished = stage is Stage.FINISHING and not state.attempts[-1].in_doubt
    if stage not in INTENDED_FROM[event.call] and not (unfinished and event.call is Call.RETRACT):
        raise _impossible(state.key, f"{event.call} was intended while the attempt was {stage or 'none at all'}")
    if event.call in _FILE_CALLS and (event.file is None or not 0 <= event.file < len(state.filing.files)):
        raise _impossible(state.key, f"{event.call} was intended of a file that it does not have")
    state = attrs.evolve(state, intent=event)
    match event.call:
        case Call.SUBMIT:
            opening = Attempt(stage=Stage.OPENING, files=(FileProgress(),) * len(state.filing.files))
            return attrs.evolve(state, attempts=(*state.attempts, opening), budget_used=state.budget_used + 1)
        case Call.FINISH:
            return _change(state, stage=Stage.FINISHING)
        case Call.RETRACT:
            return _change(state, stage=Stage.RETRACTING, retracts=state.attempts[-1].retracts + 1)
        case _:
            return state


def _finished(state: Submission, event: Finished) -> Submission:
    """Record that the report is filed, as the answer to a finish or, adopted, to any other call."""
    call = state.intent.call if state.intent is not None and event.adopted else Call.FINISH
    return _moved(state, call, "adopted" if event.adopted else "done")


def _moved(state: Submission, call: Call, what: str, file: int | None = None) -> Submission:
    """Record what became of the intended call: the attempt moves on as the table says."""
    intent = state.intent
    if intent is None or intent.call is not call or state.attempt is None or file not in (None, intent.file):
        raise _impossible(state.key, f"{call} has an outcome and was not intended")
    stage = TRANSITIONS.get((state.attempt.stage, call, what))
    if stage is None:
        raise _impossible(state.key, f"{call} cannot be {what} while {state.attempt.stage}")
    state = attrs.evolve(_change(state, stage=stage), intent=None)
    if what != "done":
        return state
    # A report that was taken back is no progress, and a person who was called for a decision has not decided by it.
    escalated = state.escalated and (call is Call.RETRACT or state.blocked is not None)
    return _change(attrs.evolve(_calmed(state), escalated=escalated), repeats=0)


def _change(state: Submission, **changes: Any) -> Submission:
    """Return the submission with its last attempt changed."""
    last = attrs.evolve(state.attempts[-1], **changes)
    return attrs.evolve(state, attempts=(*state.attempts[:-1], last))


def _file(state: Submission, index: int, changed_at: datetime, **changes: Any) -> Submission:
    files = list(state.attempts[-1].files)
    files[index] = attrs.evolve(files[index], **changes)
    return _change(state, files=tuple(files), changed_at=changed_at)


def _timed(state: Submission, observation: Observation, at: datetime) -> Submission:
    """Learn how far NCMEC's clock is ahead: deadlines are NCMEC's, and are reckoned by it.

    NCMEC's time was taken at some moment between intent and outcome, and a machine can stand still, or its clock jump, in
    between: what was known before stands as far as it can be true.
    """
    if observation.date is None:
        return state
    assert state.intended_at is not None
    least, most = observation.date - at, observation.date - state.intended_at
    # A clock that was set back in between leaves nothing to go by but where it stands now.
    return attrs.evolve(state, skew=min(max(state.skew, least), most) if least <= most else least)


def _calmed(state: Submission) -> Submission:
    return attrs.evolve(state, failures=0, failed_at=None, retry_after_for=None, credentials_failed=False)


def _failed(state: Submission, at: datetime, retry_after_for: float | None = None) -> Submission:
    return attrs.evolve(
        state, failures=state.failures + 1, failed_at=at, retry_after_for=retry_after_for, credentials_failed=False
    )


def _unburnt(state: Submission, call: Call) -> Submission:
    """Give the budget back for an attempt of which it is sure that no report was opened."""
    return attrs.evolve(state, budget_used=state.budget_used - 1) if call is Call.SUBMIT else state


def _doubted(state: Submission, call: Call) -> Submission:
    """Note what nobody knows: whether a report was opened, or whether it was finished."""
    match call:
        case Call.SUBMIT:
            return attrs.evolve(state, possible_orphans=state.possible_orphans + 1)
        case Call.FINISH:
            return _change(state, in_doubt=True)
        case _:
            return state


def _refuse(state: Submission, event: Refused, at: datetime) -> Submission:
    state = _moved(state, event.call, event.verdict)
    if event.code is not None:
        # A gateway has a clock of its own; what has a code comes from NCMEC.
        state = _timed(state, event.observation, at)
    if event.call is Call.RETRACT and event.verdict is Verdict.GONE:
        return _calmed(state)
    state = _failed(state, at, event.retry_after_for)
    if event.verdict is not Verdict.CREDENTIALS:
        state = _change(state, repeats=state.attempts[-1].repeats + 1)
    match event.verdict:
        case Verdict.CREDENTIALS:
            return _unburnt(attrs.evolve(state, credentials_failed=True), event.call)
        case Verdict.UNKNOWN:
            return _doubted(state, event.call)
        case Verdict.OURS if event.call is not Call.RETRACT:
            return attrs.evolve(state, blocked=f"NCMEC refused what /{event.call} sent, with code {event.code}")
        case Verdict.LATER:
            state = _unburnt(state, event.call)
            return _doubted(state, event.call) if _may_have_passed(event) else state
        case _:
            return state


def _may_have_passed(event: Refused) -> bool:
    """Tell whether "not now" may have been said by somebody between us and NCMEC after the request had passed."""
    return event.code is None and event.observation.status == 503 and event.retry_after_for is None


def _impossible(key: str, what: str) -> UnknownEvent:
    return UnknownEvent(f"its journal cannot have been written by this program: {what}; it is held", key=key)
