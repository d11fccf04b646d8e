"""The life of a case, step by step: what its table allows happens, and nothing else."""

from typing import Any

import attrs
import pytest

from cybertip.cases import events as e
from cybertip.cases.case import status_when_joined
from cybertip.cases.decisions import Decision, Dismissed, MediaDecision
from cybertip.cases.journal import CaseJournal
from cybertip.cases.references import EvidenceId, ReviewerId, UserRef
from cybertip.cases.review import ReviewPolicy, decided
from cybertip.cases.routing import Destination
from cybertip.cases.stages import JOINABLE, REVIEWABLE, TRANSITIONS, Stage
from cybertip.errors import InvalidReport, UnknownEvent
from cybertip.filing import verify
from cybertip.model import IncidentType, ReportId

CANNOT_BE = "cannot have been written by this program"


def stages(kit: Any) -> dict[Stage, tuple[e.Event, ...]]:
    """Return a way to each stage."""
    begun = (kit.opened(), e.Joined(signal=kit.signal(1, 1)), kit.kept(), kit.claimed())
    proposed = (*begun, e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=True))
    agreed = (*begun, e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=False))
    ready = (*agreed, kit.enriched())
    return {
        Stage.OPEN: begun,
        Stage.RETURNED: (*proposed, e.Returned(reviewer=kit.BOB, reason="x"), kit.claimed()),
        Stage.APPROVAL: proposed,
        Stage.DECIDED: agreed,
        Stage.READY: ready,
        Stage.BLOCKED: (*ready, e.Blocked(reasons=("report.reporter: is missing",))),
        Stage.FILED: (*ready, kit.FILED),
        Stage.REPORTED: (*ready, kit.FILED, e.Reported(report_id=ReportId(4564654))),
        Stage.RETRACTED: (*ready, kit.FILED, e.Retracted()),
        Stage.DISMISSED: (
            *begun,
            e.Decided(reviewer=kit.ANN, decision=Dismissed(reason="x"), needs_approval=False),
        ),
    }


def happenings(kit: Any) -> dict[str, e.Event]:
    """Return an event for each word of the table that goes with the ways above."""
    return {
        "joined": e.Joined(signal=kit.signal(2)),
        "routed": e.Routed(reviewer=kit.ANN),
        "mediakept": kit.kept(2),
        "mediamissing": e.MediaMissing(media=kit.image(2), reason="gone"),
        "viewed": e.Viewed(view=kit.view()),
        "claimed": kit.claimed(),
        "released": e.Released(reviewer=kit.ANN),
        "decided": e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=False),
        "proposed": e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=True),
        "dismissed": e.Decided(reviewer=kit.ANN, decision=Dismissed(reason="x"), needs_approval=False),
        "approved": e.Approved(reviewer=kit.BOB),
        "returned": e.Returned(reviewer=kit.BOB, reason="x"),
        "enriched": kit.enriched(),
        "delayed": e.Delayed(reason="x"),
        "blocked": e.Blocked(reasons=("x",)),
        "retried": e.Retried(reviewer=kit.BOB, reason="x"),
        "filed": kit.FILED,
        "reported": e.Reported(report_id=ReportId(1)),
        "preserved": e.Preserved(),
        "retracted": e.Retracted(),
        "notified": e.Notified(of="case.filed"),
        "overdue": e.Overdue(of="case.filed", reason="x"),
    }


@pytest.mark.parametrize("stage", Stage)
def test_only_what_the_table_allows_happens(kit: Any, stage: Stage) -> None:
    """In each stage each event leads where the table says, or nowhere: the journal of a case that did otherwise is held."""
    assert {word for _, word in TRANSITIONS} == happenings(kit).keys()
    for word, event in happenings(kit).items():
        journal = kit.told(*stages(kit)[stage])
        assert journal.case.stage is stage
        if word == "released" and journal.case.claim is None and (stage, word) in TRANSITIONS:
            journal = journal.then(kit.claimed(), kit.NOW)
        if (stage, word) in TRANSITIONS:
            assert journal.then(event, kit.NOW).case.stage is TRANSITIONS[stage, word]
        else:
            with pytest.raises(UnknownEvent, match=CANNOT_BE):
                journal.then(event, kit.NOW)


