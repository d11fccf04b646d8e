"""What to do next, from a submission's state, the time and the policy. Nothing else is looked at."""

from datetime import datetime
from enum import StrEnum
from typing import assert_never

import attrs

from cybertip.filing.events import Call
from cybertip.filing.policy import Policy
from cybertip.filing.submission import Attempt, Stage, Submission

__all__ = ["Escalate", "Rest", "Send", "Settle", "Status", "Step", "deadline", "decide", "status_of"]


class Status(StrEnum):
    """Where a submission stands, in a word."""

    WAITING = "waiting"
    DELIVERING = "delivering"
    NEEDS_HUMAN = "needs_human"
    FINISHED = "finished"
    RETRACTED = "retracted"
    #: We cannot go on with it: a newer program wrote its journal, or ours has a fault. It stands in heads only.
    HELD = "held"


@attrs.frozen
class Send:
    """Make a call."""

    call: Call
    file: int | None = None


@attrs.frozen
class Rest:
    """Wait until a time."""

    until: datetime


@attrs.frozen
class Escalate:
    """Call a person, and go on."""

    reason: str


@attrs.frozen
class Settle:
    """Nothing is left to do, or nothing may be done."""


Step = Send | Rest | Escalate | Settle


def status_of(state: Submission) -> Status:
    """Return where a submission stands."""
    if state.receipt is not None:
        return Status.FINISHED
    if state.withdrawn and state.attempt is None:
        return Status.RETRACTED
    if state.blocked is not None or state.escalated:
        return Status.NEEDS_HUMAN
    return Status.WAITING if state.attempt is None else Status.DELIVERING


def decide(state: Submission, now: datetime, policy: Policy) -> Step:
    """Return the next step of a submission that has no call under way.

    A finish that is in doubt comes before everything but a pause: no new attempt may begin while it is. A report that
    must not be finished is retracted before a new one is opened.
    """
    assert state.intent is None, "what became of the intended call must be recorded first"
    if state.receipt is not None or (state.withdrawn and state.attempt is None):
        return Settle()
    trouble = _trouble(state, policy)
    if trouble is not None and not state.escalated:
        return Escalate(trouble)
    attempt = state.attempt
    if attempt is None and state.blocked is not None:
        return Settle()
    resting = _resting(state, now, policy)
    if resting is not None:
        return resting
    if attempt is None:
        return Send(Call.SUBMIT)
    match attempt.stage:
        case Stage.FINISHING if attempt.in_doubt:
            return Send(Call.FINISH)
        case Stage.RETRACTING:
            return Send(Call.RETRACT)
        case Stage.OPEN | Stage.FINISHING:
            return Send(Call.RETRACT) if _must_go(state, attempt, now, policy) else _next_call(state, attempt)
        case Stage.OPENING | Stage.GONE | Stage.FINISHED:
            raise AssertionError(f"an attempt without an intended call cannot be {attempt.stage}")
        case never:
            assert_never(never)


def deadline(attempt: Attempt, policy: Policy) -> datetime:
    """Return when NCMEC deletes an open report, by NCMEC's clock (NCMEC: section 2)."""
    assert attempt.opened_at is not None
    assert attempt.changed_at is not None
    return max(
        attempt.opened_at + policy.deleted_after_opening_for, attempt.changed_at + policy.deleted_after_change_for
    )


def _resting(state: Submission, now: datetime, policy: Policy) -> Rest | None:
    """Rest after a failure: longer each time, and slowly once a budget is spent."""
    if state.failed_at is None:
        return None
    pause = policy.pause(state.failures, seed=state.key, retry_after_for=state.retry_after_for)
    if _overdrawn(state, policy) is not None:
        pause = max(pause, policy.slow_for)
    until = state.failed_at + pause
    # A failure that lies in the future means that our clock was set back: it is no reason to wait for longer.
    return Rest(until) if state.failed_at <= now < until else None


def _trouble(state: Submission, policy: Policy) -> str | None:
    """Say why a person should be called."""
    if state.blocked is not None:
        return state.blocked
    if state.credentials_failed:
        return "NCMEC refuses our credentials, or what they may do"
    return _overdrawn(state, policy)


def _overdrawn(state: Submission, policy: Policy) -> str | None:
    """Say which budget is spent."""
    if state.failures >= policy.failures:
        return f"{state.failures} failures in a row"
    if state.budget_used >= policy.attempts and state.attempt is None:
        return f"{state.budget_used} reports were opened, and none was finished"
    return None


def _must_go(state: Submission, attempt: Attempt, now: datetime, policy: Policy) -> bool:
    """Tell whether an open report must be retracted rather than completed."""
    late = now + state.skew >= deadline(attempt, policy) - policy.margin_for
    tired = attempt.stage is Stage.OPEN and attempt.repeats > policy.repeats
    return late or state.withdrawn or state.blocked is not None or tired


def _next_call(state: Submission, attempt: Attempt) -> Send:
    for index, (file, progress) in enumerate(zip(state.filing.files, attempt.files, strict=True)):
        if progress.file_id is None:
            return Send(Call.UPLOAD, index)
        if file.description is not None and not progress.described:
            return Send(Call.DESCRIBE, index)
    return Send(Call.FINISH)
