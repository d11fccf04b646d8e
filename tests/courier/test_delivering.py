"""Delivering: what is due is taken up in turn, each by one worker, for one environment, as many at once as is allowed."""

import threading
from collections import Counter
from typing import Any

import pytest

from cybertip.errors import Conflict, NeverSent, UnknownEvent, UnknownSubmission
from cybertip.filing import Status
from cybertip.filing.chain import Entry
from cybertip.ports.storage import Head


def order(world: Any) -> list[str]:
    """Return the users of the reports at NCMEC, in the order in which these were opened."""
    found = []
    for report in world.ncmec.reports():
        [user] = [user for user in world.users if f">{user}<" in report["report"]]
        found.append(user)
    return found


def file_all(world: Any, courier: Any, keys: list[str], **settings: Any) -> None:
    """File a submission for each key, with a user of that name."""
    world.users = [*getattr(world, "users", []), *keys]
    for key in keys:
        courier.file(world.filing(user=key), key=key, **settings)


def test_a_submission_is_delivered_whole(world: Any) -> None:
    """One report arrives, with exactly its files and what is said of them, and the receipt says which it is."""
    courier = world.courier()
    filing = world.filing(True, False)
    courier.file(filing, key="case-1")
    handle = courier.deliver("case-1")
    [report] = world.ncmec.reports()
    assert (handle.status, handle.report_id) == (Status.FINISHED, report["reportId"])
    assert [file["md5"] for file in report["files"]] == [file.md5 for file in filing.files]
    assert [file["details"] is not None for file in report["files"]] == [True, False]
    assert world.wire.endpoints == ["/submit", "/upload", "/fileinfo", "/upload", "/finish"]


