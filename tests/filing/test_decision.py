"""What is done next follows from the history, the time and the policy, and from nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.filing import Policy, Status, events as e
from cybertip.filing.decision import Escalate, Rest, Send, Settle, deadline
from cybertip.filing.events import Call, Verdict
from cybertip.filing.submission import Stage

HOUR = 3600


def test_the_order_of_a_delivery(kit: Any) -> None:
    """A report is opened, each file is uploaded and then described where something is said of it, and it is finished."""
    story = kit.Story(kit.filing(False, True))
    expected = [
        Send(Call.SUBMIT),
        Send(Call.UPLOAD, 0),
        Send(Call.UPLOAD, 1),
        Send(Call.DESCRIBE, 1),
        Send(Call.FINISH),
    ]
    for step in expected:
        assert story.decide() == step
        story.call(step.call, step.file)
    assert story.decide() == Settle()
    assert story.status is Status.FINISHED


def test_statuses(kit: Any) -> None:
    """Each word for where a submission stands is true of some history; that it is held is said in heads only."""

    def story() -> Any:
        return kit.Story(kit.filing(True))

    expected = [
        (story(), Status.WAITING),
        (story().intend(Call.SUBMIT), Status.DELIVERING),
        (story().call(Call.SUBMIT), Status.DELIVERING),
        (story().intend(Call.SUBMIT).then(kit.lost(Call.SUBMIT)), Status.WAITING),
        (story().until(Call.FINISH).then(kit.lost(Call.FINISH)), Status.DELIVERING),
        (story().then(e.Escalated(reason="10 failures in a row")), Status.NEEDS_HUMAN),
        (story().then(e.Damaged(file=0, reason="cannot be read")), Status.NEEDS_HUMAN),
        (story().then(e.Suspended(reason="an old backup")), Status.NEEDS_HUMAN),
        (story().complete().call(Call.FINISH), Status.FINISHED),
        (story().until(Call.RETRACT).then(kit.adopted()), Status.FINISHED),
        (story().then(e.Withdrawn(actor="reviewer", reason="a mistake")), Status.RETRACTED),
        (story().call(Call.SUBMIT).then(e.Withdrawn(actor="reviewer", reason="a mistake")), Status.DELIVERING),
    ]
    assert [one.status for one, _ in expected] == [status for _, status in expected]
    assert {status for _, status in expected} == set(Status) - {Status.HELD}


# -- in time ------------------------------------------------------------------------------------------------------------


@given(
    opened=st.integers(-HOUR, HOUR),
    changed=st.none() | st.integers(0, 30 * HOUR),
    skew=st.integers(-10 * HOUR, 10 * HOUR),
    late=st.integers(-HOUR, HOUR),
)
def test_no_report_is_completed_too_late(kit: Any, opened: int, changed: int | None, skew: int, late: int) -> None:
    """By NCMEC's clock, work on a report stops some minutes before NCMEC deletes it: 24 hours after it was opened, or one
    after its last change, whichever is later. From then on it is taken back, and before then it is not."""
    story = kit.Story(kit.filing(False, False)).wait(opened).intend(Call.SUBMIT)
    story.then(kit.done(Call.SUBMIT, at=story.now + timedelta(seconds=skew)))
    deleted = story.now + timedelta(hours=24)
    if changed is not None:
        story.wait(changed).intend(Call.UPLOAD, 0)
        story.then(kit.done(Call.UPLOAD, 0, at=story.now + timedelta(seconds=skew)))
        deleted = max(deleted, story.now + timedelta(hours=1))
    assert deadline(story.state.attempt, story.policy) == deleted + timedelta(seconds=skew)
    story.now = deleted - story.policy.margin_for + timedelta(seconds=late)
    next_file = 0 if changed is None else 1
    assert story.decide() == (Send(Call.RETRACT) if late >= 0 else Send(Call.UPLOAD, next_file))


def test_a_finish_is_asked_for_however_late_it_is(kit: Any) -> None:
    """What became of a finish is asked even after the report may have been deleted: only the answer tells."""
    story = kit.Story(kit.filing()).until(Call.FINISH).then(kit.lost(Call.FINISH)).wait(30 * HOUR)
    assert story.decide() == Send(Call.FINISH)


def test_without_ncmecs_clock_ours_is_used(kit: Any) -> None:
    """Where answers hold no date, deadlines are reckoned by our clock."""
    story = kit.Story(kit.filing(False)).call(Call.SUBMIT)
    assert deadline(story.state.attempt, story.policy) == story.now + timedelta(hours=24)
    assert story.wait(24 * HOUR - 601).decide() == Send(Call.UPLOAD, 0)
    assert story.wait(1).decide() == Send(Call.RETRACT)


# -- after failures -----------------------------------------------------------------------------------------------------


def failed(kit: Any, times: int, policy: Policy | None = None) -> Any:
    """Return a story whose submit never left so many times, each tried as soon as it may be."""
    story = kit.Story(kit.filing(), policy=policy)
    for _ in range(times):
        while isinstance(step := story.decide(), Rest):
            story.now = step.until
        assert step == Send(Call.SUBMIT)
        story.intend(Call.SUBMIT).then(kit.unsent(Call.SUBMIT))
    return story


@given(times=st.integers(1, 9))
def test_failures_are_followed_by_a_pause(kit: Any, times: int) -> None:
    """After a failure nothing is sent until the pause for so many failures is over, and then something is."""
    story = failed(kit, times)
    pause = story.policy.pause(times, seed="case-1")
    assert story.decide() == Rest(story.now + pause)
    story.now += pause - timedelta(microseconds=1)
    assert isinstance(story.decide(), Rest)
    story.now += timedelta(microseconds=1)
    assert story.decide() == Send(Call.SUBMIT)


@given(asked=st.floats(0, 1e9))
def test_retry_after_is_honoured(kit: Any, asked: float) -> None:
    """NCMEC is left alone for as long as it asks for, up to what the policy allows, after a person was called as well."""
    policy = Policy(failures=1)
    for calm in (Policy(), policy):
        story = kit.Story(kit.filing(), policy=calm).intend(Call.SUBMIT)
        story.then(kit.refused(Call.SUBMIT, Verdict.LATER, retry_after_for=asked))
        step = story.decide()
        if calm is policy:
            assert isinstance(step, Escalate)
            step = story.then(e.Escalated(reason=step.reason)).decide()
        heeded = min(timedelta(seconds=asked), calm.longest_retry_after_for)
        assert isinstance(step, Rest)
        assert step.until - story.now >= heeded


def test_a_success_ends_the_pauses(kit: Any) -> None:
    """After a success the next failure is the first again."""
    story = failed(kit, 5).wait(HOUR).call(Call.SUBMIT)
    assert story.decide() == Send(Call.FINISH)
    story.intend(Call.FINISH).then(kit.lost(Call.FINISH))
    assert story.decide() == Rest(story.now + story.policy.pause(1, seed="case-1"))


@given(back=st.integers(1, 10 * HOUR))
def test_a_clock_that_was_set_back_makes_nobody_wait_for_longer(kit: Any, back: int) -> None:
    """A failure that lies in the future is no reason to wait until then."""
    story = failed(kit, 3).wait(-back)
    assert story.decide() == Send(Call.SUBMIT)


def test_after_so_many_failures_a_person_is_called_and_the_delivery_goes_on(kit: Any) -> None:
    """A budget that is spent calls a person, once; from then on everything is tried slowly, and for ever."""
    policy = Policy(failures=3)
    story = failed(kit, 3, policy)
    assert story.decide() == Escalate("3 failures in a row")
    story.then(e.Escalated(reason="3 failures in a row"))
    for _ in range(50):
        step = story.decide()
        assert isinstance(step, Rest)
        assert step.until - story.now == policy.slow_for
        story.now = step.until
        assert story.decide() == Send(Call.SUBMIT)
        story.intend(Call.SUBMIT).then(kit.unsent(Call.SUBMIT))
        assert story.status is Status.NEEDS_HUMAN


def test_so_many_opened_reports_call_a_person(kit: Any) -> None:
    """Reports that were opened, or may have been, and not finished are a budget of their own, and slow down as well."""
    policy = Policy(attempts=2, failures=100)
    story = kit.Story(kit.filing(False), policy=policy)
    for _ in range(2):
        story.wait(HOUR).call(Call.SUBMIT).intend(Call.UPLOAD, 0).then(kit.lost(Call.UPLOAD))
        story.wait(HOUR).call(Call.RETRACT)
    step = story.decide()
    assert step == Escalate("2 reports were opened, and none was finished")
    story.then(e.Escalated(reason=step.reason))
    assert story.decide() == Rest(story.now + policy.slow_for)
    assert story.wait(HOUR).decide() == Send(Call.SUBMIT)


@pytest.mark.parametrize("what", ["unsent", "later", "credentials"])
def test_attempts_that_never_were_burn_no_budget(kit: Any, what: str) -> None:
    """Where it is sure that no report was opened, none is counted: an outage does not use up what there is to spend."""
    event = {
        "unsent": kit.unsent(Call.SUBMIT),
        "later": kit.refused(Call.SUBMIT, Verdict.LATER),
        "credentials": kit.refused(Call.SUBMIT, Verdict.CREDENTIALS),
    }[what]
    story = kit.Story(kit.filing())
    for _ in range(20):
        story.intend(Call.SUBMIT).then(event)
    assert story.state.budget_used == 0
    assert story.intend(Call.SUBMIT).then(kit.lost(Call.SUBMIT)).state.budget_used == 1


def test_a_person_who_decides_while_a_call_is_under_way_leaves_the_budget_sound(kit: Any) -> None:
    """Fresh budgets that are given while a submit is under way are no more than fresh if it turns out never to have left."""
    story = kit.Story(kit.filing()).intend(Call.SUBMIT).then(e.Overridden(actor="reviewer", reason="looked at"))
    assert story.then(kit.unsent(Call.SUBMIT)).state.budget_used == 0


def test_a_call_that_ncmec_cannot_take_ends_its_attempt_in_the_end(kit: Any) -> None:
    """Within one attempt a call is repeated so often, and then the report is taken back and another opened."""
    policy = Policy(repeats=3)
    story = kit.Story(kit.filing(False), policy=policy).call(Call.SUBMIT)
    for _ in range(4):
        assert story.wait(HOUR).decide() == Send(Call.UPLOAD, 0)
        story.intend(Call.UPLOAD, 0).then(kit.refused(Call.UPLOAD, Verdict.LATER))
    assert story.wait(HOUR).decide() == Send(Call.RETRACT)
    assert story.call(Call.RETRACT).decide() == Send(Call.SUBMIT)


def test_refused_credentials_burn_no_attempt(kit: Any) -> None:
    """Whatever is refused for our credentials is tried again as it is: the report stays open, and a person is called."""
    story = kit.Story(kit.filing(False)).call(Call.SUBMIT)
    for _ in range(20):
        story.intend(Call.UPLOAD, 0).then(kit.refused(Call.UPLOAD, Verdict.CREDENTIALS))
        assert story.state.credentials_failed
    assert isinstance(story.decide(), Escalate)
    story.then(e.Escalated(reason="credentials"))
    assert isinstance(story.decide(), Rest)
    assert story.wait(2 * HOUR).decide() == Send(Call.UPLOAD, 0)
    assert story.call(Call.UPLOAD, 0).status is Status.DELIVERING


# -- what waits for a person --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [Call.SUBMIT, Call.UPLOAD, Call.DESCRIBE, Call.FINISH])
def test_what_ncmec_does_not_understand_waits_for_a_person(kit: Any, call: Call) -> None:
    """A document or a file that NCMEC refuses is never sent again unchanged: the report is taken back, and a person is
    called; what the person decides goes on with a fresh report."""
    story = kit.Story(kit.filing(True)).until(call).then(kit.refused(call, Verdict.OURS))
    step = story.decide()
    assert isinstance(step, Escalate)
    story.then(e.Escalated(reason=step.reason)).wait(HOUR)
    if call is not Call.SUBMIT:
        assert story.decide() == Send(Call.RETRACT)
        story.call(Call.RETRACT)
    assert story.wait(1000 * HOUR).decide() == Settle()
    assert story.status is Status.NEEDS_HUMAN
    story.then(e.Overridden(actor="reviewer", reason="the address was mended"))
    assert (story.decide(), story.status) == (Send(Call.SUBMIT), Status.WAITING)


def test_evidence_that_is_damaged_stops_everything_before_it_is_sent(kit: Any) -> None:
    """Where evidence is not what was filed, nothing is sent until a person decides."""
    story = kit.Story(kit.filing(True)).then(e.Damaged(file=0, reason="cannot be read"))
    assert story.decide() == Escalate("the evidence of file 1 cannot be read")
    story.then(e.Escalated(reason="the evidence of file 1 cannot be read"))
    assert story.decide() == Settle()


def test_other_bytes_twice_wait_for_a_person(kit: Any) -> None:
    """NCMEC's MD5 of an upload differs once: a new attempt. Twice: something is wrong that no repetition mends."""
    story = kit.Story(kit.filing(False))
    mismatch = e.Mismatched(file=0, observation=kit.observation())
    story.until(Call.UPLOAD).then(mismatch).wait(HOUR)
    assert story.decide() == Send(Call.RETRACT)
    story.call(Call.RETRACT)
    assert story.decide() == Send(Call.SUBMIT)
    story.until(Call.UPLOAD).then(mismatch).wait(HOUR)
    assert isinstance(story.decide(), Escalate)
    story.then(e.Escalated(reason="twice")).wait(HOUR).call(Call.RETRACT)
    assert story.decide() == Settle()
    # With fresh budgets, one more mismatch is the first again.
    story.then(e.Overridden(actor="reviewer", reason="looked at")).until(Call.UPLOAD).then(mismatch).wait(HOUR)
    assert story.decide() == Send(Call.RETRACT)


