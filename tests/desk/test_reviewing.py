"""What people do with a case: who has it, who decides, who approves, and who sees it at all."""

import hashlib
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, settings, strategies as st

from cybertip.cases.decisions import Dismissed, View
from cybertip.cases.journal import CaseJournal
from cybertip.cases.references import ReviewerId
from cybertip.cases.review import ReviewPolicy
from cybertip.cases.routing import Destination
from cybertip.cases.stages import Stage
from cybertip.desk.asking import look, page, pending, seen, told, unresolved
from cybertip.desk.placing import receive
from cybertip.desk.reviewing import approve, claim, decide, keep, miss, release, retry, route, take_back, view
from cybertip.desk.visibility import Viewer
from cybertip.errors import AdapterError, InvalidReport, NotNow, NotYours, UnknownCase
from cybertip.filing import verify
from cybertip.filing.chain import following
from cybertip.protocol import Environment

FOR = timedelta(minutes=10)


class Opened:
    """A desk with one case."""

    def __init__(self, kit: Any, *media: int, **office: Any) -> None:
        self.kit, self.desk = kit, kit.desk()
        self.desk.office = attrs.evolve(self.desk.office, **office)
        for number in media:
            self.desk.evidence.kept[f"e{number}"] = f"synthetic {number}".encode()
        self.key = self.desk.run(receive(self.desk.office, kit.signal(1, *media))).case

    def do(self, step: Any, *args: Any, **more: Any) -> Any:
        """Let somebody do something with the case."""
        return self.desk.run(step(self.desk.office, self.key, *args, **more))

    def by(self, step: Any, viewer: Viewer, *args: Any, **more: Any) -> Any:
        """Let a reviewer do something with the case."""
        return self.do(step, *args, reviewer=viewer.reviewer, **more)

    def claimed(self, viewer: Viewer) -> "Opened":
        self.by(claim, viewer, lasting=FOR)
        return self

    def head(self) -> Any:
        return self.desk.storage.head(self.key)


def test_one_reviewer_has_a_case_at_a_time(kit: Any) -> None:
    """Nobody takes a case from somebody; a claim ends by itself, can be prolonged, and given back."""
    opened = Opened(kit)
    assert opened.by(claim, kit.ANN, lasting=FOR).claim.until == kit.NOW + FOR
    with pytest.raises(NotYours, match="somebody else has it"):
        opened.by(claim, kit.BOB, lasting=FOR)
    opened.desk.clock.advance(FOR / 2)
    assert opened.by(claim, kit.ANN, lasting=FOR).claim.until == kit.NOW + FOR * 1.5
    opened.desk.clock.advance(FOR)
    assert opened.by(claim, kit.BOB, lasting=FOR).claim.reviewer == kit.BOB.reviewer
    assert opened.by(release, kit.ANN).claim.reviewer == kit.BOB.reviewer, (
        "to give back what one does not have is no fault"
    )
    assert opened.by(release, kit.BOB).claim is None
    assert opened.head().status == "review"


def test_who_decides_has_the_case(kit: Any) -> None:
    """A decision without a claim is refused, and so is one whose claim has lapsed; nothing is recorded then."""
    opened = Opened(kit)
    version = opened.head().version
    with pytest.raises(NotYours, match="claim it first"):
        opened.by(decide, kit.ANN, kit.decision())
    opened.claimed(kit.ANN)
    opened.desk.clock.advance(FOR)
    with pytest.raises(NotYours, match="claim it first"):
        opened.by(decide, kit.ANN, kit.decision())
    assert opened.head().version == version + 1
    case = opened.claimed(kit.ANN).by(decide, kit.ANN, kit.decision())
    assert (case.stage, case.decided_by, case.claim) == (Stage.DECIDED, "ann", None)
    assert opened.head().due_at == opened.desk.clock.now(), "a worker goes on at once"


def test_the_same_decision_again_is_the_same(kit: Any) -> None:
    """A reviewer whose connection broke decides again, and nothing happens twice; another decision comes too late."""
    opened = Opened(kit).claimed(kit.ANN)
    opened.by(decide, kit.ANN, kit.decision())
    version = opened.head().version
    assert opened.by(decide, kit.ANN, kit.decision()).stage is Stage.DECIDED
    assert opened.head().version == version
    with pytest.raises(NotNow, match="it is decided"):
        opened.by(decide, kit.ANN, Dismissed(reason="invented"))


def test_what_does_not_go_with_the_case_is_named_and_not_recorded(kit: Any) -> None:
    """A file that is not preserved yet keeps a decision from being recorded; once it is kept, nothing does."""
    opened = Opened(kit, 1).claimed(kit.ANN)
    version = opened.head().version
    with pytest.raises(InvalidReport, match="is not preserved yet"):
        opened.by(decide, kit.ANN, kit.decision(1))
    assert opened.head().version == version
    opened.do(keep, kit.image(1), evidence="e1")
    assert opened.by(decide, kit.ANN, kit.decision(1)).stage is Stage.DECIDED


