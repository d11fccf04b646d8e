"""The use cases as generators of effects, each written once for sync and async drivers.

A delivery loads, decides, records what it intends, makes the call, and records what came of it together with the next
intent: n calls cost n + 2 commits with the one that accepts the filing. None can be spared: an intent that is not on disk
before its request leaves could not be told, after a crash, from a request that never left.
"""

from datetime import datetime
from typing import Any

from cybertip.errors import Conflict, UnknownSubmission
from cybertip.filing.decision import Escalate, Rest, Send, Settle, Status, decide
from cybertip.filing.effects import Exchange, Flow, Inspect, Now, Read, Record, Report
from cybertip.filing.events import (
    Call,
    Damaged,
    Escalated,
    Event,
    Filed,
    Finished,
    Intended,
    Lost,
    Observed,
    Overridden,
    Withdrawn,
)
from cybertip.filing.journal import Journal
from cybertip.filing.manifest import Filing
from cybertip.filing.outcomes import observed, outcome
from cybertip.filing.policy import Policy
from cybertip.filing.submission import Submission
from cybertip.protocol import Answer, Request, describe, finish, retract, submit, upload

__all__ = ["ALARM", "RECEIPT", "accept", "deliver", "override", "withdraw"]

#: Topics of follow-up work.
ALARM = "alarm"
RECEIPT = "receipt"


def accept(
    key: str, filing: Filing, *, environment: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
) -> Flow[Journal]:
    """Record a filing for delivery.

    The same key with the same filing gives back what was recorded before; with another one it is a `Conflict`.
    """
    entries = yield from Read(key)
    journal = Journal.of(key, entries)
    if journal.state is None:
        now = yield from Now()
        filed = Filed(environment=environment, filing=filing, priority=priority, tenant=tenant, tags=tags)
        journal = journal.then(filed, now)
        try:
            yield from Record(journal=journal, due_at=now, claimed=False)
        except Conflict:
            # Someone filed the same key in this moment: look again.
            entries = yield from Read(key)
            journal = Journal.of(key, entries)
        else:
            return journal.recorded()
    known = journal.submission
    if known.environment != environment:
        raise Conflict(f"it was filed for {known.environment}, not for {environment}", key=key)
    if known.filing.digest != filing.digest:
        raise Conflict("the key stands for another filing", key=key)
    return journal


def deliver(key: str, *, environment: str, policy: Policy, worker: str = "") -> Flow[Journal]:
    """Take a submission as far as it will go now. The caller holds the claim."""
    journal = yield from _load(key)
    if journal.submission.environment != environment:
        raise Conflict(
            f"it belongs to {journal.submission.environment}; this courier files with {environment}", key=key
        )
    now = yield from Now()
    if (left := journal.submission.intent) is not None:
        journal = journal.then(Lost(call=left.call, reason="the worker stopped before the outcome was recorded"), now)
    came: Observed | None = None
    while True:
        match decide(journal.submission, now, policy):
            case Escalate(reason):
                journal = journal.then(Escalated(reason=reason), now)
            case Send(Call.SUBMIT, _) if (damaged := (yield from _inspect(journal.submission))) is not None:
                journal = journal.then(damaged, now)
            case Send(call, file):
                request = _request(journal.submission, call, file)
                journal = journal.then(Intended(call=call, file=file, worker=worker), now)
                # Until the outcome is recorded there is something to do: were this worker to stop, another takes over.
                journal = yield from _record(journal, now, came)
                sent = journal.submission.filing.files[file] if call is Call.UPLOAD and file is not None else None
                result = yield from Exchange(request=request, file=sent, index=file or 0)
                now = yield from Now()
                journal = journal.then(outcome(call, file, request, result, now=now, policy=policy), now)
                came = Observed(call=call, observation=observed(result)) if isinstance(result, Answer) else None
            case Rest(until):
                return (yield from _record(journal, until, came))
            case Settle():
                return (yield from _record(journal, None, came))


