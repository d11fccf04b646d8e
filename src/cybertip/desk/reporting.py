"""The filing of a case: made of what was recorded, handed to a courier once, and looked after until NCMEC has it."""

from datetime import datetime, timedelta

from cybertip.cases.assembly import Assembled, assemble
from cybertip.cases.case import Case
from cybertip.cases.enrichment import Enriched, Finding
from cybertip.cases.events import PRESERVATION, Environment, Event, Filed, Reported, Retracted
from cybertip.cases.notices import CaseEventKind
from cybertip.desk.delaying import block, delay, is_as_before
from cybertip.desk.effects import Failed, File, Now, Submitted
from cybertip.desk.keys import submission_key
from cybertip.desk.letters import wanted
from cybertip.desk.office import Office
from cybertip.desk.pauses import pause
from cybertip.desk.questions import answer_of, decision_of
from cybertip.desk.standing import NOTHING, Happens, Standing, look, record
from cybertip.errors import Conflict, InvalidReport
from cybertip.filing import Filing, Journal, Status
from cybertip.filing.effects import Flow

__all__ = ["file", "findings", "watch"]

#: How often a submission is looked at: soon after it was filed, and less often later.
_SOON = timedelta(seconds=1)
_LATER = timedelta(minutes=5)


# -- filing ---------------------------------------------------------------------------------------------------------------


def file(office: Office, standing: Standing) -> Flow[tuple[Standing, datetime | None]]:
    """Hand the filing of a case over for delivery, and record that it is. What was handed over before is the filing."""
    before = standing.case
    key = submission_key(before.key)
    now = yield from Now()
    submitted = yield from Submitted(key)
    if submitted is None:
        try:
            yield from File(filing=_filing(before, now), key=key, priority=before.priority, tenant=office.organisation)
        except InvalidReport as error:
            return (yield from block(office, standing, [str(one) for one in error.violations])), now
        except Conflict:
            # Another filing has the key: a worker that was slow has handed it over meanwhile.
            pass
        submitted = yield from Submitted(key)
    if submitted is None or isinstance(submitted, Failed):
        return (yield from _wait_for_person(office, standing, submitted)), now + office.policy.slow_for
    filed = Filed(submission=key, digest=submitted.submission.filing.digest)
    standing = yield from record(
        office, standing, lambda case, _: Happens((filed,)) if is_as_before(case, before) else NOTHING
    )
    return standing, now


def findings(office: Office, key: str) -> Flow[tuple[Finding, ...]]:
    """Say what a reviewer should know about how a case's filing was made; nothing, as long as it is not ready.

    They follow from what is recorded, and so they are the same whenever they are asked for.
    """
    standing = yield from look(office, key)
    now = yield from Now()
    if standing.case.enriched is None:
        return ()
    try:
        return _assembled(standing.case, now).findings
    except InvalidReport:
        # The case says why it is blocked.
        return ()


def _filing(case: Case, now: datetime) -> Filing:
    return _assembled(case, now).filing


def _assembled(case: Case, now: datetime) -> Assembled:
    """Assemble the filing, which follows from what is recorded."""
    recorded, answer = case.enriched, answer_of(case)
    assert recorded is not None
    assert isinstance(answer, Enriched), "an answer that is not enough to file with is not recorded"
    return assemble(
        case,
        decision_of(case),
        answer,
        recorded.profile,
        now=now,
        attachments=recorded.attachments,
        prior_reports=recorded.prior_reports,
    )


# -- looking after it -----------------------------------------------------------------------------------------------------


def watch(office: Office, standing: Standing) -> Flow[tuple[Standing, datetime | None]]:
    """Look at the submission of a case, and record what became of it; return when to look again."""
    before = standing.case
    assert before.filed is not None
    assert before.filed_at is not None
    submitted = yield from Submitted(before.filed.submission)
    now = yield from Now()
    again = now + pause(now - before.filed_at, shortest=_SOON, longest=_LATER)
    if submitted is None or isinstance(submitted, Failed):
        return (yield from _wait_for_person(office, standing, submitted)), again
    end = _end_of(submitted)
    if end is None:
        if submitted.status is Status.NEEDS_HUMAN:
            why = submitted.submission.blocked or "it failed time and again"
            standing = yield from _wait_for_person(office, standing, Failed(why))
        return standing, again
    letters = _letters(office, before) if isinstance(end, Reported) else ()
    standing = yield from record(
        office, standing, lambda case, _: Happens((end,), letters) if is_as_before(case, before) else NOTHING
    )
    return standing, now


def _end_of(submitted: Journal) -> Event | None:
    """Return what became of a submission for good."""
    receipt = submitted.submission.receipt
    if receipt is not None:
        return Reported(report_id=receipt.report_id)
    return Retracted() if submitted.status is Status.RETRACTED else None


def _letters(office: Office, case: Case) -> tuple[str, ...]:
    """Return what is told of a report: that there is one and, of a real one, that what belongs to it is to be preserved.

    Clause: 18 U.S.C. 2258A(h).
    """
    of = [CaseEventKind.FILED, PRESERVATION] if case.environment is Environment.PRODUCTION else [CaseEventKind.FILED]
    return wanted(office, *of)


def _wait_for_person(office: Office, standing: Standing, failure: Failed | None) -> Flow[Standing]:
    why = "it is not there, though it was filed" if failure is None else failure.reason
    return (yield from delay(office, standing, f"its submission waits for a person: {why}", since=None))
