"""The life of an attempt is one table: complete, without rows that nothing reaches, and nothing happens outside of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.errors import InDoubt, NeverSent, TransportError, UnknownEvent
from cybertip.filing import Submission, events as e
from cybertip.filing.events import Call, Event, Verdict
from cybertip.filing.outcomes import outcome
from cybertip.filing.submission import INTENDED_FROM, TRANSITIONS, Stage, fold
from cybertip.protocol import Answer, Code, Request, describe, finish, retract, submit, upload

CALLS = tuple(Call)
#: Where an attempt stands while a call is under way.
UNDER_WAY = {
    Call.SUBMIT: Stage.OPENING,
    Call.UPLOAD: Stage.OPEN,
    Call.DESCRIBE: Stage.OPEN,
    Call.FINISH: Stage.FINISHING,
    Call.RETRACT: Stage.RETRACTING,
}


def request_of(kit: Any, call: Call) -> Request[Any]:
    """Return the request of a call."""
    entry = kit.entry(described=True)
    match call:
        case Call.SUBMIT:
            return submit(kit.report())
        case Call.UPLOAD:
            return upload(kit.REPORT_ID, name=entry.name, size=entry.size, md5=entry.md5)
        case Call.DESCRIBE:
            return describe(entry.description.named(report_id=kit.REPORT_ID, file_id=kit.FILE_ID))
        case Call.FINISH:
            return finish(kit.REPORT_ID)
        case Call.RETRACT:
            return retract(kit.REPORT_ID)


def bodies(kit: Any, call: Call) -> Iterator[bytes]:
    """Yield everything that NCMEC and those between us may say to a call."""
    for code in (*Code, 6000):
        yield f"<reportResponse><responseCode>{code:d}</responseCode></reportResponse>".encode()
    ids = f"<reportId>{kit.REPORT_ID}</reportId>"
    if call is Call.FINISH:
        yield f"<reportDoneResponse><responseCode>0</responseCode>{ids}<files/></reportDoneResponse>".encode()
    for md5 in (kit.entry().md5, "0" * 32) if call is Call.UPLOAD else ("",):
        rest = f"<fileId>{kit.FILE_ID}</fileId><hash>{md5}</hash>" if md5 else ""
        yield f"<reportResponse><responseCode>0</responseCode>{ids}{rest}</reportResponse>".encode()
    yield b""
    yield b"<html>gateway</html>"


def outcomes(kit: Any, call: Call) -> Iterator[Event]:
    """Yield every event that a call's result can become."""
    request, file = request_of(kit, call), 0 if call in (Call.UPLOAD, Call.DESCRIBE) else None
    results: list[Answer | TransportError] = [
        Answer(status=status, body=body)
        for status in (200, 400, 401, 403, 404, 429, 500, 502, 503)
        for body in bodies(kit, call)
    ]
    results += [NeverSent(endpoint="/x", reason="no connection"), InDoubt(endpoint="/x", reason="no answer")]
    for result in results:
        yield outcome(call, file, request, result, now=kit.NOW, policy=kit.Policy())


def row(stage: Stage, call: Call, event: Event) -> tuple[Stage, Call, str]:
    """Return the row of the table that an outcome is about."""
    match event:
        case e.Lost():
            return stage, call, "lost"
        case e.Unsent():
            return stage, call, "unsent"
        case e.Mismatched():
            return stage, call, "mismatched"
        case e.Refused():
            return stage, call, event.verdict
        case e.Finished(adopted=True):
            return stage, call, "adopted"
        case _:
            return stage, call, "done"


def test_every_outcome_has_its_row_and_every_row_its_outcome(kit: Any) -> None:
    """Whatever NCMEC or the wire does to a call, the table says where the attempt then stands; and it says no more."""
    reached = set()
    for call in CALLS:
        for event in outcomes(kit, call):
            story = kit.Story(kit.filing(True)).until(call)
            assert story.stage is UNDER_WAY[call]
            reached.add(row(UNDER_WAY[call], call, event))
            story.then(event)
            after = TRANSITIONS[row(UNDER_WAY[call], call, event)]
            assert story.state.attempts[-1].stage is after
            assert story.state.intent is None
    assert reached == TRANSITIONS.keys()