def test_a_filing_comes_from_one_place_and_there_is_no_way_back() -> None:
    """Only a case whose decision and enrichment are recorded is filed, and none that was filed ever comes to be again."""
    assert [stage for stage, word in TRANSITIONS if word == "filed"] == [Stage.READY]
    assert {stage for (stage, word) in TRANSITIONS if word == "enriched"} == {Stage.DECIDED}
    reached, grown = {Stage.FILED}, True
    while grown:
        more = reached | {after for (stage, _), after in TRANSITIONS.items() if stage in reached}
        grown, reached = more != reached, more
    assert reached == {Stage.FILED, Stage.REPORTED, Stage.RETRACTED}


def test_the_door_shuts_once(kit: Any) -> None:
    """A case that was decided never takes a signal again, and its status says so: what is not in it can go elsewhere."""
    assert {stage for stage, word in TRANSITIONS if word == "joined"} == {Stage.OPEN}
    assert {stage for (stage, _), after in TRANSITIONS.items() if after is Stage.OPEN} == {Stage.OPEN}
    for stage, way in stages(kit).items():
        assert (kit.case(*way).status in JOINABLE) == (stage is Stage.OPEN)
    undecided = {Stage.OPEN, Stage.RETURNED, Stage.APPROVAL, Stage.BLOCKED}
    for stage, way in stages(kit).items():
        assert (kit.case(*way).status in REVIEWABLE) == (stage in undecided)


def test_a_case_begins_once_with_its_opening(kit: Any) -> None:
    """A journal that begins with anything else, or opens twice, was not written by this program."""
    for event in (*happenings(kit).values(),):
        with pytest.raises(UnknownEvent, match="does not begin with its opening"):
            CaseJournal(key=kit.KEY).then(event, kit.NOW)
    with pytest.raises(UnknownEvent, match=CANNOT_BE):
        kit.told(kit.opened(), kit.opened())


# -- signals --------------------------------------------------------------------------------------------------------------


def test_a_signal_that_comes_again_changes_nothing(kit: Any) -> None:
    """Whatever was repeated after a crash is in the case once, as it first came."""
    once = kit.case(kit.opened(), e.Joined(signal=kit.signal(1, 1), to=Destination.TRIAGE))
    again = kit.case(
        kit.opened(),
        e.Joined(signal=kit.signal(1, 1), to=Destination.TRIAGE),
        e.Joined(signal=kit.signal(1, 2), to=Destination.REVIEW, priority=3),
    )
    assert again == once
    assert list(again.media) == [kit.image(1)]


def test_a_signal_about_somebody_else_does_not_join(kit: Any) -> None:
    """What one user did never gets into a report of another."""
    journal = kit.told(kit.opened())
    stranger = attrs.evolve(kit.signal(1), creator=UserRef(id="u2", type_id="user"))
    with pytest.raises(UnknownEvent, match="about somebody else"):
        journal.then(e.Joined(signal=stranger), kit.NOW)
    known = attrs.evolve(kit.signal(1), creator=kit.USER)
    assert list(journal.then(e.Joined(signal=known), kit.NOW).case.signals) == ["s1"]


def test_nothing_that_a_signal_brings_is_lost(kit: Any) -> None:
    """Files, conversations and matches of every signal are in the case."""
    case = kit.case(kit.opened(), *(e.Joined(signal=one) for one in (kit.signal(1, 1, 2), kit.matched(2, 3))))
    assert list(case.media) == [kit.image(1), kit.image(2), kit.image(3)]
    assert list(case.signals) == ["s1", "s2"]
    assert case.threads == ("t1",)
    assert [one.media for one in case.matches] == [kit.image(3)]