def test_delivering_again_sends_nothing(world: Any) -> None:
    """What is finished is never sent again, however often somebody asks."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")
    courier.deliver("case-1")
    calls = len(world.wire.calls)
    world.pass_time()
    assert courier.deliver("case-1").status is Status.FINISHED
    assert courier.run_due() == 0
    assert len(world.wire.calls) == calls


def test_unknown_submissions(world: Any) -> None:
    """Whoever asks for what was never filed learns that, and by which key."""
    courier = world.courier()
    decision = {"actor": "reviewer", "reason": "none"}
    asks = [courier.deliver, courier.status, courier.journal, courier.submission, courier.receipt]
    asks += [lambda key: courier.retract(key, **decision), lambda key: courier.override(key, **decision)]
    for ask in asks:
        with pytest.raises(UnknownSubmission) as caught:
            ask("case-1")
        assert caught.value.key == "case-1"
    assert world.storage.heads() == ()


# -- whose turn it is ---------------------------------------------------------------------------------------------------


def test_high_priority_goes_first(world: Any) -> None:
    """What is urgent does not wait behind what was filed before it."""
    courier = world.courier()
    file_all(world, courier, ["slow-1", "slow-2"])
    file_all(world, courier, ["urgent-1", "urgent-2"], priority=10)
    file_all(world, courier, ["soon-1"], priority=5)
    assert courier.run_due() == 5
    assert order(world) == ["urgent-1", "urgent-2", "soon-1", "slow-1", "slow-2"]


def test_urgent_work_that_comes_in_is_next(world: Any) -> None:
    """What becomes urgent while others are delivered is taken up after the one that is under way."""
    courier = world.courier()
    file_all(world, courier, ["slow-1", "slow-2", "slow-3"])

    def urgent(request: Any) -> None:
        world.wire.after = lambda request: None
        file_all(world, courier, ["urgent-1"], priority=10)

    world.wire.after = urgent
    assert courier.run_due() == 4
    assert order(world) == ["slow-1", "urgent-1", "slow-2", "slow-3"]


def test_tenants_take_turns(world: Any) -> None:
    """A tenant with much to file does not keep the others waiting."""
    courier = world.courier()
    file_all(world, courier, [f"north-{number}" for number in range(5)], tenant="north")
    file_all(world, courier, ["south-0", "south-1"], tenant="south")
    file_all(world, courier, ["west-0"], tenant="west")
    # Whoever had its turn longest ago is next.
    world.wire.after = lambda request: world.pass_time(1)
    assert courier.run_due() == 8
    turns = [user.partition("-")[0] for user in order(world)]
    assert Counter(turns[:3]) == {"north": 1, "south": 1, "west": 1}
    assert Counter(turns[3:5]) == {"north": 1, "south": 1}
    assert turns[5:] == ["north"] * 3


def test_no_more_than_asked_for(world: Any) -> None:
    """`limit` is how many are taken up, and the rest stays for others."""
    courier = world.courier()
    file_all(world, courier, [f"case-{number}" for number in range(5)])
    assert courier.run_due(limit=2) == 2
    assert courier.run_due(limit=0) == 0
    assert len(world.states()) == 2
    assert courier.run_due() == 3
    assert world.states() == ["finished"] * 5


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_at_once_than_allowed(world: Any, concurrency: int) -> None:
    """So many submissions are delivered at a time and no more; and so many are, where there is enough to do."""
    courier = world.courier()
    file_all(world, courier, [f"case-{number}" for number in range(7)])
    lock, begun, busy, most = threading.Lock(), 0, 0, 0
    together = threading.Barrier(concurrency)

    def begins(request: Any) -> None:
        nonlocal begun, busy, most
        with lock:
            busy += 1
            begun += 1
            most = max(most, busy)
            first = begun <= concurrency
        if first:
            # The first so many wait for each other: if fewer were allowed, the wait would never end.
            together.wait(60)

    def ends(request: Any) -> None:
        nonlocal busy
        with lock:
            busy -= 1

    world.wire.before, world.wire.after = begins, ends
    assert courier.run_due(concurrency=concurrency) == 7
    assert most == concurrency
    assert world.states() == ["finished"] * 7


# -- one worker at a time -----------------------------------------------------------------------------------------------


def test_what_another_worker_has_is_left_to_it(world: Any) -> None:
    """While one worker delivers, others that are asked to deliver the same send nothing."""
    courier, other = world.courier(worker="worker-1"), world.courier(worker="worker-2")
    courier.file(world.filing(True), key="case-1")
    seen: list[Any] = []

    def meanwhile(request: Any) -> None:
        seen.append((other.deliver("case-1").status, other.run_due()))

    world.wire.after = meanwhile
    assert courier.deliver("case-1").status is Status.FINISHED
    assert seen[:-1] == [(Status.DELIVERING, 0)] * 3
    assert world.wire.endpoints == ["/submit", "/upload", "/fileinfo", "/finish"]
    workers = {entry.data for entry in world.storage.read("case-1") if "worker-2" in entry.data}
    assert workers == set()


def test_what_a_worker_has_is_free_again_when_it_is_done(world: Any) -> None:
    """A worker that goes no further gives its claim back: the next can go on as soon as there is something to do."""
    courier = world.courier()
    courier.file(world.filing(), key="case-1")

    def down(request: Any) -> None:
        raise NeverSent(endpoint=str(request.endpoint), reason="no connection")

    world.wire.before = down
    assert courier.deliver("case-1").status is Status.WAITING
    world.wire.before = lambda request: None
    # No lease has to run out first.
    world.pass_time(10)
    assert world.courier().run_due() == 1
    assert world.states() == ["finished"]


# -- one environment ----------------------------------------------------------------------------------------------------


def test_another_environments_submissions_are_never_claimed(world: Any, kit: Any) -> None:
    """A courier for one environment neither delivers nor claims what was filed for another; who asks for it learns why."""
    ours, theirs = world.courier(), world.courier(kit.Environment.TEST)
    theirs.file(world.filing(), key="case-1")
    assert ours.run_due() == 0
    with pytest.raises(Conflict, match="it belongs to test") as caught:
        ours.deliver("case-1")
    assert caught.value.key == "case-1"
    assert world.wire.calls == []
    assert world.kinds("case-1") == ["filed"]
    # It was not claimed for a moment: the courier it belongs to has it at once.
    assert theirs.run_due() == 1
    assert ours.status("case-1").status is Status.FINISHED


# -- what cannot be delivered -------------------------------------------------------------------------------------------


def test_a_newer_programs_submission_is_held_and_the_others_go_on(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A journal that this program cannot read is put aside with an alarm, without touching it, and tried again slowly; it
    keeps no other from being delivered."""
    courier = world.courier()
    now = world.clock.now()
    entry = Entry(
        key="case-0", version=1, recorded_at=now, kind="filed/99", data='"canary"', previous="0" * 64, digest="1" * 64
    )
    head = Head(key="case-0", version=1, digest="1" * 64, status="waiting", due_at=now, lane="sandbox")
    world.storage.append([entry], head, expected=0)
    courier.file(world.filing(), key="case-1")
    assert courier.run_due() == 2
    assert world.states() == ["finished"]
    held = world.storage.head("case-0")
    assert (held.status, held.version) == (Status.HELD, 1)
    assert held.due_at > now
    assert world.storage.read("case-0") == (entry,)
    letters = world.storage.take_letters(now=now, until=now, limit=9, topics=["alarm"])
    assert [letter.key for letter in letters] == ["case-0"]
    assert "case-0" in caplog.text
    assert "canary" not in caplog.text
    # It comes up again, and no second alarm does.
    world.pass_time(2 * 3600)
    assert courier.run_due() == 1
    now = world.clock.now()
    letters = world.storage.take_letters(now=now, until=now, limit=9, topics=["alarm"])
    assert [letter.tries for letter in letters] == [2]
    with pytest.raises(UnknownEvent, match="newer program"):
        courier.status("case-0")


def test_a_fault_of_ours_in_one_submission_stops_no_other(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong in this program with one submission, it is put aside with an alarm, and the others are delivered;
    the log names the kind of the fault and none of its words."""
    courier = world.courier()
    file_all(world, courier, ["case-0", "case-1"])

    def fault(request: Any) -> None:
        if str(request.endpoint) == "/submit" and not world.ncmec.reports():
            world.wire.before = lambda request: None
            raise ZeroDivisionError("canary")

    world.wire.before = fault
    assert courier.run_due() == 2
    assert order(world) == ["case-1"]
    assert world.storage.head("case-0").status == Status.HELD
    assert "ZeroDivisionError" in caplog.text
    assert "canary" not in caplog.text
    for _ in range(2):
        # What became of the call was never recorded, so that it is first taken for lost.
        world.pass_time(2 * 3600)
        assert courier.run_due() == 1
    assert courier.status("case-0").status is Status.FINISHED
