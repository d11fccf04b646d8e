"""Filing: what is recorded is durable, is recorded once, and needs nothing of NCMEC."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.adapters.queue.memory import MemoryQueue
from cybertip.errors import Conflict, InvalidReport, UnknownSubmission
from cybertip.filing import Status, verify
from cybertip.model import BatchedReport, BatchedReportReason, IncidentSummary, IncidentType
from cybertip.testing.clock import WrongClock


def test_a_filing_is_durable_when_it_is_accepted(world: Any) -> None:
    """When `file` returns, storage holds the filing with its manifest, and another process can deliver it."""
    filing = world.filing(True)
    handle = world.courier().file(filing, key="case-1", priority=5, tenant="north", tags=("urgent",))
    assert (handle.key, handle.status, handle.report_id, handle.version) == ("case-1", Status.WAITING, None, 1)
    state = world.journal("case-1").submission
    assert state.filing == filing
    head = world.storage.head("case-1")
    assert (head.priority, head.tenant, head.tags, head.lane) == (5, "north", ("urgent",), "sandbox")
    assert head.due_at == world.clock.now()
    assert world.courier().deliver("case-1").status is Status.FINISHED


def test_filing_asks_ncmec_for_nothing(world: Any) -> None:
    """Filing needs neither NCMEC nor credentials: a platform can record while all of that is down."""
    asked: list[int] = []

    def provider() -> Any:
        asked.append(1)
        raise RuntimeError("the vault is sealed")

    courier = world.courier(credentials=provider, transport=None)
    courier.file(world.filing(True), key="case-1")
    courier.retract("case-1", actor="reviewer", reason="a mistake")
    assert courier.status("case-1").status is Status.RETRACTED
    assert (asked, world.wire.calls) == ([], [])


def test_the_same_again_is_the_same(world: Any) -> None:
    """The same key with the same filing gives the same submission, before, while and after it is delivered."""
    courier, filing = world.courier(), world.filing(True)
    first = courier.file(filing, key="case-1")
    assert courier.file(filing, key="case-1") == first
    world.wire.after = lambda request: statuses.append(courier.file(filing, key="case-1").status)
    statuses: list[Status] = []
    courier.deliver("case-1")
    world.wire.after = lambda request: None
    assert set(statuses) == {Status.DELIVERING}
    again = world.courier().file(filing, key="case-1", priority=9, tenant="other")
    assert again == courier.status("case-1")
    assert (again.status, world.states()) == (Status.FINISHED, ["finished"])
    assert world.kinds("case-1").count("filed") == 1
    assert world.storage.head("case-1").priority == 0


def test_another_filing_under_the_same_key_is_a_conflict(world: Any) -> None:
    """A key that stands for one filing never comes to stand for another, whatever differs."""
    courier, filing = world.courier(), world.filing(True)
    courier.file(filing, key="case-1")
    [entry] = filing.files
    others = [
        world.filing(True, user="user-2"),
        attrs.evolve(filing, files=()),
        attrs.evolve(filing, files=(attrs.evolve(entry, sha256="0" * 64),)),
        attrs.evolve(filing, files=(attrs.evolve(entry, description=None),)),
    ]
    for other in others:
        with pytest.raises(Conflict) as caught:
            courier.file(other, key="case-1")
        assert caught.value.key == "case-1"
    assert world.kinds("case-1") == ["filed"]


def test_another_environment_under_the_same_key_is_a_conflict(world: Any, kit: Any) -> None:
    """What was filed for one environment is not taken for filed in another."""
    world.courier().file(world.filing(), key="case-1")
    with pytest.raises(Conflict, match="it was filed for sandbox, not for test"):
        world.courier(kit.Environment.TEST).file(world.filing(), key="case-1")


def test_what_ncmec_would_refuse_is_not_recorded(world: Any) -> None:
    """A report that NCMEC would certainly refuse is not accepted: whoever files it learns every fault, and nothing is
    recorded that could never be delivered."""
    batch = BatchedReport(reason=BatchedReportReason.VIRAL_POTENTIAL_MEME)
    invalid = world.filing(True, True, batched_report=batch)
    with pytest.raises(InvalidReport) as caught:
        world.courier().file(invalid, key="case-1")
    rules = [violation.rule for violation in caught.value.violations]
    assert "batched-one-file" in rules
    assert len(rules) > 1
    with pytest.raises(UnknownSubmission):
        world.courier().status("case-1")
    assert world.storage.heads() == ()
    assert world.wire.calls == []


def test_the_future_is_judged_by_the_couriers_clock(world: Any) -> None:
    """A time that lies ahead is refused as NCMEC would refuse it, and accepted when it has passed."""
    ahead = world.clock.now() + timedelta(minutes=1)
    incident = IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=ahead)
    filing, courier = world.filing(incident_summary=incident), world.courier()
    with pytest.raises(InvalidReport):
        courier.file(filing, key="case-1")
    world.pass_time(120)
    assert courier.file(filing, key="case-1").status is Status.WAITING


def test_what_was_accepted_stays_accepted(world: Any) -> None:
    """The same filing with the same key is the same submission, even where a clock was set back since: whoever was told that
    nothing is recorded would file it again under another key."""
    just_now = world.clock.now() - timedelta(minutes=10)
    incident = IncidentSummary(incident_type=IncidentType.ONLINE_ENTICEMENT, incident_date_time=just_now)
    filing, clock = world.filing(incident_summary=incident), WrongClock(world.clock)
    courier = world.courier(clock=clock)
    first = courier.file(filing, key="case-1")
    clock.off = timedelta(hours=-1)
    assert courier.file(filing, key="case-1") == first
    with pytest.raises(InvalidReport):
        courier.file(filing, key="case-2")


def test_a_queue_is_woken_for_each_filing_and_decision(world: Any) -> None:
    """Whoever waits at the queue learns at once that there is something to do."""
    queue = MemoryQueue()
    courier = world.courier(queue=queue)
    acts: list[Callable[[], object]] = [
        lambda: courier.file(world.filing(), key="case-1"),
        lambda: courier.override("case-1", actor="reviewer", reason="looked at"),
        lambda: courier.retract("case-1", actor="reviewer", reason="a mistake"),
    ]
    for act in acts:
        act()
        wake = queue.take(wait_for=timedelta(0))
        assert wake is not None
        assert wake.key == "case-1"
        queue.done(wake)
    assert queue.take(wait_for=timedelta(0)) is None


def test_a_queue_that_fails_keeps_nothing_from_being_filed(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Storage is the truth: what it holds is filed, whether or not anybody was woken; the failure is in the log, without
    the words of whoever failed."""

    class Broken(MemoryQueue):
        def put(self, key: str) -> None:
            raise OSError("canary")

    courier = world.courier(queue=Broken())
    assert courier.file(world.filing(), key="case-1").status is Status.WAITING
    assert courier.deliver("case-1").status is Status.FINISHED
    assert "the queue failed" in caplog.text
    assert "canary" not in caplog.text


def test_many_that_file_one_key_at_once(world: Any) -> None:
    """Of many that file one key at the same time, each gets the same submission, and it is recorded once."""
    filing = world.filing(True)
    couriers = [world.courier() for _ in range(4)]
    begun = [world.colour.begin(courier.file, filing, key="case-1") for courier in couriers * 4]
    assert len({one.result(60) for one in begun}) == 1
    assert world.kinds("case-1") == ["filed"]


def test_what_was_recorded_verifies(world: Any) -> None:
    """A submission's journal is chained from its first entry on, and its head says where it ends."""
    courier = world.courier()
    courier.file(world.filing(True), key="case-1")
    courier.deliver("case-1")
    head = world.storage.head("case-1")
    assert verify("case-1", world.storage.read("case-1"), version=head.version, digest=head.digest) == ()
    assert courier.journal("case-1") == world.journal("case-1")
