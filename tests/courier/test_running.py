"""A worker that runs until it is stopped: it finds what others file, stops between calls, and outlives what fails."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from cybertip.adapters.queue.memory import MemoryQueue
from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.errors import AdapterError, NeverSent
from cybertip.filing import Policy, Status
from cybertip.ports.clock import SystemClock

#: Short pauses, for here they pass in real time.
HASTY = Policy(pause_for=timedelta(milliseconds=1), longest_pause_for=timedelta(seconds=1))


class Finished:
    """A hook that knows how many submissions are finished, and lets a test wait for so many."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.keys: set[str] = set()

    def __call__(self, journal: Any) -> None:
        if journal.status is Status.FINISHED:
            with self._changed:
                self.keys.add(journal.key)
                self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.keys) >= count, 60), "it never came"


def file_all(world: Any, courier: Any, count: int) -> list[str]:
    """File so many submissions."""
    keys = [f"case-{number}" for number in range(count)]
    for key in keys:
        courier.file(world.filing(True, user=key), key=key)
    return keys


def test_a_worker_that_is_stopped_before_it_begins_sends_nothing(world: Any) -> None:
    """Whoever stops a worker early enough has nothing of it."""
    courier, stop = world.courier(), world.colour.stop()
    file_all(world, courier, 2)
    stop.set()
    courier.run_until_stopped(stop.event)
    assert world.wire.calls == []


@pytest.mark.parametrize("at", ["/submit", "/upload", "/fileinfo"])
def test_a_worker_stops_between_two_calls(world: Any, at: str) -> None:
    """A call that was begun when the worker is stopped ends and is recorded, and none follows: nothing has to be taken for
    lost, and the next worker goes on with the same report, at once."""
    courier, stop = world.courier(), world.colour.stop()
    file_all(world, courier, 3)

    def stops(request: Any) -> None:
        if str(request.endpoint) == at:
            stop.set()

    world.wire.after = stops
    courier.run_until_stopped(stop.event)
    world.wire.after = lambda request: None
    assert world.wire.endpoints[-1] == at
    assert world.wire.endpoints.count(at) == 1
    assert world.journal("case-0").submission.intent is None
    # No claim is left over, and no time has to pass.
    assert world.courier().run_due() == 3
    assert world.states() == ["finished"] * 3
    assert "lost/1" not in {entry.kind for entry in world.storage.read("case-0")}


def test_a_finish_that_was_begun_is_brought_to_its_end(world: Any) -> None:
    """A worker that is stopped while a report is being finished records the receipt."""
    courier, stop = world.courier(), world.colour.stop()
    file_all(world, courier, 1)
    world.wire.after = lambda request: stop.set() if str(request.endpoint) == "/finish" else None
    courier.run_until_stopped(stop.event)
    assert courier.status("case-0").status is Status.FINISHED


@pytest.mark.parametrize("with_queue", [False, True], ids=["no queue", "queue"])
def test_a_worker_finds_what_others_file(world: Any, with_queue: bool) -> None:
    """A worker that has nothing to do finds what anybody files, with a queue that wakes it or without."""
    settings = {"queue": MemoryQueue()} if with_queue else {}
    finished = Finished()
    stop = world.colour.stop()
    worker = world.courier(watch=finished, **settings)
    running = world.colour.begin(worker.run_until_stopped, stop.event)
    for number in range(2):
        other = world.courier(**settings)
        other.file(world.filing(True, user=f"user-{number}"), key=f"case-{number}")
        finished.wait_for(number + 1)
    stop.set()
    running.result(60)
    assert world.states() == ["finished"] * 2


def test_a_queue_that_fails_stops_no_worker(world: Any) -> None:
    """A queue only wakes: a worker whose queue fails finds its work in storage."""

    class Broken(MemoryQueue):
        def take(self, *, wait_for: timedelta) -> Any:
            raise OSError("canary")

    finished, stop = Finished(), world.colour.stop()
    worker = world.courier(watch=finished, queue=Broken())
    running = world.colour.begin(worker.run_until_stopped, stop.event)
    world.courier().file(world.filing(), key="case-1")
    finished.wait_for(1)
    stop.set()
    running.result(60)