@pytest.mark.parametrize("before", Destination)
@pytest.mark.parametrize("to", Destination)
def test_the_most_urgent_signal_counts(kit: Any, before: Destination, to: Destination) -> None:
    """A case goes where its most urgent signal does, and where it stands is known from its last status alone."""
    journal = kit.told(kit.opened(), e.Joined(signal=kit.signal(1), to=before))
    joined = journal.then(e.Joined(signal=kit.signal(2), to=to, priority=1), kit.NOW).case
    urgency = [Destination.NOTED, Destination.TRIAGE, Destination.REVIEW]
    assert joined.destination is urgency[max(urgency.index(before), urgency.index(to))]
    assert joined.status == status_when_joined(journal.case.status, to)
    assert joined.priority == 1
    taken = journal.then(kit.claimed(), kit.NOW)
    assert taken.case.status == "claimed" == status_when_joined("claimed", to)
    assert taken.then(e.Joined(signal=kit.signal(2), to=to), kit.NOW).case.status == "claimed"


def test_a_person_sends_a_case_on_from_triage(kit: Any) -> None:
    """Triage ends where a person says so."""
    triaged = e.Joined(signal=kit.signal(1), to=Destination.TRIAGE, queue="t")
    assert kit.case(kit.opened(), triaged).status == "triage"
    sent = kit.case(kit.opened(), triaged, e.Routed(reviewer=kit.ANN, queue="urgent"))
    assert (sent.status, sent.queue) == ("review", "urgent")


# -- claims ---------------------------------------------------------------------------------------------------------------


def test_one_reviewer_has_a_case_at_a_time(kit: Any) -> None:
    """While a claim lasts nobody else claims, whoever has it can prolong it, and when it has lapsed it is anybody's."""
    journal = kit.told(kit.opened(), kit.claimed(kit.ANN, 600))
    with pytest.raises(UnknownEvent, match="somebody else had it"):
        journal.then(kit.claimed(kit.BOB, 900), kit.after(599))
    assert journal.then(kit.claimed(kit.ANN, 900), kit.after(599)).case.claim_at(kit.after(899)) is not None
    assert journal.case.claim_at(kit.after(600)) is None
    assert journal.then(kit.claimed(kit.BOB, 900), kit.after(600)).case.claim == kit.claimed(kit.BOB, 900)


def test_only_who_has_a_case_gives_it_back(kit: Any) -> None:
    """A claim is given up by whoever holds it."""
    journal = kit.told(kit.opened(), kit.claimed(kit.ANN))
    with pytest.raises(UnknownEvent, match="did not have it"):
        journal.then(e.Released(reviewer=kit.BOB), kit.NOW)
    assert journal.then(e.Released(reviewer=kit.ANN), kit.NOW).case.claim is None


@pytest.mark.parametrize("seconds", [0, 600])
def test_a_decision_needs_the_claim(kit: Any, seconds: int) -> None:
    """Nobody decides a case that they do not have, or have no longer."""
    journal = kit.told(kit.opened(), kit.claimed(kit.ANN, 600))
    reviewer = kit.BOB if seconds == 0 else kit.ANN
    event = e.Decided(reviewer=reviewer, decision=kit.decision(), needs_approval=False)
    with pytest.raises(UnknownEvent, match="did not have it"):
        journal.then(event, kit.after(seconds))


# -- decisions ------------------------------------------------------------------------------------------------------------


def test_nobody_approves_what_they_decided(kit: Any) -> None:
    """The second person is another one."""
    journal = kit.told(*stages(kit)[Stage.APPROVAL])
    with pytest.raises(UnknownEvent, match="whoever decided it"):
        journal.then(e.Approved(reviewer=kit.ANN), kit.NOW)
    approved = journal.then(e.Approved(reviewer=kit.BOB), kit.NOW).case
    assert (approved.decided_by, approved.approved_by) == (kit.ANN, kit.BOB)


def test_a_decision_that_was_taken_back_is_made_again(kit: Any) -> None:
    """Nothing of it counts any more but that its views happened."""
    viewed = e.Decided(reviewer=kit.ANN, decision=kit.decision(1, views=True), needs_approval=True)
    journal = kit.told(*stages(kit)[Stage.OPEN], viewed, e.Returned(reviewer=kit.BOB, reason="x"))
    case = journal.case
    assert (case.stage, case.decision, case.decided_by, case.claim) == (Stage.RETURNED, None, None, None)
    assert case.views_of(kit.image(1)) == (kit.view(),)