def _record(journal: Journal, due_at: datetime | None, came: Observed | None) -> Flow[Journal]:
    """Record what is pending, and in any case when there is something to do again: it may be later than was thought.

    If the claim was lost while a call was under way, what came back is kept all the same, before the `Conflict` goes on.
    """
    try:
        yield from Record(journal=journal, due_at=due_at, topics=_topics(journal))
    except Conflict:
        if came is not None:
            yield from _observe(journal.key, came, journal.pending[0].recorded_at)
        raise
    journal = journal.recorded()
    yield from Report(journal=journal)
    return journal


def _observe(key: str, event: Observed, now: datetime) -> Flow[None]:
    """Add a late reply to a journal that others are writing to: as often as it takes, for a while."""
    for _ in range(20):
        journal = yield from _load(key)
        try:
            yield from Record(journal=journal.then(event, now), due_at=_due(journal, now), claimed=False)
        except Conflict:
            continue
        return


def _due(journal: Journal, now: datetime) -> datetime | None:
    """Return when there is something to do after an event that changes nothing."""
    return None if journal.status in (Status.FINISHED, Status.RETRACTED) else now


def _load(key: str) -> Flow[Journal]:
    entries = yield from Read(key)
    journal = Journal.of(key, entries)
    if journal.state is None:
        raise UnknownSubmission("there is no such submission", key=key)
    return journal


def _inspect(state: Submission) -> Flow[Damaged | None]:
    for index, file in enumerate(state.filing.files):
        wrong = yield from Inspect(file)
        if wrong is not None:
            return Damaged(file=index, reason=wrong)
    return None


def _request(state: Submission, call: Call, file: int | None) -> Request[Any]:
    if call is Call.SUBMIT:
        return submit(state.filing.report, edition=state.filing.edition)
    assert state.attempt is not None
    report_id = state.attempt.report_id
    assert report_id is not None
    match call:
        case Call.FINISH:
            return finish(report_id)
        case Call.RETRACT:
            return retract(report_id)
    assert file is not None
    entry = state.filing.files[file]
    if call is Call.UPLOAD:
        return upload(report_id, name=entry.name, media_type=entry.media_type, size=entry.size, md5=entry.md5)
    file_id = state.attempt.files[file].file_id
    assert file_id is not None
    assert entry.description is not None
    return describe(entry.description.named(report_id=report_id, file_id=file_id), edition=state.filing.edition)


def _topics(journal: Journal) -> tuple[str, ...]:
    """Return the follow-up work that the pending events call for."""
    kinds = {entry.kind.partition("/")[0] for entry in journal.pending}
    found = [ALARM] if kinds & {"escalated", "damaged"} else []
    if "finished" in kinds:
        receipt = journal.submission.receipt
        found += [RECEIPT, ALARM] if isinstance(receipt, Finished) and receipt.adopted else [RECEIPT]
    return tuple(dict.fromkeys(found))


# -- a person's decisions -------------------------------------------------------------------------------------------------


def withdraw(key: str, *, actor: str, reason: str) -> Flow[Journal]:
    """Record that the report must not be filed. If it is finished, that stays as it is."""
    return _say(key, Withdrawn(actor=actor, reason=reason))


def override(key: str, *, actor: str, reason: str) -> Flow[Journal]:
    """Record that a person looked and the delivery goes on, with fresh budgets."""
    return _say(key, Overridden(actor=actor, reason=reason))


def _say(key: str, event: Event) -> Flow[Journal]:
    for _ in range(20):
        journal = yield from _load(key)
        now = yield from Now()
        if journal.status in (Status.FINISHED, Status.RETRACTED):
            return journal
        journal = journal.then(event, now)
        try:
            yield from Record(journal=journal, due_at=now, claimed=False)
        except Conflict:
            continue
        return journal.recorded()
    raise Conflict("others keep writing to its journal; try again", key=key)
