"""Whatever is tried with the cases of a user, and in whatever order, the laws of a case hold.

Signals come in, and come in again after a crash; reviewers claim, look, decide, approve and take back, with right and
without; claims lapse; filings are made, and tried again. What cannot happen is refused, and everything else is told.
"""

from collections import Counter
from typing import Any

import attrs
from hypothesis import event, given, settings, strategies as st

from cybertip.cases import events as e
from cybertip.cases.case import fold, status_when_joined
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision, View
from cybertip.cases.journal import CaseJournal
from cybertip.cases.references import ReviewerId
from cybertip.cases.review import ReviewPolicy, decided
from cybertip.cases.routing import Destination
from cybertip.cases.stages import JOINABLE
from cybertip.errors import InvalidReport, UnknownEvent
from cybertip.filing import verify
from cybertip.model import IncidentType, ReportId

REVIEWERS = [ReviewerId("ann"), ReviewerId("bob")]


@attrs.frozen
class Move:
    """Something that is tried: what, with which signal or file, by whom, with how old a case, and how."""

    what: str
    number: int
    reviewer: ReviewerId
    case: int
    yes: bool


WORDS = (
    ("signal",) * 4
    + ("keep", "keep", "whole", "whole", "claim", "claim", "decide", "decide", "wait")
    + (
        *("retry", "retract", "delay"),
        *("missing", "view", "release", "dismiss", "approve", "return", "enrich", "block", "file", "report", "route"),
        *("preserve", "lie"),
    )
)
moves = st.lists(
    st.builds(
        Move,
        st.sampled_from(WORDS),
        st.integers(1, 4),
        st.sampled_from(REVIEWERS),
        st.integers(0, 1),
        st.booleans(),
    ),
    max_size=60,
)


class World:
    """The cases of one user, and what was done to them."""

    def __init__(self, kit: Any) -> None:
        self.kit, self.seconds = kit, 0.0
        self.journals: list[CaseJournal] = []
        #: To which case each signal was sent, as its own journal would say.
        self.placed: dict[int, int] = {}

    @property
    def now(self) -> Any:
        return self.kit.after(self.seconds)

    def attempt(self, index: int, event: e.Event) -> bool:
        """Record an event, if it can be."""
        try:
            self.journals[index] = self.journals[index].then(event, self.now)
        except UnknownEvent:
            return False
        return True

    def signal(self, number: int, to: Destination) -> None:
        """Send a signal where it belongs: to the newest case while that is open, or to a new one; always to the same."""
        if number not in self.placed:
            if not self.journals or self.journals[-1].case.status not in JOINABLE:
                key = f"case/{len(self.journals) + 1}"
                self.journals.append(CaseJournal(key=key).then(self.kit.opened(), self.now))
            self.placed[number] = len(self.journals) - 1
        index = self.placed[number]
        before = self.journals[index].case
        joined = self.attempt(index, e.Joined(signal=self.kit.signal(number, number), to=to))
        after = self.journals[index].case
        # A worker that was slow may bring it a second time, and finds it there or the door shut.
        assert joined or f"s{number}" in before.signals
        if joined and f"s{number}" not in before.signals:
            assert after.status == status_when_joined(before.status, to)

    def decide(self, move: Move, index: int) -> None:
        """Decide all that is kept, claiming views or not."""
        case = self.journals[index].case
        media = tuple(
            MediaDecision(media=ref, include=True, views=(self.view(kept.sha256, move),) if move.yes else ())
            for ref, kept in case.kept.items()
            if ref in case.media
        )
        decision = Decision(incident_type=IncidentType.ONLINE_ENTICEMENT, media=media, additional_info="invented")
        policy = ReviewPolicy(partial=move.number % 2 == 0, second_approval=move.number > 2)
        try:
            self.attempt(index, decided(case, decision, reviewer=move.reviewer, policy=policy))
        except InvalidReport:
            assert not policy.partial

    def view(self, sha256: str, move: Move) -> View:
        return View(sha256=sha256, reviewer=move.reviewer, at=self.now, wholly=move.yes, exif=not move.yes)

    def lie(self, move: Move, index: int) -> None:
        """Claim a view of bytes that are not the file's, or report a file that is not kept: never recorded."""
        case = self.journals[index].case
        self.attempt(index, e.Claimed(reviewer=move.reviewer, until=self.kit.after(self.seconds + 1)))
        ref = self.kit.image(move.number)
        views = (self.view("f" * 64, move),) if ref in case.kept or move.yes else ()
        told = Decision(
            incident_type=IncidentType.ONLINE_ENTICEMENT, media=(MediaDecision(media=ref, include=True, views=views),)
        )
        assert not self.attempt(index, e.Decided(reviewer=move.reviewer, decision=told, needs_approval=False))

    def make(self, move: Move) -> None:
        if move.what == "wait":
            self.seconds += 30 * move.number
            return
        if move.what == "signal" or not self.journals:
            self.signal(move.number, list(Destination)[move.number % 3])
            if move.yes:
                assert self.attempt(self.placed[move.number], self.kit.kept(move.number))
            return
        index = max(0, len(self.journals) - 1 - move.case)
        file, reviewer = self.kit.image(move.number), move.reviewer
        match move.what:
            case "decide":
                self.decide(move, index)
            case "lie":
                self.lie(move, index)
            case "whole":
                self.attempt(index, e.Claimed(reviewer=reviewer, until=self.kit.after(self.seconds + 60)))
                self.decide(move, index)
                assert not self.attempt(index, e.Approved(reviewer=self.journals[index].case.decided_by or reviewer))
                self.attempt(index, e.Approved(reviewer=next(one for one in REVIEWERS if one != reviewer)))
                self.attempt(index, self.kit.enriched())
                self.attempt(index, self.kit.FILED)
            case what:
                self.attempt(index, self.single(what, move, file, reviewer))

    def single(self, what: str, move: Move, file: Any, reviewer: ReviewerId) -> e.Event:
        """Return the event of a move that is one."""
        dismissed = e.Decided(reviewer=reviewer, decision=Dismissed(reason="x"), needs_approval=False)
        events: dict[str, e.Event] = {
            "keep": self.kit.kept(move.number),
            "missing": e.MediaMissing(media=file, reason="gone"),
            "view": e.Viewed(view=self.view(self.kit.digest(move.number), move)),
            "claim": e.Claimed(reviewer=reviewer, until=self.kit.after(self.seconds + 60)),
            "release": e.Released(reviewer=reviewer),
            "dismiss": dismissed,
            "approve": e.Approved(reviewer=reviewer),
            "return": e.Returned(reviewer=reviewer, reason="x"),
            "enrich": self.kit.enriched(),
            "block": e.Blocked(reasons=("x",)),
            "retry": e.Retried(reviewer=reviewer, reason="x"),
            "retract": e.Retracted(),
            "delay": e.Delayed(reason="x"),
            "file": self.kit.FILED,
            "report": e.Reported(report_id=ReportId(1)),
            "route": e.Routed(reviewer=reviewer),
            "preserve": e.Preserved(),
        }
        return events[what]


