"""Whatever happens to a submission, the laws of a delivery hold: anything that NCMEC, the wire, people and time can do to it
is drawn, and what the policy decides is done."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs
from hypothesis import event, given, settings, strategies as st

from cybertip.filing import Journal, Policy, Status, events as e, verify
from cybertip.filing.decision import Escalate, Rest, Send, Settle, deadline
from cybertip.filing.events import Call, Verdict
from cybertip.filing.submission import Stage, fold

POLICY = Policy(failures=3, attempts=2, repeats=1)
#: Whose waits are the longest.
LONGEST = max(POLICY.longest_pause_for, POLICY.slow_for, POLICY.longest_retry_after_for)
FILE_CALLS = (Call.UPLOAD, Call.DESCRIBE)


@attrs.frozen
class Goes:
    """A worker goes as far as its next call, and this comes of it: by how much NCMEC's clock is ahead, and how long it asks
    to be left alone, included."""

    what: str
    ahead: int | None
    asked: float | None


@attrs.frozen
class Stops:
    """A worker goes as far as its next call, and nothing more is heard of it."""


@attrs.frozen
class Finds:
    """A worker finds evidence damaged, if it looks at it now."""


@attrs.frozen
class Wait:
    """Time passes, or the clock is set back."""

    seconds: int


#: What a person decides, and what comes in late.
Said = e.Withdrawn | e.Overridden | e.Suspended | e.Observed
Move = Goes | Stops | Finds | Wait | Said

_goes = st.builds(
    Goes,
    st.sampled_from(("done",) * 10 + ("lost", "lost", "unsent", "mismatched", "adopted", *Verdict)),
    st.none() | st.integers(-7200, 7200),
    st.none() | st.floats(0, 1e9),
)
_late = st.builds(e.Observed, call=st.sampled_from(Call), observation=st.just(e.Observation(status=200)))
_rare = st.one_of(
    st.just(Stops()),
    st.just(Finds()),
    st.builds(Wait, st.sampled_from((1, 60, 3600, 85_000, -3600))),
    st.just(e.Withdrawn(actor="reviewer", reason="a mistake")),
    st.just(e.Overridden(actor="reviewer", reason="looked at")),
    st.just(e.Suspended(reason="an old backup")),
    _late,
)
#: Mostly a worker goes on; what is rare would else keep it from getting anywhere.
_moves = st.integers(0, 9).flatmap(lambda number: _rare if number == 9 else _goes)
moves = st.lists(_moves, min_size=8, max_size=40)


class History:
    """One submission, and what is known of it without asking the fold."""

    def __init__(self, kit: Any, described: list[bool]) -> None:
        self.kit = kit
        self.story = kit.Story(kit.filing(*described), policy=POLICY)
        self.times: list[datetime] = [self.story.now]
        self.withdrawn = False
        #: A finish was under way, or in doubt, when the report was withdrawn.
        self.may_finish = False
        #: A finish was sent, and NCMEC has not said what became of it; and it may have been taken.
        self.unresolved = self.doubted = False
        #: A report is open, as far as anybody knows.
        self.alive = False
        #: And holds something of which nobody knows what it is.
        self.spoiled = False
        #: Reports that may have been opened since a person last decided.
        self.opened = 0

    @property
    def state(self) -> Any:
        return self.story.state

    @property
    def settled(self) -> bool:
        return self.story.status in (Status.FINISHED, Status.RETRACTED)

    def happens(self, *events: e.Event) -> None:
        self.story.then(*events)
        self.times += [self.story.now] * len(events)
        self.is_sound()

    def move(self, move: Move) -> None:
        """Let something happen."""
        match move:
            case Goes(what, ahead, asked):
                self.goes_on()
                if self.state.intent is not None:
                    self.answer(what, ahead, asked)
            case Stops():
                self.goes_on()
            case Finds():
                self.goes_on(damaged=True)
            case Wait(seconds):
                self.story.wait(seconds)
            case e.Observed():
                self.happens(move)
            case _ if self.settled:
                # There is nothing to decide any more.
                return
            case e.Withdrawn():
                self.may_finish = self.may_finish or (self.unresolved and not self.withdrawn)
                self.withdrawn = True
                self.happens(move)
            case e.Overridden():
                self.opened = int(self.state.intent is not None and self.state.intent.call is Call.SUBMIT)
                self.happens(move)
            case e.Suspended():
                self.happens(move)

    # -- what the policy does ------------------------------------------------------------------------------------------

    def goes_on(self, *, damaged: bool = False) -> None:
        """Do what is decided, until a call is under way or nothing is left to do; within a few steps, it is."""
        for _ in range(6):
            if self.state.intent is not None:
                return
            step = self.story.decide()
            assert step == self.story.decide()
            match step:
                case Settle():
                    self.settles()
                    return
                case Rest(until):
                    # However long something is put off, it is not for ever.
                    assert self.story.now < until <= self.story.now + LONGEST
                    self.story.now = until
                case Escalate(reason):
                    # A person is called once for one thing.
                    assert reason
                    assert not self.state.escalated
                    self.happens(e.Escalated(reason=reason))
                case Send(Call.SUBMIT) if damaged and self.state.filing.files:
                    self.happens(e.Damaged(file=0, reason="cannot be read"))
                case Send(call, file):
                    self.sends(call, file)
                    self.happens(e.Intended(call=call, file=file))
                    self.unresolved = self.unresolved or call is Call.FINISH
                    self.opened += call is Call.SUBMIT
        assert self.state.intent is not None

    def settles(self) -> None:
        """Nothing is left to do only where all is done, or a person was called who has not decided."""
        nothing_to_do = self.state.receipt is not None or (self.withdrawn and not self.alive)
        waits_for_a_person = self.state.blocked is not None and not self.alive and self.state.escalated
        assert nothing_to_do or waits_for_a_person
        assert not self.unresolved

    def sends(self, call: Call, file: int | None) -> None:
        """The laws of what may be sent."""
        state, attempt = self.state, self.state.attempt
        assert state.receipt is None
        if self.unresolved:
            assert call is Call.FINISH
        elif self.spoiled:
            assert call is Call.RETRACT
        if call is Call.SUBMIT:
            assert not self.alive
            assert not self.withdrawn
            assert state.blocked is None
            # Beyond its budget, a report is opened only with a person's knowledge.
            assert self.opened < POLICY.attempts or state.escalated
            return
        if call in FILE_CALLS:
            progress = attempt.files[file]
            assert (progress.file_id is None) is (call is Call.UPLOAD)
            assert not progress.described
        if call is Call.FINISH:
            for entry, progress in zip(state.filing.files, attempt.files, strict=True):
                assert progress.file_id is not None
                assert progress.described is (entry.description is not None)
            assert self.may_finish or not self.withdrawn
        if call is not Call.RETRACT and not self.unresolved:
            assert state.blocked is None
            assert not self.withdrawn
            assert self.story.now + state.skew < deadline(attempt, POLICY) - POLICY.margin_for

    # -- what comes of it ----------------------------------------------------------------------------------------------

    def answer(self, what: str, ahead: int | None, asked: float | None) -> None:
        call, file = self.state.intent.call, self.state.intent.file
        impossible = {
            "mismatched": call is not Call.UPLOAD,
            "adopted": call is Call.SUBMIT,
            Verdict.GONE: call is Call.SUBMIT,
        }
        if impossible.get(what):
            what = "lost"
        self.learns(call, what)
        date = None if ahead is None else self.story.now + timedelta(seconds=ahead)
        match what:
            case "done":
                self.happens(self.kit.done(call, file, at=date))
            case "lost":
                self.happens(self.kit.lost(call))
            case "unsent":
                self.happens(self.kit.unsent(call))
            case "mismatched":
                self.happens(e.Mismatched(file=file or 0, observation=self.kit.observation(date)))
            case "adopted":
                self.happens(self.kit.adopted())
            case _:
                self.happens(self.kit.refused(call, Verdict(what), retry_after_for=asked))

    def learns(self, call: Call, what: str) -> None:
        """Reckon what is known after an answer (NCMEC: section 6)."""
        if call is Call.SUBMIT:
            self.alive = what == "done"
            # Of these it is sure that no report was opened.
            self.opened -= what in ("unsent", Verdict.LATER, Verdict.CREDENTIALS)
        if call in FILE_CALLS:
            self.spoiled = what in ("lost", "mismatched", Verdict.UNKNOWN, Verdict.OURS)
        if call is Call.FINISH:
            self.doubted = self.doubted or what in ("lost", Verdict.UNKNOWN)
            self.unresolved = self.doubted
        if call is Call.FINISH and what in (Verdict.OURS, Verdict.FILE_GONE):
            self.unresolved, self.spoiled = False, True
        if what in ("adopted", Verdict.GONE) or (what == "done" and call in (Call.FINISH, Call.RETRACT)):
            self.unresolved = self.doubted = self.spoiled = self.alive = False

    # -- what is always true -------------------------------------------------------------------------------------------

    def is_sound(self) -> None:
        state, story = self.state, self.story
        stages = [attempt.stage for attempt in state.attempts]
        assert all(stage is Stage.GONE for stage in stages[:-1])
        assert 0 <= state.budget_used <= len(stages)
        assert state.withdrawn is self.withdrawn
        assert (Stage.FINISHED in stages) is (state.receipt is not None)
        if state.receipt is not None:
            assert story.status is Status.FINISHED
            assert story.decide() == Settle()
        assert (story.stage is Stage.OPENING) is (state.intent is not None and state.intent.call is Call.SUBMIT)

    def is_the_same_when_read(self) -> None:
        """What is recorded folds to what was reckoned on the way, and verifies."""
        journal = self.story.journal
        entries = journal.pending
        assert Journal.of("case-1", entries) == journal.recorded()
        events = zip(map(self.kit.decoded, entries), self.times, strict=True)
        assert fold("case-1", events) == journal.submission
        assert verify("case-1", entries, version=journal.version, digest=journal.digest) == ()

    def gets_home(self) -> None:
        """As soon as nothing goes wrong any more and a person decides what is asked, the delivery comes to its end."""
        if self.state.intent is not None:
            self.learns(self.state.intent.call, "lost")
            self.happens(self.kit.lost(self.state.intent.call))
        for _ in range(20):
            self.goes_on()
            if self.state.intent is not None:
                self.answer("done", None, None)
            elif self.story.status is Status.NEEDS_HUMAN:
                self.move(e.Overridden(actor="reviewer", reason="looked at"))
        if self.withdrawn:
            assert self.settled
        else:
            assert self.story.status is Status.FINISHED

    def kinds(self) -> Iterator[str]:
        """Yield what happened, for Hypothesis' statistics."""
        for entry in self.story.journal.pending:
            decoded = self.kit.decoded(entry)
            yield f"{type(decoded).__name__} {getattr(decoded, 'call', '')} {getattr(decoded, 'verdict', '')}"


@settings(max_examples=400)
@given(described=st.lists(st.booleans(), max_size=3), moves=moves)
def test_the_laws_of_a_delivery(kit: Any, described: list[bool], moves: list[Move]) -> None:
    """Never two living attempts; nothing but a finish while one is in doubt; nothing after a receipt; nothing filed that
    was withdrawn; nothing incomplete finished; nothing sent too late; no wait for ever; and from anywhere the way home."""
    history = History(kit, described)
    for move in moves:
        history.move(move)
    for kind in set(history.kinds()):
        event(kind)
    history.is_the_same_when_read()
    history.gets_home()
    history.is_the_same_when_read()