@pytest.mark.parametrize("environment", e.Environment)
@pytest.mark.parametrize("second", [True, False])
def test_a_second_person_approves_for_production(kit: Any, environment: e.Environment, second: bool) -> None:
    """Where the organisation asks for it, production filings are approved; test filings and dismissals never are."""
    case = kit.case(kit.opened(environment))
    policy = ReviewPolicy(second_approval=second)
    event = decided(case, kit.decision(), reviewer=kit.ANN, policy=policy)
    assert event.needs_approval == (second and environment == "production")
    assert not decided(case, Dismissed(reason="x"), reviewer=kit.ANN, policy=policy).needs_approval


def test_part_of_the_files_only_where_the_policy_says_so(kit: Any) -> None:
    """A file about which nothing was decided is allowed by the policy alone; what is missing needs no decision."""
    joined = e.Joined(signal=kit.signal(1, 1, 2, 3))
    case = kit.case(kit.opened(), joined, kit.kept(1), kit.kept(2), e.MediaMissing(media=kit.image(3), reason="gone"))
    with pytest.raises(InvalidReport, match=r"decision\.media: says nothing about 1 files"):
        decided(case, kit.decision(1), reviewer=kit.ANN)
    partly = decided(case, kit.decision(1), reviewer=kit.ANN, policy=ReviewPolicy(partial=True))
    assert partly.decision == kit.decision(1)
    assert decided(case, kit.decision(1, 2), reviewer=kit.ANN).decision == kit.decision(1, 2)


def test_a_decision_goes_with_its_case(kit: Any) -> None:
    """Files of other cases, missing ones and ones that are not preserved yet are named, all at once, and none is filed."""
    joined = e.Joined(signal=kit.signal(1, 1, 2))
    case = kit.case(kit.opened(), joined, e.MediaMissing(media=kit.image(2), reason="gone"))
    with pytest.raises(InvalidReport) as refused:
        decided(case, kit.decision(1, 2, 9), reviewer=kit.ANN)
    found = [(one.path, one.rule, one.message) for one in refused.value.violations]
    assert found == [
        ("decision.media[0]", "not-kept", "is not preserved yet: decide when it is"),
        ("decision.media[1]", "not-kept", "is missing: leave it out"),
        ("decision.media[2]", "unknown-media", "is not a file of the case"),
    ]
    journal = kit.told(kit.opened(), joined, kit.claimed())
    with pytest.raises(UnknownEvent, match="does not go with it"):
        journal.then(e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=False), kit.NOW)


# -- what waits, and what the host is told ----------------------------------------------------------------------------------


def test_a_delay_is_shown_as_long_as_it_lasts(kit: Any) -> None:
    """Whoever looks sees why a case waits, and not what it waited for once."""
    waiting = (*stages(kit)[Stage.DECIDED], e.Delayed(reason="x"))
    assert kit.case(*waiting).delay == "x"
    assert kit.case(*waiting, e.Delayed(reason="y")).delay == "y"
    for then in (kit.enriched(), e.Blocked(reasons=("z",)), e.Returned(reviewer=kit.BOB, reason="x")):
        assert kit.case(*waiting, then).delay is None


def test_what_blocks_a_case_is_gone_when_it_is_tried_again(kit: Any) -> None:
    """A person says that the filing is tried again; the platform is then asked again."""
    case = kit.case(*stages(kit)[Stage.BLOCKED], e.Retried(reviewer=kit.BOB, reason="x"))
    assert (case.stage, case.reasons, case.enriched) == (Stage.DECIDED, (), None)
    assert case.decision is not None


def test_what_is_overdue_is_shown_until_it_is_done(kit: Any) -> None:
    """The host that could not be told of something is a case's last debt."""
    reported = stages(kit)[Stage.REPORTED]
    overdue = (*reported, e.Overdue(of="case.filed", reason="x"), e.Overdue(of=e.PRESERVATION, reason="y"))
    assert kit.case(*overdue).overdue == {"case.filed": "x", e.PRESERVATION: "y"}
    told = kit.case(*overdue, e.Notified(of="case.filed"))
    assert (told.overdue, told.notified, told.preserved) == ({e.PRESERVATION: "y"}, {"case.filed"}, False)
    done = kit.case(*overdue, e.Notified(of="case.filed"), e.Preserved())
    assert (done.overdue, done.preserved) == ({}, True)


