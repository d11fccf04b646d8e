"""The database is down, the power goes, an old backup comes back: nothing is sent unrecorded, and nothing is filed twice."""

import shutil
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.adapters.storage.sql import SqlStorage
from cybertip.audit import Auditor, Checkpoint
from cybertip.errors import AdapterError
from cybertip.filing import Policy, Status
from cybertip.ports.storage import Entry, Head, Letter
from cybertip.protocol import Answer
from cybertip.testing.clock import VirtualClock
from cybertip.testing.faults import Crash, Faults, answered, away, every_crash, lost_answer, lost_request

A_WHILE = timedelta(minutes=6)


# -- a database that fails ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["undone", "done all the same"])
@pytest.mark.parametrize("times", [1, None], ids=["once", "from then on"])
def test_f32_the_database_is_down(new_world: Any, after: bool, times: int | None) -> None:
    """At whichever call of a delivery it fails, with the call done or not, for once or for good: nothing is sent of which
    nothing is recorded, and when it is back, the report arrives once."""
    tried = 0
    for at in range(100):
        world, faults = new_world(), Faults(away(at=at, times=times, after=after))
        filing = world.filings["case-1"] = world.filing(True, False)
        courier = world.courier(storage=faults.around(world.storage))
        # A host that is told that storage failed asks again; a worker waits.
        with suppress(AdapterError):
            courier.file(filing, key="case-1")
            courier.deliver("case-1")
        if not faults.struck:
            break
        world.courier().file(filing, key="case-1")
        world.time.advance(A_WHILE)
        world.settle()
        world.is_filed()
        tried += 1
    assert tried >= 10


class Hurried:
    """A clock that runs on by a while whenever somebody looks at it, so that nobody waits."""

    def __init__(self, true: VirtualClock) -> None:
        self._true = true

    def now(self) -> datetime:
        self._true.advance(timedelta(minutes=1))
        return self._true.now()


def test_f32_a_worker_outlives_its_database(new_world: Any) -> None:
    """A worker whose database fails now and then says so, waits, and goes on by itself."""
    world = new_world(policy=Policy(pause_for=timedelta(milliseconds=10)))
    for number in range(3):
        world.file(False, key=f"case-{number}")
    storage = Faults(*(away(at=at, after=at % 2 == 0) for at in (0, 3, 9, 14))).around(world.storage)
    world.courier(storage=storage, clock=Hurried(world.time)).run_until_stopped(threading.Event(), until_idle=True)
    for number in range(3):
        world.is_filed(f"case-{number}")


# -- power ----------------------------------------------------------------------------------------------------------------


def test_f35_the_power_goes(new_world: Any, tmp_path: Path) -> None:
    """What is on the disk at any call is enough: the file as it lies there, while the dead process still had it open,
    brings the report to its end once."""
    template = tmp_path / "template.db"
    with SqlStorage(f"sqlite:///{template}") as storage:
        storage.upgrade()
    lives = [0]

    def life(faults: Faults) -> None:
        lives[0] += 1
        before, after = tmp_path / f"{lives[0]}-before.db", tmp_path / f"{lives[0]}-after.db"
        shutil.copy(template, before)
        storage = SqlStorage(f"sqlite:///{before}")
        world = new_world(storage=storage)
        world.file(True, False)
        with suppress(Crash):
            world.courier(faults).deliver("case-1")
        # Nothing is closed or written back first.
        for end in ("", "-wal"):
            if (source := before.with_name(before.name + end)).exists():
                shutil.copy(source, after.with_name(after.name + end))
        with SqlStorage(f"sqlite:///{after}") as restarted:
            world.storage = restarted
            world.time.advance(A_WHILE)
            world.settle()
            world.is_filed()
        storage.close()

    assert len(list(every_crash(life))) >= 30


# -- backups --------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Append:
    """One transaction, as it was made."""

    entries: tuple[Entry, ...]
    head: Head
    expected: int
    letters: tuple[Letter, ...]