@pytest.mark.parametrize("concurrency", [1, 4])
def test_two_workers_deliver_each_submission_once(world: Any, concurrency: int) -> None:
    """Workers beside each other share the work, and nothing is delivered twice."""
    keys = file_all(world, world.courier(), 12)
    workers = [world.courier(worker=f"worker-{number}") for number in range(2)]
    running = [
        world.colour.begin(
            worker.run_until_stopped, world.colour.stop().event, until_idle=True, concurrency=concurrency
        )
        for worker in workers
    ]
    for one in running:
        one.result(60)
    assert {world.journal(key).status for key in keys} == {Status.FINISHED}
    assert world.states() == ["finished"] * 12


# -- until nothing is left ----------------------------------------------------------------------------------------------


def test_a_worker_returns_when_nothing_is_left_to_do(world: Any) -> None:
    """`until_idle` delivers everything that can be, failures that pass by themselves included, and returns."""
    courier = world.courier(clock=SystemClock(), policy=HASTY)
    keys = file_all(world, courier, 3)
    failures = iter(range(5))

    def down(request: Any) -> None:
        if next(failures, None) is not None:
            raise NeverSent(endpoint=str(request.endpoint), reason="no connection")

    world.wire.before = down
    courier.run_until_stopped(world.colour.stop().event, until_idle=True)
    assert {world.journal(key).status for key in keys} == {Status.FINISHED}


def test_what_waits_for_a_person_keeps_no_worker(world: Any) -> None:
    """`until_idle` does not wait for people: what they have to decide stays where it is."""
    courier = world.courier()
    file_all(world, courier, 2)
    world.evidence.kept["case-0/0"] = b"other bytes"
    courier.run_until_stopped(world.colour.stop().event, until_idle=True)
    assert world.journal("case-0").status is Status.NEEDS_HUMAN
    assert world.journal("case-1").status is Status.FINISHED


def test_refused_credentials_keep_no_worker(world: Any, kit: Any) -> None:
    """`until_idle` does not wait for credentials to be mended."""
    courier = world.courier()
    file_all(world, courier, 2)
    world.wire.before = lambda request: kit.Answer(status=401)
    courier.run_until_stopped(world.colour.stop().event, until_idle=True)
    assert world.wire.endpoints == ["/submit"]


def test_another_environments_work_keeps_no_worker(world: Any, kit: Any) -> None:
    """`until_idle` is about the submissions of its own environment."""
    world.courier(kit.Environment.TEST).file(world.filing(), key="case-1")
    world.courier().run_until_stopped(world.colour.stop().event, until_idle=True)
    assert world.wire.calls == []


# -- storage that fails -------------------------------------------------------------------------------------------------


class Failing(MemoryStorage):
    """Fails the next so many calls of one method, in words of its own."""

    def __init__(self, method: str, times: int) -> None:
        super().__init__()
        self.method, self.times = method, times

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name in ("method", "times") or name != self.method or self.times == 0:
            return found
        self.times -= 1

        def failing(*args: Any, **kwargs: Any) -> Any:
            raise OSError("canary")

        return failing


def failing_twice(request: Any, left: list[int]) -> None:
    """Let the first two calls fail, so that a worker has to rest and to give its claims back."""
    if left:
        left.pop()
        raise NeverSent(endpoint=str(request.endpoint), reason="no connection")


@pytest.mark.parametrize("method", ["claim_due", "next_due", "read", "append", "release"])
def test_a_worker_outlives_an_outage_of_its_storage(world: Any, method: str, caplog: pytest.LogCaptureFixture) -> None:
    """When the database goes away for a while, a worker says so, waits and goes on; nothing is lost and nothing doubled."""
    world.storage = Failing(method, 0)
    courier = world.courier(policy=HASTY, clock=SystemClock(), lease_for=timedelta(milliseconds=200))
    keys = file_all(world, courier, 3)
    left = [1, 2]
    world.wire.before = lambda request: failing_twice(request, left)
    world.storage.times = 2
    courier.run_until_stopped(world.colour.stop().event, until_idle=True)
    assert world.storage.times == 0
    assert {world.journal(key).status for key in keys} == {Status.FINISHED}
    assert world.states().count("finished") == 3
    assert caplog.text.count("storage failed") == 2
    assert "canary" not in caplog.text


def test_a_worker_that_should_end_says_when_its_storage_does_not_come_back(world: Any) -> None:
    """`until_idle` ends with the failure when storage fails time and again: whoever started it has to know."""
    world.storage = Failing("claim_due", -1)
    courier = world.courier(policy=HASTY, clock=SystemClock())
    with pytest.raises(AdapterError) as caught:
        courier.run_until_stopped(world.colour.stop().event, until_idle=True)
    assert "canary" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
