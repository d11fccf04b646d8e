"""Reports that delete themselves, clocks that jump, and a NCMEC that asks for patience."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from cybertip.errors import InvalidReport, UnknownSubmission
from cybertip.filing import Policy, Status
from cybertip.filing.events import Refused
from cybertip.model import IncidentSummary, IncidentType, evolve
from cybertip.protocol import Answer, Request
from cybertip.sandbox import Behaviour
from cybertip.testing.clock import START, WrongClock
from cybertip.testing.faults import Faults, answered, lost_answer, lost_request, slow

#: What the double answers when a report deleted itself: nobody knows which of the two NCMEC's server does.
after_deletion = pytest.mark.parametrize("code", [5001, 5101])
LATER = Answer(status=503, headers=(("Retry-After", "1"),))
HOUR = timedelta(hours=1)


def refusals(world: Any) -> list[int | None]:
    return [event.code for event in world.events() if isinstance(event, Refused)]


def stop_at(world: Any, endpoint: str) -> None:
    """Let a worker come to a call that NCMEC cannot take now."""
    world.courier(Faults(answered(endpoint, LATER))).deliver("case-1")
    assert world.status() is Status.DELIVERING


# -- expiry ---------------------------------------------------------------------------------------------------------------


@after_deletion
@pytest.mark.parametrize("endpoint", ["/upload", "/fileinfo"])
def test_f16_expiry_at_24_hours(new_world: Any, code: Any, endpoint: str) -> None:
    """A report that nobody completed within a day is gone; nothing more is tried with it, and a new attempt is made."""
    world = new_world(behaviour=Behaviour(after_deletion=code))
    world.file(True)
    stop_at(world, endpoint)
    before = len(world.calls(endpoint))
    world.time.advance(timedelta(hours=25))
    world.settle()
    world.is_filed()
    assert world.states() == ["deleted", "finished"]
    # Our own reckoning said so first: NCMEC was only asked to take it back.
    assert refusals(world)[1:] == [code]
    assert world.calls(endpoint)[before:] == [endpoint]
    assert world.alarms == []


def test_f16_work_stops_before_ncmec_deletes(world: Any) -> None:
    """What cannot be completed in time is retracted and begun anew while NCMEC still has it."""
    world.file(True)
    stop_at(world, "/upload")
    world.time.advance(timedelta(hours=23, minutes=55))
    world.settle()
    world.is_filed()
    assert world.states() == ["retracted", "finished"]


@after_deletion
def test_f16_a_deletion_that_comes_as_a_surprise(new_world: Any, code: Any) -> None:
    """When NCMEC deletes the report under our hands, in mid-call, a new attempt is made."""
    world = new_world(behaviour=Behaviour(after_deletion=code))
    world.file(True)
    world.settle(world.courier(Faults(slow("/upload", lambda: world.time.advance(timedelta(hours=25))))))
    world.is_filed()
    assert refusals(world) == [code]
    assert world.states() == ["deleted", "finished"]


def test_f17_a_change_prolongs_a_report_by_an_hour(world: Any) -> None:
    """A day is over and less than an hour since the last change: the same report is completed."""
    world.file(False, False)
    stop_at(world, "/upload")
    world.time.advance(timedelta(hours=23, minutes=40))
    # The first file goes up, and the second one half an hour later, when a day is over.
    world.courier(Faults(answered("/upload", LATER, at=1))).deliver("case-1")
    world.time.advance(timedelta(minutes=30))
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]


@after_deletion
def test_f17_expiry_an_hour_after_the_last_change(new_world: Any, code: Any) -> None:
    """More than a day is over, and an hour since the last change: the report is gone, and a new attempt is made."""
    world = new_world(behaviour=Behaviour(after_deletion=code))
    world.file(False, False)
    stop_at(world, "/upload")
    world.time.advance(timedelta(hours=23, minutes=40))
    world.courier(Faults(answered("/upload", LATER, at=1))).deliver("case-1")
    world.time.advance(timedelta(minutes=61))
    world.settle()
    world.is_filed()
    assert world.states() == ["deleted", "finished"]
    assert refusals(world)[-1] == code


@after_deletion
def test_f18_expiry_before_a_finish_arrives(new_world: Any, shape: tuple[bool, ...], code: Any) -> None:
    """A finish that comes too late finds nothing: a new attempt is made."""
    world = new_world(behaviour=Behaviour(after_deletion=code))
    world.file(*shape)
    world.settle(world.courier(Faults(slow("/finish", lambda: world.time.advance(timedelta(hours=25))))))
    world.is_filed()
    assert world.states() == ["deleted", "finished"]


def test_f18_too_late_for_a_finish_that_was_surely_not_taken(world: Any, shape: tuple[bool, ...]) -> None:
    """A complete report whose finish NCMEC could not take is retracted before its time is over, and begun anew."""
    world.file(*shape)
    world.courier(Faults(answered("/finish", LATER))).deliver("case-1")
    world.time.advance(timedelta(hours=23, minutes=55))
    world.settle()
    world.is_filed()
    assert world.states() == ["retracted", "finished"]


@after_deletion
@pytest.mark.parametrize("arrived", [False, True], ids=["request lost", "answer lost"])
def test_f18_expiry_while_a_finish_is_in_doubt(
    new_world: Any, shape: tuple[bool, ...], code: Any, arrived: bool
) -> None:
    """A finish that was in doubt until the report's time was over is asked again: 5102 means done, and gone means that it
    never came."""
    world = new_world(behaviour=Behaviour(after_deletion=code))
    world.file(*shape)
    fault = lost_answer("/finish") if arrived else lost_request("/finish")
    world.courier(Faults(fault)).deliver("case-1")
    world.time.advance(timedelta(hours=25))
    world.settle()
    world.is_filed()
    assert world.states() == (["finished"] if arrived else ["deleted", "finished"])


# -- clocks ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [HOUR, -HOUR], ids=["ahead", "back"])
@pytest.mark.parametrize("call", range(5))
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_f19_the_clock_jumps_an_hour(world: Any, jump: timedelta, call: int, after: bool) -> None:
    """At whichever call our clock jumps, forwards or back, the report arrives once, from one attempt."""
    world.file(True, False)
    clock = WrongClock(world.time)

    def strike() -> None:
        clock.off += jump

    world.settle(world.courier(Faults(slow("exchange", strike, at=call, after=after)), clock=clock))
    assert clock.off == jump
    world.is_filed()
    assert world.states() == ["finished"]
    assert "suspended" not in world.kinds()


@pytest.mark.parametrize("off", [HOUR, -HOUR, timedelta(days=3), timedelta(days=-3)], ids=str)
def test_f19_deadlines_are_ncmecs(world: Any, off: timedelta) -> None:
    """However wrong our clock is, a report's time is reckoned by NCMEC's: work stops ten minutes before it is over, and not
    before."""
    world.file(True)
    clock = WrongClock(world.time, off=off)
    world.courier(Faults(answered("/upload", LATER)), clock=clock).deliver("case-1")
    world.time.advance(timedelta(hours=23, minutes=49))
    world.courier(Faults(answered("/upload", LATER)), clock=clock).deliver("case-1")
    assert world.states() == ["open"]
    world.time.advance(timedelta(minutes=2))
    world.courier(Faults(answered("/submit", LATER)), clock=clock).deliver("case-1")
    assert world.states() == ["retracted"]


@pytest.mark.parametrize("asleep", [timedelta(hours=23, minutes=55), timedelta(hours=30)], ids=str)
def test_f19_a_machine_stands_still_between_an_answer_and_its_record(world: Any, asleep: timedelta) -> None:
    """Sleep is not taken for a NCMEC whose clock is behind: what is nearly over is not worked on."""
    world.file(True)
    sleep = slow("/submit", lambda: world.time.advance(asleep), after=True)
    world.settle(world.courier(Faults(sleep)))
    world.is_filed()
    assert world.states()[0] in ("retracted", "deleted")
    assert len(world.calls("/upload")) == 1


def test_f19_future_times_are_violations_and_never_changed(world: Any) -> None:
    """A time that is still to come is refused, and nothing is recorded; a time that is accepted arrives as it was given,
    though our clock says otherwise."""
    filing = world.filing()
    soon = world.time.now() + timedelta(minutes=30)
    summary = IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=soon)
    future = evolve(filing, report=evolve(filing.report, incident_summary=summary))
    with pytest.raises(InvalidReport, match="past"):
        world.courier().file(future, key="case-1")
    with pytest.raises(UnknownSubmission):
        world.courier().status("case-1")
    # By a clock that is an hour ahead it is past. NCMEC refuses it: a person is called, and no time is changed.
    clock = WrongClock(world.time, off=HOUR)
    world.filings["case-1"] = future
    world.courier(clock=clock).file(future, key="case-1")
    world.settle(world.courier(clock=clock))
    assert world.status() is Status.NEEDS_HUMAN
    assert refusals(world) == [4100]
    world.time.advance(HOUR)
    world.courier().override("case-1", actor="reviewer", reason="the clock was set")
    world.settle()
    world.is_filed()
    assert soon.isoformat().partition("+")[0] in world.ncmec.reports()[0]["report"]


# -- patience -------------------------------------------------------------------------------------------------------------


class Outage:
    """A NCMEC that takes nothing until a time."""

    def __init__(self, world: Any, kit: Any, *, until: datetime, answer: Answer) -> None:
        self.world, self.until, self.answer = world, until, answer
        self.wire = kit.Wire(world)
        self.asked: list[datetime] = []

    def exchange(self, request: Request[Any], content: Iterable[bytes] | None = None) -> Answer:
        now = self.world.time.now()
        if now < self.until:
            self.asked.append(now)
            return self.answer
        answer: Answer = self.wire.exchange(request, content)
        return answer


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("endpoint", ["/submit", "/upload", "/fileinfo", "/finish"])
def test_f22_retry_after_is_honoured(world: Any, status: int, endpoint: str) -> None:
    """What NCMEC asks for is waited for, and the same report goes on."""
    world.file(True)
    asks = Answer(status=status, headers=(("Retry-After", "120"),))
    world.settle(world.courier(Faults(answered(endpoint, asks))))
    world.is_filed()
    assert world.states() == ["finished"]
    at = next(at for at, asked in world.sent if asked == endpoint)
    assert at - START >= timedelta(seconds=120)


def test_f22_retry_after_is_honoured_when_it_goes_slowly_too(new_world: Any, kit: Any) -> None:
    """With a person called, and an hour between tries, NCMEC still gets the two hours that it asks for."""
    world = new_world(policy=Policy(failures=2))
    world.file()
    asks = Answer(status=503, headers=(("Retry-After", "7200"),))
    outage = Outage(world, kit, until=START + timedelta(hours=20), answer=asks)
    world.settle(world.courier(transport=outage))
    world.is_filed()
    gaps = [later - sooner for sooner, later in zip(outage.asked, outage.asked[1:], strict=False)]
    assert len(gaps) > 5
    assert all(gap >= timedelta(hours=2) for gap in gaps)


def test_f22_an_absurd_retry_after_buries_nothing(world: Any) -> None:
    """A gateway that asks for thirty years does not get them: the legal duty does not wait for a slip."""
    world.file()
    asks = Answer(status=503, headers=(("Retry-After", "999999999"),))
    world.settle(world.courier(Faults(answered("/submit", asks))))
    world.is_filed()
    assert world.time.now() - START <= world.policy.longest_retry_after_for + timedelta(minutes=1)


@pytest.mark.parametrize("answer", [LATER, Answer(status=429), Answer(status=502)], ids=["503", "429", "502"])
def test_f22_an_hours_outage(new_world: Any, kit: Any, answer: Answer) -> None:
    """When NCMEC is away for an hour, each submission backs off in its own time, none is dropped, and all arrive once."""
    world = new_world()
    for number in range(10):
        world.file(key=f"case-{number}")
    outage = Outage(world, kit, until=START + HOUR, answer=answer)
    courier = world.courier(transport=outage)
    courier.run_due()
    assert len({head.due_at for head in world.storage.heads()}) == 10
    world.settle(courier, limit=5000)
    for number in range(10):
        world.is_filed(f"case-{number}")
    # Ten tries each, and a few.
    assert 40 <= len(outage.asked) <= 120


def test_f22_an_outage_in_the_middle_of_a_report(world: Any, kit: Any) -> None:
    """NCMEC goes away when a report is open, for longer than one lasts: it is given up, and the next one arrives."""
    world.file(True)
    stop_at(world, "/upload")
    outage = Outage(world, kit, until=world.time.now() + timedelta(hours=30), answer=LATER)
    world.settle(world.courier(transport=outage))
    world.is_filed()
    assert world.states() == ["deleted", "finished"]
    assert world.alarms
    assert outage.asked[-1] - outage.asked[-2] >= world.policy.slow_for