#: Where a report stands after an answer that was no success: what may be asked again stays, what could double a file or its
#: details goes, and what NCMEC deleted is gone (NCMEC: sections 4 and 6).
AFTERWARDS: dict[Call, dict[Stage, set[str]]] = {
    # A lost submit leaves at most an orphan, which deletes itself.
    Call.SUBMIT: {
        Stage.GONE: {"lost", "unsent", "later", "credentials", "ours", "file gone", "unknown"},
    },
    Call.UPLOAD: {
        Stage.OPEN: {"unsent", "later", "credentials", "file gone"},
        Stage.RETRACTING: {"lost", "mismatched", "ours", "unknown"},
        Stage.GONE: {"gone"},
    },
    Call.DESCRIBE: {
        Stage.OPEN: {"unsent", "later", "credentials", "file gone"},
        Stage.RETRACTING: {"lost", "ours", "unknown"},
        Stage.GONE: {"gone"},
    },
    # Until NCMEC says what became of a finish, nothing else may be tried.
    Call.FINISH: {
        Stage.FINISHING: {"lost", "unsent", "later", "credentials", "unknown"},
        Stage.RETRACTING: {"ours", "file gone"},
        Stage.GONE: {"gone"},
    },
    Call.RETRACT: {
        Stage.RETRACTING: {"lost", "unsent", "later", "credentials", "ours", "file gone", "unknown"},
        Stage.GONE: {"gone"},
    },
}


@pytest.mark.parametrize("call", CALLS)
def test_the_rules_for_what_failed(kit: Any, call: Call) -> None:
    """After every failure of every call the report stands where what is known of it says."""
    for expected, failures in AFTERWARDS[call].items():
        for what in failures:
            story = kit.Story(kit.filing(True)).until(call)
            match what:
                case "lost":
                    story.then(kit.lost(call))
                case "unsent":
                    story.then(kit.unsent(call))
                case "mismatched":
                    story.then(e.Mismatched(file=0, observation=kit.observation()))
                case _:
                    story.then(kit.refused(call, Verdict(what)))
            assert story.state.attempts[-1].stage is expected, what
    failures = set().union(*AFTERWARDS[call].values())
    assert failures == {what for _, one, what in TRANSITIONS if one is call} - {"done", "adopted"}


def test_stages_only_go_on(kit: Any) -> None:
    """What is finished or gone stays so, and a report that must not be finished is never asked to be."""
    befores = {stage for stage, _, _ in TRANSITIONS}
    assert befores.isdisjoint({Stage.GONE, Stage.FINISHED})
    assert {after for (stage, _, _), after in TRANSITIONS.items() if stage is Stage.RETRACTING} == {
        Stage.RETRACTING,
        Stage.GONE,
        Stage.FINISHED,
    }
    # Only NCMEC's word makes a report finished.
    assert {what for (_, _, what), after in TRANSITIONS.items() if after is Stage.FINISHED} == {"done", "adopted"}
    assert {call for (_, call, what), after in TRANSITIONS.items() if (after, what) == (Stage.FINISHED, "done")} == {
        Call.FINISH
    }


def standing(kit: Any, stage: Stage | None) -> Any:
    """Return a story that stands at a stage without a call under way."""
    story = kit.Story(kit.filing(True))
    match stage:
        case Stage.OPEN:
            return story.call(Call.SUBMIT)
        case Stage.FINISHING:
            return story.until(Call.FINISH).then(kit.lost(Call.FINISH))
        case Stage.RETRACTING:
            return story.until(Call.RETRACT).then(kit.lost(Call.RETRACT))
        case Stage.FINISHED:
            return story.complete().call(Call.FINISH)
        case _:
            return story


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "stage", [None, Stage.OPEN, Stage.FINISHING, Stage.RETRACTING, Stage.FINISHED], ids=lambda stage: str(stage)
)
def test_a_call_is_intended_only_where_it_may_be(kit: Any, stage: Stage | None, call: Call) -> None:
    """No second attempt beside a living one, no retract of what may be finished, no finish of what must not be: a journal
    that says otherwise was not written by this program, and is held."""
    story = standing(kit, stage)
    assert story.stage is stage
    file = 0 if call in (Call.UPLOAD, Call.DESCRIBE) else None
    if stage in INTENDED_FROM[call]:
        assert story.intend(call, file).state.intent.call is call
    else:
        with pytest.raises(UnknownEvent, match="was intended while"):
            story.intend(call, file)


