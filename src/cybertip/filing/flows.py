"""The use cases as generators of effects, each written once for sync and async drivers.

A delivery loads, decides, records what it intends, makes the call, and records what came of it together with the next
intent: n calls cost n + 2 commits with the one that accepts the filing. None can be spared: an intent that is not on disk
before its request leaves could not be told, after a crash, from a request that never left.
"""

from datetime import datetime
from typing import Any

import attrs

from cybertip.errors import Conflict, InvalidReport, UnknownSubmission
from cybertip.filing.decision import Escalate, Rest, Send, Settle, Status, decide
from cybertip.filing.effects import Exchange, Flow, Hold, Inspect, Now, Read, Record, Report, Spoiled, Stopping
from cybertip.filing.events import (
    Call,
    Damaged,
    Escalated,
    Event,
    Filed,
    Intended,
    Lost,
    Observed,
    Overridden,
    Suspended,
    Unreadable,
    Unsent,
    Withdrawn,
)
from cybertip.filing.journal import Journal
from cybertip.filing.manifest import Filing
from cybertip.filing.outcomes import contradicted, observed, outcome
from cybertip.filing.policy import Policy
from cybertip.filing.submission import Submission
from cybertip.protocol import Answer, Request, describe, finish, retract, submit, upload
from cybertip.rules import check

__all__ = ["ALARM", "RECEIPT", "accept", "deliver", "hold", "override", "suspend", "withdraw"]

#: Topics of follow-up work.
ALARM = "alarm"
RECEIPT = "receipt"


def accept(
    key: str, filing: Filing, *, environment: str, priority: int = 0, tenant: str = "", tags: tuple[str, ...] = ()
) -> Flow[Journal]:
    """Record a filing for delivery.

    The same key with the same filing gives back what was recorded before; with another one it is a `Conflict`. Raises
    `InvalidReport` for what NCMEC would refuse; nothing is recorded then.
    """
    entries = yield from Read(key)
    journal = Journal.of(key, entries)
    if journal.state is None:
        now = yield from Now()
        # Only here: what was accepted once stays accepted, even where a clock or a rule has changed since.
        described = [file.description for file in filing.files]
        if found := check(filing.report, now=now, files=described, edition=filing.edition):
            raise InvalidReport(found)
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
    done: _Done | None = None
    while True:
        match decide(journal.submission, now, policy):
            case Escalate(reason):
                journal = journal.then(Escalated(reason=reason), now)
            case Send() if (yield from Stopping()):
                # Before the intent is recorded: what is intended and not sent would have to be taken for lost.
                journal, alone = yield from _record(journal, now, done)
                if alone:
                    return journal
            case Send(Call.SUBMIT, _) if (damaged := (yield from _inspect(journal.submission))) is not None:
                journal = journal.then(damaged, now)
            case Send(call, file):
                request = _request(journal.submission, call, file)
                intended = Intended(call=call, file=file, worker=worker)
                # Until the outcome is recorded there is something to do: were this worker to stop, another takes over.
                journal, alone = yield from _record(journal.then(intended, now), now, done)
                if alone:
                    done = yield from _call(journal.submission, intended, request, policy)
                    now, journal = done.at, done.after(journal)
            case Rest(until):
                journal, alone = yield from _record(journal, until, done)
                if alone:
                    return journal
            case Settle():
                journal, alone = yield from _record(journal, None, done)
                if alone:
                    return journal


@attrs.frozen(kw_only=True)
class _Done:
    """A call that was made, and what is to be recorded of it."""

    intended: Intended
    events: tuple[Event, ...]
    at: datetime
    #: What is kept of the answer, should it come too late to count.
    observed: Observed | None

    def after(self, journal: Journal) -> Journal:
        """Return a journal with what came of the call."""
        for event in self.events:
            journal = journal.then(event, self.at)
        return journal


def _call(state: Submission, intended: Intended, request: Request[Any], policy: Policy) -> Flow[_Done]:
    """Make a call that is intended, and return what came of it."""
    call, file = intended.call, intended.file
    sent = state.filing.files[file] if call is Call.UPLOAD and file is not None else None
    result = yield from Exchange(request=request, file=sent, index=file or 0)
    now = yield from Now()
    if isinstance(result, Spoiled):
        assert file is not None
        unsent = Unsent(call=call, reason=f"the evidence {result.reason}")
        damaged = () if result.passing else (Damaged(file=file, reason=result.reason),)
        return _Done(intended=intended, events=(unsent, *damaged), at=now, observed=None)
    event = outcome(call, file, request, result, now=now, policy=policy)
    doubt = contradicted(state, event, policy)
    return _Done(
        intended=intended,
        events=(event,) if doubt is None else (event, doubt),
        at=now,
        observed=Observed(call=call, observation=observed(result)) if isinstance(result, Answer) else None,
    )


def hold(*, policy: Policy) -> Flow[None]:
    """Put the claimed submission aside, for we cannot go on with it; it comes up again slowly."""
    now = yield from Now()
    yield from Hold(now + policy.slow_for)


def _record(journal: Journal, due_at: datetime | None, done: _Done | None) -> Flow[tuple[Journal, bool]]:
    """Record what is pending, and in any case when there is something to do again: it may be later than was thought.

    Return the journal as it was recorded, and True. Where others wrote meanwhile, as a person who decides may at any time,
    return what they wrote with what came of our call after it, and False: nothing of it is recorded, and everything is to
    be decided anew. Where the claim was lost, what came back is kept all the same, before the `Conflict` goes on.
    """
    try:
        yield from Record(journal=journal, due_at=due_at, topics=_topics(journal))
    except Conflict:
        if done is None:
            raise
        theirs = yield from _load(journal.key)
        went_on = theirs.version != journal.version - len(journal.pending)
        if went_on and theirs.submission.intent == done.intended:
            return done.after(theirs), False
        if done.observed is not None:
            yield from _observe(journal.key, done.observed, done.at)
        raise
    journal = journal.recorded()
    yield from Report(journal=journal)
    return journal, True


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


def _inspect(state: Submission) -> Flow[Damaged | Unreadable | None]:
    """Look at the evidence before a report is opened; what only cannot be read just now calls nobody yet."""
    for index, file in enumerate(state.filing.files):
        wrong = yield from Inspect(file)
        if wrong is not None:
            return (Unreadable if wrong.passing else Damaged)(file=index, reason=wrong.reason)
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
        found += [RECEIPT] if _names_our_files(journal.submission) else [RECEIPT, ALARM]
    return tuple(dict.fromkeys(found))


def _names_our_files(state: Submission) -> bool:
    """Tell whether the receipt lists exactly the files that we sent: where it does not, a person has to ask NCMEC."""
    receipt, attempt = state.receipt, state.attempt
    if receipt is None or attempt is None or receipt.adopted:
        return False
    return sorted(receipt.file_ids) == sorted(file.file_id for file in attempt.files if file.file_id is not None)


# -- a person's decisions -------------------------------------------------------------------------------------------------


def withdraw(key: str, *, actor: str, reason: str) -> Flow[Journal]:
    """Record that the report must not be filed. If it is finished, that stays as it is."""
    return _say(key, Withdrawn(actor=actor, reason=reason))


def suspend(key: str, *, known: int) -> Flow[Journal]:
    """Record that nothing is to be filed before a person looked: a checkpoint has more entries of it than its journal.

    Use it after a storage was restored from a backup, for each submission of which the checkpoint knows more.
    """
    journal = yield from _load(key)
    reason = (
        f"a checkpoint knows {known} entries, and the journal had {journal.version}: was it restored from a backup?"
    )
    return (yield from _say(key, Suspended(reason=reason)))


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