def test_a_dismissal_is_recorded_and_calls_nobody(kit: Any) -> None:
    """What is not reported stays known, with who said so."""
    opened = Opened(kit).claimed(kit.ANN)
    case = opened.by(decide, kit.ANN, kit.DISMISSED)
    assert (case.stage, case.decided_by, case.decision) == (Stage.DISMISSED, "ann", kit.DISMISSED)


def test_a_second_person_approves(kit: Any) -> None:
    """Where the organisation asks for it, production is filed by two: the one who decided is not the second."""
    opened = Opened(kit, environment=Environment.PRODUCTION, review=ReviewPolicy(second_approval=True)).claimed(kit.ANN)
    assert opened.by(decide, kit.ANN, kit.decision()).stage is Stage.APPROVAL
    with pytest.raises(NotYours, match="second person"):
        opened.by(approve, kit.ANN)
    case = opened.by(approve, kit.BOB)
    assert (case.stage, case.approved_by) == (Stage.DECIDED, "bob")
    version = opened.head().version
    opened.by(approve, kit.BOB)
    assert opened.head().version == version


def test_a_decision_is_taken_back(kit: Any) -> None:
    """As long as nothing can be under way, the case is decided again; afterwards it is too late."""
    opened = Opened(kit).claimed(kit.ANN)
    with pytest.raises(NotNow, match="it is open"):
        opened.by(take_back, kit.BOB, reason="invented")
    opened.by(decide, kit.ANN, kit.decision())
    assert opened.by(take_back, kit.BOB, reason="invented").stage is Stage.RETURNED
    with pytest.raises(NotNow, match="it is returned, and cannot be retried"):
        opened.by(retry, kit.BOB, reason="invented")
    assert opened.claimed(kit.BOB).by(decide, kit.BOB, kit.decision()).decided_by == "bob"


def test_a_case_is_sent_on_from_triage(kit: Any) -> None:
    """Whoever sorts sends it to those who decide, and to their queue."""
    opened = Opened(kit)
    case = opened.by(route, kit.ANN, to=Destination.REVIEW, queue="urgent")
    assert (case.queue, case.status) == ("urgent", "review")
    assert "queue:urgent" in opened.head().tags
    assert "queue:main" not in opened.head().tags


def test_nobody_decides_what_they_have_not_seen(kit: Any) -> None:
    """A signal that joins after a case was claimed has to be looked at, by claiming again: no decision, and no dismissal,
    passes over it."""
    opened = Opened(kit).claimed(kit.ANN)
    opened.desk.run(receive(opened.desk.office, kit.signal(2)))
    for decision in (kit.decision(), kit.DISMISSED):
        with pytest.raises(NotNow, match="signals came in since you claimed it"):
            opened.by(decide, kit.ANN, decision)
    assert opened.claimed(kit.ANN).by(decide, kit.ANN, kit.DISMISSED).stage is Stage.DISMISSED
    again = Opened(kit)
    again.desk.run(receive(again.desk.office, kit.signal(2)))
    assert again.claimed(kit.ANN).by(decide, kit.ANN, kit.DISMISSED).stage is Stage.DISMISSED


def test_one_newer_case_hides_no_others(kit: Any) -> None:
    """A claimed case that a newer program wrote in is on the list as it stands, and the others are, too."""
    opened = Opened(kit).claimed(kit.ANN)
    other = opened.desk.run(receive(opened.desk.office, kit.signal(2, creator=kit.user(2)))).case
    head = opened.head()
    entry = following(head.key, head.version, head.digest, kind="case.new/9", data="{}", at=kit.NOW)
    after = attrs.evolve(head, version=entry.version, digest=entry.digest)
    opened.desk.storage.append([entry], after, expected=head.version)
    listed = opened.desk.run(pending(opened.desk.office, kit.BOB, queue=None, limit=9))
    assert {one.case for one in listed} == {opened.key, other}


# -- files ----------------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_digested_here(kit: Any) -> None:
    """Size and digests are those of the bytes, and not what anybody says; what cannot be read is not kept."""
    opened = Opened(kit, 1, 2)
    kept = opened.do(keep, kit.image(1), evidence="e1").kept[kit.image(1)]
    assert (kept.size, kept.evidence) == (11, "e1")
    assert kept.sha256 == hashlib.sha256(b"synthetic 1").hexdigest()
    assert kept.md5 == hashlib.md5(b"synthetic 1").hexdigest()
    assert opened.do(keep, kit.image(1), evidence="e2").kept[kit.image(1)] == kept, "what was kept first counts"
    with pytest.raises(AdapterError, match="cannot be read"):
        opened.do(keep, kit.image(2), evidence="nowhere")
    with pytest.raises(NotNow, match="no signal of the case"):
        opened.do(keep, kit.image(9), evidence="e1")