def history(journal: CaseJournal) -> list[tuple[e.Event, Any]]:
    """Return what is recorded of a case."""
    return [(e.decode(entry.kind, entry.data), entry.recorded_at) for entry in journal.pending]


@settings(max_examples=250)
@given(moves=moves)
def test_the_laws_of_a_case(kit: Any, moves: list[Move]) -> None:
    """Each signal is in exactly one case; a case is filed at most once, after a decision of whoever had it, approved where
    that was asked for; no view is claimed without its record; and what is read is what was written."""
    world = World(kit)
    for move in moves:
        world.make(move)
    where = Counter(one for journal in world.journals for one in journal.case.signals)
    assert where == Counter({f"s{number}": 1 for number in world.placed})
    for journal in world.journals:
        told = history(journal)
        assert fold(journal.key, told) == journal.case == CaseJournal.of(journal.key, journal.pending).case
        assert verify(journal.key, journal.pending, version=journal.version, digest=journal.digest) == ()
        _one_filing(told)
        _views_have_records(kit, journal, told)
        event(f"a case is {journal.case.stage}")


def _one_filing(told: list[tuple[e.Event, Any]]) -> None:
    """At most one filing, and before it a decision that stands, by whoever had the case, and what it was made of."""
    assert sum(isinstance(one, e.Filed) for one, _ in told) <= 1
    holder: e.Claimed | None = None
    standing: e.Decided | None = None
    approved = enriched = False
    for one, at in told:
        match one:
            case e.Claimed():
                assert holder is None or holder.reviewer == one.reviewer or at >= holder.until
                holder = one
            case e.Decided():
                assert holder is not None
                assert holder.reviewer == one.reviewer
                assert at < holder.until
                standing, approved, enriched, holder = one, not one.needs_approval, False, None
            case e.Approved():
                assert standing is not None
                assert one.reviewer != standing.reviewer
                approved, holder = True, None
            case e.Released():
                holder = None
            case e.Returned():
                standing, holder = None, None
            case e.Retried():
                enriched, holder = False, None
            case e.Enriched():
                enriched, holder = True, None
            case e.Filed():
                assert standing is not None
                assert isinstance(standing.decision, Decision)
                assert approved
                assert enriched


def _views_have_records(kit: Any, journal: CaseJournal, told: list[tuple[e.Event, Any]]) -> None:
    records = {one.view for one, _ in told if isinstance(one, e.Viewed)}
    for one, _ in told:
        if isinstance(one, e.Decided) and isinstance(one.decision, Decision):
            records |= set(one.decision.views)
    case = journal.case
    for media in (kit.image(number) for number in range(1, 5)):
        views = case.views_of(media)
        assert set(views) <= records
        assert all(media in case.kept and view.sha256 == case.kept[media].sha256 for view in views)
    if isinstance(case.decision, Decision):
        for said in case.decision.included:
            assert set(said.views) <= set(case.views_of(said.media))