def test_one_call_at_a_time(kit: Any) -> None:
    """While the outcome of a call is not recorded, no other is intended."""
    for call in CALLS:
        story = kit.Story(kit.filing(True)).until(call)
        for other in CALLS:
            with pytest.raises(UnknownEvent, match="was intended while"):
                story.intend(other, 0)


@pytest.mark.parametrize("call", [Call.UPLOAD, Call.DESCRIBE])
@pytest.mark.parametrize("file", [None, -1, 1, 99])
def test_only_files_of_the_filing_are_sent(kit: Any, call: Call, file: int | None) -> None:
    """A file that the filing does not have cannot be on its way."""
    story = kit.Story(kit.filing(True)).call(Call.SUBMIT)
    with pytest.raises(UnknownEvent, match="a file that it does not have"):
        story.intend(call, file)


def test_an_outcome_is_that_of_the_intended_call(kit: Any) -> None:
    """An outcome of another call than the intended one, or of another file, is in no journal of this program's."""
    for call in CALLS:
        for other in set(CALLS) - {call}:
            with pytest.raises(UnknownEvent, match="was not intended"):
                kit.Story(kit.filing(True)).until(call).then(kit.done(other, 0))
        with pytest.raises(UnknownEvent, match="was not intended"):
            kit.Story(kit.filing(True)).then(kit.done(call, 0))
    both = kit.filing(True, True)
    for call in (Call.UPLOAD, Call.DESCRIBE):
        with pytest.raises(UnknownEvent, match="was not intended"):
            kit.Story(both).until(call).then(kit.done(call, 1))


def test_finished_is_recorded_on_ncmecs_word_only(kit: Any) -> None:
    """A report is finished by the answer to a finish, or because NCMEC says to another call that it was; never by a wish,
    and never while it is being opened."""
    for call in CALLS:
        story = kit.Story(kit.filing(True)).until(call)
        if call is Call.FINISH:
            assert story.then(kit.done(call)).status is kit.Status.FINISHED
            continue
        with pytest.raises(UnknownEvent):
            kit.Story(kit.filing(True)).until(call).then(kit.done(Call.FINISH))
        if call is Call.SUBMIT:
            with pytest.raises(UnknownEvent, match="cannot be adopted"):
                story.then(kit.adopted())
        else:
            assert story.then(kit.adopted()).status is kit.Status.FINISHED
    with pytest.raises(UnknownEvent):
        kit.Story(kit.filing(True)).then(kit.adopted())


def test_a_journal_begins_with_its_filing_and_has_no_other(kit: Any) -> None:
    """What does not begin with a filing is no journal of ours, nor what has two."""
    assert fold("case-1", []) is None
    with pytest.raises(UnknownEvent, match="it begins with Escalated"):
        fold("case-1", [(e.Escalated(reason="none"), kit.NOW)])
    with pytest.raises(UnknownEvent, match="filed twice"):
        kit.Story(kit.filing()).then(e.Filed(environment="test", filing=kit.filing()))


@given(data=st.data())
def test_any_history_is_folded_or_held(kit: Any, data: st.DataObject) -> None:
    """A journal that was made up or damaged in any way is understood or held, and never an error of this program's."""
    events: list[tuple[Event, Any]] = [(e.Filed(environment="test", filing=kit.filing(True, False)), kit.NOW)]
    for number in range(data.draw(st.integers(1, 12))):
        kind = data.draw(st.sampled_from([kind for kind in kit.EVENTS if kind is not e.Filed]))
        events.append((data.draw(kit.EVENTS[kind]), kit.after(number)))
        try:
            found: Any = fold("case-1", events)
        except UnknownEvent as error:
            found = error
            events.pop()
        assert isinstance(found, Submission | UnknownEvent)
        assert found.key == "case-1"


def test_verdicts_are_all_in_the_table() -> None:
    """There is no verdict that the table knows nothing of, whichever call it is about."""
    for call in CALLS:
        named = {what for _, one, what in TRANSITIONS if one is call}
        assert named >= set(Verdict) - ({Verdict.GONE} if call is Call.SUBMIT else set())