def test_what_is_missing_is_said_once(kit: Any) -> None:
    """A file that cannot be had is left out of a decision; one that is kept is not missing."""
    opened = Opened(kit, 1, 2).claimed(kit.ANN)
    opened.do(keep, kit.image(1), evidence="e1")
    assert list(opened.do(miss, kit.image(2), reason="gone").missing) == [kit.image(2)]
    assert list(opened.do(miss, kit.image(1), reason="gone").missing) == [kit.image(2)]
    assert opened.by(decide, kit.ANN, kit.decision(1)).stage is Stage.DECIDED


def test_a_view_is_recorded_of_the_bytes_that_are_kept(kit: Any) -> None:
    """Who looked, at what, how far: all of it is said, none assumed, and nothing of a file that is not kept."""
    opened = Opened(kit, 1)
    with pytest.raises(NotNow, match="not kept yet"):
        opened.by(view, kit.ANN, kit.image(1), wholly=True, exif=False, at=None)
    opened.do(keep, kit.image(1), evidence="e1")
    case = opened.by(view, kit.ANN, kit.image(1), wholly=True, exif=False, at=None)
    (seen_,) = case.views_of(kit.image(1))
    assert (seen_.sha256, seen_.reviewer, seen_.wholly, seen_.exif) == (
        case.kept[kit.image(1)].sha256,
        "ann",
        True,
        False,
    )
    again = opened.by(view, kit.ANN, kit.image(1), wholly=True, exif=False, at=seen_.at)
    assert again.views == case.views


@pytest.mark.parametrize(("who", "minutes"), [("bob", -1), ("ann", 1)])
def test_nobody_speaks_for_anothers_eyes(kit: Any, who: str, minutes: int) -> None:
    """A decision claims the views that are recorded, and the reviewer's own until now: not what somebody else is said to
    have seen, and not what is yet to be seen."""
    opened = Opened(kit, 1).claimed(kit.ANN)
    sha256 = opened.do(keep, kit.image(1), evidence="e1").kept[kit.image(1)].sha256
    at = kit.NOW + timedelta(minutes=minutes)
    claims = View(sha256=sha256, reviewer=ReviewerId(who), at=at, wholly=True, exif=True)
    (media,) = kit.decision(1).media
    decision = attrs.evolve(kit.decision(1), media=(attrs.evolve(media, views=(claims,)),))
    with pytest.raises(InvalidReport, match=r"decision\.media\[0\]\.views\[0\]: has no record"):
        opened.by(decide, kit.ANN, decision)
    if minutes < 0:
        # Bob says so himself.
        opened.by(view, kit.BOB, kit.image(1), wholly=True, exif=True, at=at)
    else:
        opened.desk.clock.advance(timedelta(minutes=minutes))
    assert opened.by(decide, kit.ANN, decision).views == (claims,)


# -- who sees what --------------------------------------------------------------------------------------------------------


def visible(opened: Opened, viewer: Viewer) -> bool:
    """Tell whether somebody sees the case, in a list and by its key alike."""
    office, desk = opened.desk.office, opened.desk
    listed = [one.case for one in desk.run(page(office, viewer, status=None, tag=None, after=None, limit=9))]
    try:
        desk.run(seen(office, viewer, opened.key, look(office, opened.key)))
    except UnknownCase:
        assert listed == []
        return False
    assert listed == [opened.key]
    return True


def test_test_cases_are_seen_by_who_decided_them(kit: Any) -> None:
    """Before the decision they are everybody's of the organisation, and afterwards nobody's but theirs."""
    nobody = attrs.evolve(kit.BOB, child_safety=False)
    opened = Opened(kit).claimed(kit.ANN)
    assert visible(opened, nobody)
    opened.by(decide, kit.ANN, kit.decision())
    assert visible(opened, kit.ANN)
    assert visible(opened, attrs.evolve(kit.ANN, child_safety=False))
    assert not visible(opened, kit.BOB)


def test_production_cases_are_seen_by_who_may(kit: Any) -> None:
    """Without the permission there are none: no case, no queue, no signal."""
    opened = Opened(kit, environment=Environment.PRODUCTION).claimed(kit.ANN)
    office, desk = opened.desk.office, opened.desk
    desk.run(receive(office, attrs.evolve(kit.signal(2), creator=None)))
    without = attrs.evolve(kit.BOB, child_safety=False)
    for _ in range(2):
        assert visible(opened, kit.BOB)
        assert not visible(opened, without)
        assert desk.run(pending(office, without, queue=None, limit=9)) == ()
        with pytest.raises(UnknownCase):
            desk.run(told(office, without, unresolved(office, after=None, limit=9)))
        assert len(desk.run(told(office, kit.BOB, unresolved(office, after=None, limit=9)))) == 1
        if desk.cases()[opened.key].stage is Stage.OPEN:
            opened.by(decide, kit.ANN, kit.decision())


