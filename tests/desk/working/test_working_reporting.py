"""A case is filed once, by what was recorded, and looked after until NCMEC has it; what cannot be filed calls a person."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.desk import reporting
from cybertip.desk.reviewing import retry, take_back
from cybertip.errors import InvalidReport, NotNow, Violation
from cybertip.filing.chain import following


def test_what_is_filed_is_digested_in_the_case(world: Any, kit: Any) -> None:
    """The case says which submission is its filing, and of what bytes."""
    key = world.decided(kit.kept(1))
    world.work()
    filed = world.case(key).filed
    assert (filed.submission, filed.digest) == (f"{key}/report", world.submission(key).submission.filing.digest)
    assert world.submission(key).submission.tenant == world.office.organisation


def test_a_case_that_is_filed_twice_is_filed_once(world: Any, kit: Any) -> None:
    """Somebody had handed a filing over already: it is the filing, whatever would be made of the case now."""
    key = world.decided(kit.kept(1))
    other = kit.World()
    other.platform.clock.advance(timedelta(days=1))
    twin = other.decided(kit.kept(1), additional_info="said otherwise")
    other.work()
    filing = other.submission(twin).submission.filing
    world.courier.file(filing, key=f"{key}/report")
    world.pass_time(seconds=30)
    assert world.case(key).filed.digest == filing.digest
    assert world.states() == ["finished"]


def test_a_filing_that_somebody_hands_over_in_the_same_moment_is_the_filing(world: Any, kit: Any) -> None:
    """The key stands for another filing by now: the case is filed by that one, and the worker goes on."""
    key = world.decided(kit.kept(1))
    file = world.courier.file

    def outrun(filing: Any, **more: Any) -> Any:
        world.courier.file = file
        summary = attrs.evolve(filing.report.incident_summary, escalate_to_high_priority="invented")
        file(attrs.evolve(filing, report=attrs.evolve(filing.report, incident_summary=summary)), **more)
        return file(filing, **more)

    world.courier.file = outrun
    world.work()
    submitted = world.submission(key).submission.filing
    assert submitted.report.incident_summary.escalate_to_high_priority == "invented"
    assert (world.case(key).stage, world.case(key).filed.digest) == ("filed", submitted.digest)


def test_what_ncmec_would_refuse_is_blocked_for_a_person(world: Any, kit: Any) -> None:
    """The reasons name what is to be mended, the host hears of it once, and nothing is tried until somebody says so."""
    world.office = attrs.evolve(world.office, profile=attrs.evolve(kit.PROFILE, reporter_email=None))
    key = world.decided(kit.kept(1))
    world.work()
    assert world.storage.head(key).due_at is None
    world.pass_time(hours=3)
    case = world.case(key)
    assert (case.stage, world.submission(key)) == ("blocked", None)
    assert case.reasons == ("profile.reporter_email: is missing: NCMEC takes no report without it [required]",)
    assert [str(event.kind) for _, event in world.platform.told] == ["case.needs_human"]
    world.office = attrs.evolve(world.office, profile=kit.PROFILE)
    world.run(retry(world.office, key, reviewer=kit.ANN, reason="the setting was mended"))
    world.pass_time(seconds=30)
    assert world.states() == ["finished"]


def test_nothing_goes_back_once_it_may_be_under_way(world: Any, kit: Any) -> None:
    """From the moment a filing could be handed over, its decision stands."""
    key = world.decided(kit.kept(1))
    world.work()
    with pytest.raises(NotNow):
        world.run(take_back(world.office, key, reviewer=kit.ANN, reason="too late"))


def test_a_test_report_asks_nobody_to_preserve(kit: Any) -> None:
    """The host hears that it was filed; the platform is asked to preserve for real reports only."""
    world = kit.World(real=False)
    key = world.decided(kit.kept(1))
    world.pass_time(seconds=30)
    assert (world.case(key).stage, world.case(key).preserved) == ("reported", False)
    assert [str(event.kind) for _, event in world.platform.told] == ["case.filed"]
    assert world.platform.preserved == []


def test_who_has_no_endpoints_is_told_nothing(kit: Any) -> None:
    """Without an address there is nobody to be told, and nothing that could become overdue."""
    world = kit.World(profile=attrs.evolve(kit.PROFILE, preservation_url=None, case_event_url=None))
    key = world.decided(kit.kept(1))
    world.work()
    world.courier.run_due()
    world.clock.advance(timedelta(seconds=5))
    world.work()
    assert (world.case(key).stage, world.letters(), world.case(key).overdue) == ("reported", [], {})


def test_a_submission_is_looked_at_soon_and_then_less_often(world: Any, kit: Any) -> None:
    """Nobody waits long for a report that takes seconds, and one that takes days costs little."""
    key = world.decided(kit.kept(1))
    waits = []
    for _ in range(30):
        world.work()
        due_at = world.storage.head(key).due_at
        waits.append(due_at - world.clock.now())
        world.clock.advance(waits[-1])
    assert waits[0] == timedelta(seconds=1)
    assert waits[-1] == timedelta(minutes=5)
    assert world.case(key).stage == "filed"


def test_a_submission_that_waits_for_a_person_says_so_in_its_case(world: Any, kit: Any) -> None:
    """Its evidence is gone: the courier sends nothing, the case shows it, the host hears of it once, and it goes on."""
    key = world.decided(kit.kept(1))
    world.work()
    bytes_of_it = world.evidence.kept.pop("e1")
    world.pass_time(hours=3)
    delay = "its submission waits for a person: the evidence of file 1 cannot be read (FileNotFoundError)"
    assert world.case(key).delay == f"{delay}; a person has to look"
    assert world.kinds(key).count("delayed") == 1
    assert [str(event.kind) for _, event in world.platform.told] == ["case.needs_human"]
    world.evidence.kept["e1"] = bytes_of_it
    world.courier.override(f"{key}/report", actor="ann", reason="it is back")
    world.pass_time(seconds=600)
    assert (world.case(key).stage, world.case(key).delay) == ("reported", None)


def test_a_filing_that_a_person_withdrew_ends_its_case(world: Any, kit: Any) -> None:
    """It is certain that nothing was reported, and nobody is told to preserve."""
    key = world.decided(kit.kept(1))
    world.work()
    world.courier.retract(f"{key}/report", actor="ann", reason="a mistake")
    world.pass_time(seconds=600)
    assert (world.case(key).stage, world.storage.head(key).due_at) == ("retracted", None)
    assert (world.states(), world.letters(), world.platform.preserved) == ([], [], [])


def test_a_submission_that_a_newer_program_wrote_in_is_left_to_it(world: Any, kit: Any) -> None:
    """It is not read by guessing: the case waits, and a person hears of it."""
    key = world.decided(kit.kept(1))
    world.work()
    head = world.storage.head(f"{key}/report")
    entry = following(head.key, head.version, head.digest, kind="newer/9", data="{}", at=world.clock.now())
    world.storage.append(
        (entry,), attrs.evolve(head, version=entry.version, digest=entry.digest, due_at=None), expected=head.version
    )
    world.pass_time(seconds=600)
    assert world.case(key).delay == (
        "its submission waits for a person: a newer program wrote in its journal; a person has to look"
    )


def stopped(kit: Any, *, handed_over: bool) -> tuple[Any, str]:
    """Return a case whose worker died when the answer was recorded: before the filing was handed over, or just after."""
    for effects in range(5, 50):
        world = kit.World()
        key = world.decided(kit.kept(1))
        world.luck = kit.Luck(effects)
        with suppress(kit.Died):
            world.work()
        if world.case(key).stage == "ready" and (world.submission(key) is not None) is handed_over:
            world.luck = kit.Luck()
            world.clock.advance(kit.LEASE)
            return world, key
    raise AssertionError("there is no such moment")


def test_a_filing_is_made_of_what_is_recorded_alone(kit: Any) -> None:
    """Between the answer and the filing the organisation and the platform changed: the report is what was recorded."""
    world, key = stopped(kit, handed_over=False)
    world.office = attrs.evolve(world.office, profile=attrs.evolve(kit.PROFILE, company_name="Another"))
    asked = len(world.platform.asked)
    world.work()
    filing = world.submission(key).submission.filing
    assert (filing.report.reporter.company_template, len(world.platform.asked)) == ("Example", asked)


def test_what_was_handed_over_is_never_made_anew(kit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker died between the two records, and the next program would refuse the report: it is filed all the same."""
    world, key = stopped(kit, handed_over=True)

    def refuse(*args: Any, **more: Any) -> Any:
        raise InvalidReport((Violation(path="report", rule="new", message="is refused by now"),))

    monkeypatch.setattr(reporting, "assemble", refuse)
    world.pass_time(seconds=600)
    assert (world.case(key).stage, world.states()) == ("reported", ["finished"])