class Recorder(MemoryStorage):
    """A storage that can be had back as it was after any of its transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.appends: list[Append] = []

    def append(self, entries: Any, head: Any, *, expected: Any, claim: Any = None, letters: Any = ()) -> None:
        super().append(entries, head, expected=expected, claim=claim, letters=letters)
        self.appends.append(Append(tuple(entries), head, expected, tuple(letters)))

    def backup(self, number: int) -> MemoryStorage:
        """Return the storage as it was after so many transactions."""
        found = MemoryStorage()
        for one in self.appends[:number]:
            found.append(one.entries, one.head, expected=one.expected, letters=one.letters)
        return found


#: Deliveries, each with another trouble on its way.
STORIES: dict[str, list[Any]] = {
    "all goes well": [],
    "a submit is lost": [lost_answer("/submit")],
    "an upload is lost": [lost_answer("/upload")],
    "an upload and its retract are lost": [lost_request("/upload"), lost_answer("/retract")],
    "details are lost": [lost_answer("/fileinfo")],
    "a finish is lost": [lost_answer("/finish")],
    "NCMEC is away for a while": [answered("/upload", Answer(status=429), times=5)],
}


def delivered(new_world: Any, story: str) -> tuple[Any, Recorder]:
    """Let a story end well, and return its world and all that was recorded."""
    recorder = Recorder()
    world = new_world(storage=recorder)
    world.file(True)
    world.settle(world.courier(Faults(*STORIES[story])))
    world.is_filed()
    return world, recorder


def has_a_report(storage: MemoryStorage, world: Any) -> bool:
    """Tell whether a backup knows a report at NCMEC, and nothing of its being retracted."""
    world.storage = storage
    attempt = world.state().attempt
    return attempt is not None and attempt.report_id is not None and not attempt.retracts


def finished(world: Any) -> int:
    return int(world.states().count("finished"))


@pytest.mark.parametrize("story", STORIES)
def test_f36_an_old_backup_of_a_report_that_ncmec_knows(new_world: Any, story: str) -> None:
    """A journal that goes back to when its report was open is found out by NCMEC's answers: the report is adopted, or
    nothing is filed and a person is called. It is never filed a second time."""
    length = len(delivered(new_world, story)[1].appends)
    known = 0
    for number in range(1, length):
        world, recorder = delivered(new_world, story)
        if not has_a_report(recorder.backup(number), world):
            continue
        known += 1
        world.storage = recorder.backup(number)
        world.time.advance(timedelta(hours=1))
        world.settle()
        assert finished(world) == 1, number
        assert world.status() in (Status.FINISHED, Status.NEEDS_HUMAN)
        assert world.alarms
        if world.status() is Status.NEEDS_HUMAN:
            assert "suspended" in world.kinds()
            assert "backup" in world.state().blocked
            # A person looks, finds that it is filed, and says so.
            world.courier().retract("case-1", actor="reviewer", reason="filed before the disk was lost")
            world.settle()
            assert world.status() is Status.RETRACTED
        assert finished(world) == 1
    assert known >= 3


@pytest.mark.parametrize("story", STORIES)
def test_f36_what_only_a_checkpoint_can_tell(new_world: Any, story: str, tmp_path: Path) -> None:
    """Whatever an old backup has forgotten, a checkpoint that is newer names the submission; suspended, it is not filed
    again, and a person decides."""
    length = len(delivered(new_world, story)[1].appends)
    for number in range(1, length):
        world, recorder = delivered(new_world, story)
        path = tmp_path / f"{number}.checkpoint"
        path.write_bytes(b"".join(Auditor(recorder).checkpoint(taken_at=datetime(2026, 1, 2, tzinfo=UTC))))
        version = recorder.head("case-1").version  # type: ignore[union-attr] # it is there
        world.storage = restored = recorder.backup(number)
        (found,) = Auditor(restored).verify(checkpoint=Checkpoint(path))
        assert found.key == "case-1"
        assert found.what.startswith("is missing")
        world.courier().suspend(found.key, known=version)
        world.time.advance(timedelta(days=9))
        world.settle()
        assert finished(world) == 1
        assert world.status() in (Status.FINISHED, Status.NEEDS_HUMAN)
        assert world.alarms


def test_f36_what_nobody_can_tell_without_one(new_world: Any) -> None:
    """A backup from before NCMEC's number was recorded looks like a filing that was never sent: without a checkpoint it is
    delivered again. The page on crashes says so; if this ever changes, it is to say something else."""
    world, recorder = delivered(new_world, "all goes well")
    world.storage = recorder.backup(1)
    world.settle()
    assert finished(world) == 2


def test_f36_a_submission_that_the_backup_does_not_have(new_world: Any, tmp_path: Path) -> None:
    """One that was filed after the backup is missing as a whole: the checkpoint names it, before the host files it again."""
    _, recorder = delivered(new_world, "all goes well")
    path = tmp_path / "checkpoint"
    path.write_bytes(b"".join(Auditor(recorder).checkpoint(taken_at=datetime(2026, 1, 2, tzinfo=UTC))))
    (found,) = Auditor(MemoryStorage()).verify(checkpoint=Checkpoint(path))
    assert found.key == "case-1"
    assert "missing" in found.what


def test_f36_a_person_finds_that_it_was_not_filed(new_world: Any) -> None:
    """A suspended report that NCMEC never finished goes on when a person says so, and is filed once."""
    recorder = Recorder()
    world = new_world(storage=recorder)
    world.file(True)
    # The first attempt is retracted, and the disk is lost when the second one is about to begin.
    faults = Faults(lost_answer("/upload"), away("append", at=4, times=None))
    courier = world.courier(storage=faults.around(recorder), transport=faults.around(world.courier()._wire))
    for _ in range(5):
        with suppress(AdapterError):
            courier.deliver("case-1")
        world.time.advance(A_WHILE)
    assert world.states()[0] == "retracted"
    world.storage = recorder.backup(3)
    assert world.begun("case-1") == "/upload"
    world.settle()
    assert world.status() is Status.NEEDS_HUMAN
    assert finished(world) == 0
    world.courier().override("case-1", actor="reviewer", reason="NCMEC has no report of it")
    world.settle()
    assert world.status() is Status.FINISHED
    assert finished(world) == 1