@pytest.mark.parametrize("other", [{"organisation": "o2"}, {"environment": Environment.TEST}])
def test_what_is_another_desks_is_not_there(kit: Any, other: dict[str, Any]) -> None:
    """A case of another organisation, or of another environment, cannot be told from one that there is none of."""
    opened = Opened(kit)
    strangers = attrs.evolve(opened.desk.office, **other)
    messages = []
    for key in (opened.key, "case/00000000000000000000000000000000/000001"):
        for step in (
            look(strangers, key),
            seen(strangers, kit.ANN, key, look(strangers, key)),
            claim(strangers, key, reviewer=kit.ANN.reviewer, lasting=FOR),
        ):
            with pytest.raises(UnknownCase) as refused:
                opened.desk.run(step)
            messages.append(str(refused.value).replace(key, ""))
    assert len(set(messages)) == 1
    assert opened.desk.run(page(strangers, kit.ANN, status=None, tag=None, after=None, limit=9)) == ()


def test_the_queue_shows_the_most_urgent_first_and_not_what_others_have(kit: Any) -> None:
    """Whoever looks for work finds what nobody else has, by priority; a claim that lapsed hides nothing."""
    opened = Opened(kit)
    desk, office = opened.desk, opened.desk.office
    urgent = attrs.evolve(kit.signal(2, creator=kit.user(2)), source="urgent")
    rules = attrs.evolve(office.rules, rules=(attrs.evolve(office.rules.rules[0], source="urgent", priority=9),))
    second = desk.run(receive(attrs.evolve(office, rules=rules), urgent)).case
    third = desk.run(receive(office, kit.signal(3, creator=kit.user(3)))).case

    def queue(viewer: Viewer, **more: Any) -> list[str]:
        return [one.case for one in desk.run(pending(office, viewer, **{"queue": None, "limit": 9} | more))]

    assert queue(kit.BOB) == [second, *sorted([opened.key, third])]
    desk.run(claim(office, second, reviewer=kit.ANN.reviewer, lasting=FOR))
    assert second not in queue(kit.BOB)
    assert queue(kit.ANN)[0] == second
    desk.clock.advance(FOR)
    assert queue(kit.BOB, limit=1) == [second]
    desk.run(route(office, third, reviewer=kit.ANN.reviewer, to=Destination.REVIEW, queue="other"))
    assert queue(kit.BOB, queue="other") == [third]


# -- at once --------------------------------------------------------------------------------------------------------------

STEPS: dict[str, Any] = {
    "claim": lambda office, key, who: claim(office, key, reviewer=who.reviewer, lasting=FOR),
    "release": lambda office, key, who: release(office, key, reviewer=who.reviewer),
    "take back": lambda office, key, who: take_back(office, key, reviewer=who.reviewer, reason="x"),
    "approve": lambda office, key, who: approve(office, key, reviewer=who.reviewer),
}


@settings(max_examples=100)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from([*STEPS, "claim", "decide", "decide", "signal", "wait"] + ["step"] * 8),
            st.integers(0, 30),
        ),
        min_size=20,
        max_size=80,
    )
)
def test_whatever_comes_together_is_told_one_after_the_other(kit: Any, moves: list[tuple[str, int]]) -> None:
    """Reviewers and signals that come at the same moment leave a journal that could have come one by one, and a head that
    goes with it; who is refused has changed nothing."""
    opened = Opened(kit, review=ReviewPolicy(second_approval=True), environment=Environment.PRODUCTION)
    desk, office = opened.desk, opened.desk.office
    under_way: list[Any] = []
    for what, number in moves:
        who = kit.ANN if number % 2 else kit.BOB
        try:
            match what:
                case "step" if under_way:
                    under_way[number % len(under_way)].step()
                case "wait":
                    desk.clock.advance(timedelta(minutes=number))
                case "signal":
                    under_way.append(desk.begin(receive(office, kit.signal(number))))
                case "decide":
                    flow = decide(office, opened.key, kit.decision(), reviewer=who.reviewer)
                    under_way.append(desk.begin(flow))
                case "step":
                    pass
                case _:
                    under_way.append(desk.begin(STEPS[what](office, opened.key, who)))
        except (NotYours, NotNow, StopIteration):
            pass
        under_way = [running for running in under_way if not running.is_over]
    for key, case in desk.cases().items():
        entries, head = desk.storage.read(key), desk.storage.head(key)
        assert verify(key, entries, version=head.version, digest=head.digest) == ()
        assert CaseJournal.of(key, entries).case == case
        assert (head.status, head.priority, head.report_id) == (case.status, case.priority, case.report_id)
