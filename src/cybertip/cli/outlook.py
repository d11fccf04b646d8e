"""What happens next to a submission and when, and who has to do what."""

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

import attrs

from cybertip.cli.timeline import which
from cybertip.filing import Policy, Status, Submission
from cybertip.filing.decision import Escalate, Rest, Send, Settle, deadline, decide, status_of
from cybertip.filing.events import Call, Event, Overridden, Refused, Suspended, Verdict
from cybertip.filing.submission import Stage

__all__ = ["Outlook", "outlook"]

_NEXT = {
    Call.SUBMIT: "opens a report",
    Call.UPLOAD: "uploads",
    Call.DESCRIBE: "describes",
    Call.FINISH: "finishes the report",
    Call.RETRACT: "retracts the open report",
}
_LIVE = (Stage.OPEN, Stage.FINISHING, Stage.RETRACTING)


@attrs.frozen(kw_only=True)
class Outlook:
    """What is to be expected."""

    #: What a worker does next; empty if nothing.
    next: str = ""
    #: When, by our clock; None for now or never.
    at: datetime | None = None
    #: What a person has to do; empty if nothing.
    person: str = ""
    #: When NCMEC deletes the open report, by our clock.
    deadline: datetime | None = None
    #: How long before it a worker gives the report up.
    margin_for: timedelta | None = None


def outlook(
    state: Submission, events: Sequence[Event], *, due_at: datetime | None, now: datetime, policy: Policy
) -> Outlook:
    """Return what follows from a submission's state, the events that led to it, and the time that its head names."""
    found = Outlook(person=_person(state, events))
    attempt = state.attempt
    if attempt is not None and attempt.stage in _LIVE and attempt.opened_at is not None:
        found = attrs.evolve(found, deadline=deadline(attempt, policy) - state.skew, margin_for=policy.margin_for)
    if state.intent is not None:
        what = f"{_NEXT[state.intent.call]} {which(state.intent.file, len(state.filing.files))}".strip()
        return attrs.evolve(
            found,
            next=f"{state.intent.worker or 'a worker'} {what} now; if it died, another takes over after the lease",
        )
    if due_at is None or status_of(state) in (Status.FINISHED, Status.RETRACTED):
        return found
    at = max(due_at, now)
    return attrs.evolve(found, next=_step(state, at, policy), at=at if at > now else None)


def _step(state: Submission, at: datetime, policy: Policy) -> str:
    step = decide(state, at, policy)
    while isinstance(step, Rest):
        at = step.until
        step = decide(state, at, policy)
    match step:
        case Send(call, file):
            return f"a worker {_NEXT[call]} {which(file, len(state.filing.files))}".strip()
        case Escalate():
            return "a worker calls a person"
        case Settle():
            return "a worker looks at it, and finds nothing to do"
        case never:
            assert_never(never)


def _person(state: Submission, events: Sequence[Event]) -> str:
    key = shlex.quote(state.key)
    retry, retract = f"`cybertip retry {key} --reason ...`", f"`cybertip retract {key} --reason ...`"
    if status_of(state) in (Status.FINISHED, Status.RETRACTED):
        return ""
    if state.withdrawn:
        return "nothing: workers retract the open report"
    if state.credentials_failed:
        return "give the workers credentials that NCMEC accepts; they go on by themselves"
    if state.blocked is not None:
        return f"nothing is sent, because {_ended(state.blocked)} {_decision(state.key, events, retry, retract)}"
    if state.escalated:
        return f"workers try it slowly. Find out why it fails; then {retry} has it tried at once, or {retract}"
    return ""


def _decision(key: str, events: Sequence[Event], retry: str, retract: str) -> str:
    """Say what to do about a submission of which nothing is sent: where a retry can file it twice, that before all."""
    open_questions = _undecided(events)
    if any(isinstance(one, Suspended) for one in open_questions):
        return (
            "Find out first whether it was filed: a line of the workers' output with `finished` is a filed report. "
            f"If it was: {retract}. If it was not: {retry}. A retry of what was filed files it twice"
        )
    if any(isinstance(one, Refused) and one.verdict is Verdict.OURS for one in open_questions):
        return (
            f"A filing is frozen: file the mended one under a new key, and {retract}. Only if NCMEC was wrong: {retry}. "
            f"`cybertip show {shlex.quote(key)} --answers` has their own words"
        )
    return f"Mend that and say {retry}, or {retract}"


def _undecided(events: Sequence[Event]) -> Sequence[Event]:
    """Return what happened since a person last decided that it goes on."""
    decided = [index for index, one in enumerate(events) if isinstance(one, Overridden)]
    return events[decided[-1] + 1 :] if decided else events


def _ended(reason: str) -> str:
    """Return a reason as a sentence's end; one may be a question.

    >>> _ended("it cannot be read"), _ended("was it restored?")
    ('it cannot be read.', 'was it restored?')
    """
    return reason if reason.endswith((".", "?", "!")) else f"{reason}."