def test_a_withdrawn_report_is_taken_back(kit: Any) -> None:
    """What must not be filed is retracted wherever it stands; only a finish that is unresolved is asked for first."""
    withdrawn = e.Withdrawn(actor="reviewer", reason="a mistake")
    assert kit.Story(kit.filing(True)).then(withdrawn).decide() == Settle()
    for story in (kit.Story(kit.filing(True)).call(Call.SUBMIT), kit.Story(kit.filing(True)).complete()):
        assert story.then(withdrawn).decide() == Send(Call.RETRACT)
        assert story.call(Call.RETRACT).decide() == Settle()
        assert story.status is Status.RETRACTED
    story = kit.Story(kit.filing()).until(Call.FINISH).then(withdrawn, kit.lost(Call.FINISH)).wait(HOUR)
    assert story.decide() == Send(Call.FINISH)
    story.intend(Call.FINISH).then(kit.refused(Call.FINISH, Verdict.GONE))
    assert story.status is Status.RETRACTED


def test_finished_is_the_end(kit: Any) -> None:
    """After a receipt nothing is ever sent, whatever else is recorded."""
    story = kit.Story(kit.filing()).complete().call(Call.FINISH)
    later = [
        e.Withdrawn(actor="reviewer", reason="too late"),
        e.Overridden(actor="reviewer", reason="again"),
        e.Observed(call=Call.FINISH, observation=kit.observation()),
        e.Escalated(reason="none"),
        e.Suspended(reason="none"),
        e.Damaged(file=0, reason="none"),
    ]
    for event in later:
        assert story.then(event).wait(HOUR).decide() == Settle()
        assert (story.status, story.stage) == (Status.FINISHED, Stage.FINISHED)