# -- views ----------------------------------------------------------------------------------------------------------------


def test_a_match_is_no_view(kit: Any) -> None:
    """A file that is known, preserved, classified and reported was viewed by nobody until somebody looked at it."""
    case = kit.case(
        kit.opened(),
        e.Joined(signal=kit.matched(1, 1)),
        kit.kept(1),
        kit.claimed(),
        e.Decided(reviewer=kit.ANN, decision=kit.decision(1), needs_approval=False),
    )
    assert case.matches
    assert case.views_of(kit.image(1)) == ()


def test_a_view_is_of_the_bytes_that_are_kept(kit: Any) -> None:
    """Who looked at other bytes has not looked at this file; a decision that claims so is refused."""
    begun = (kit.opened(), e.Joined(signal=kit.signal(1, 1)), kit.kept(1), kit.claimed())
    case = kit.case(*begun, e.Viewed(view=kit.view(2)), e.Viewed(view=kit.view(1, wholly=False)))
    assert case.views_of(kit.image(1)) == (kit.view(1, wholly=False),)
    claims = MediaDecision(media=kit.image(1), include=True, views=(kit.view(2),))
    decision = Decision(incident_type=IncidentType.ONLINE_ENTICEMENT, media=(claims,))
    with pytest.raises(InvalidReport, match=r"decision\.media\[0\]\.views: claims a view of other bytes"):
        decided(case, decision, reviewer=kit.ANN)
    with pytest.raises(UnknownEvent, match="other-bytes"):
        kit.told(*begun, e.Decided(reviewer=kit.ANN, decision=decision, needs_approval=False))


def test_the_first_to_keep_a_file_has_kept_it(kit: Any) -> None:
    """What was viewed and decided of a file is about the bytes that were kept first, whatever is kept later."""
    later = e.MediaKept(media=kit.image(1), evidence=EvidenceId("e9"), sha256=kit.digest(9), md5="9", size=1)
    case = kit.case(*stages(kit)[Stage.READY], later)
    assert case.kept == {kit.image(1): kit.kept(1)}
    found = kit.case(kit.opened(), e.MediaMissing(media=kit.image(1), reason="gone"), kit.kept(1))
    assert (found.missing, list(found.kept)) == ({}, [kit.image(1)])
    assert kit.case(kit.opened(), kit.kept(1), e.MediaMissing(media=kit.image(1), reason="gone")).missing == {}


# -- the journal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", Stage)
def test_a_journal_that_is_read_is_the_one_that_was_written(kit: Any, stage: Stage) -> None:
    """What follows from a journal is the same whether it is told or read, and its chain verifies."""
    journal = kit.told(*stages(kit)[stage])
    entries = journal.pending
    assert CaseJournal.of(kit.KEY, entries) == journal.recorded()
    assert verify(kit.KEY, entries, version=journal.version, digest=journal.digest) == ()
    assert CaseJournal.of(kit.KEY, ()) == CaseJournal(key=kit.KEY)


def test_what_was_known_is_not_changed_by_what_comes_after(kit: Any) -> None:
    """A case that somebody holds stays what it was while its journal goes on."""
    journal = kit.told(kit.opened(), e.Joined(signal=kit.signal(1, 1)))
    before = journal.case
    journal.then(e.Joined(signal=kit.signal(2, 2)), kit.NOW).then(kit.kept(1), kit.NOW)
    assert list(before.signals) == ["s1"]
    assert (list(before.media), before.kept) == ([kit.image(1)], {})


def test_a_case_can_stand_in_a_log(kit: Any) -> None:
    """The repr of a case says where it stands, and nothing about whom it is about or who saw to it."""
    for way in stages(kit).values():
        shown = repr(kit.case(*way))
        assert kit.KEY in shown
        for secret in ("u1", "invented", "'ann'", "s1", "t1", "e1"):
            assert secret not in shown
    assert ReviewerId("ann") == kit.ANN
