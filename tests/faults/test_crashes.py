"""The process dies, or an answer is lost: at every effect and at every call of a port, before it and after it."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.filing import Status
from cybertip.filing.events import Lost
from cybertip.protocol import Answer
from cybertip.testing.faults import Crash, Faults, answered, corrupt, crash, every_crash, lost_answer, lost_request

#: The calls of a delivery with one file that something is said of.
CALLS = ("submit", "upload", "describe", "finish")
ENDPOINTS = ("/submit", "/upload", "/fileinfo", "/finish")
every_call = pytest.mark.parametrize("call", CALLS)
#: Longer than a claim lasts.
A_WHILE = timedelta(minutes=6)


#: NCMEC cannot take it now.
LATER = Answer(status=503, headers=(("Retry-After", "1"),))


def die(world: Any, *strikes: Any) -> Faults:
    """Let a worker work until it dies, and its claim run out."""
    faults = Faults(*strikes)
    assert world.work(faults) is None, "it did not die"
    world.time.advance(A_WHILE)
    return faults


def doubts(world: Any) -> list[str]:
    """Return the calls of which it is not known what became of them."""
    return [event.call for event in world.events() if isinstance(event, Lost)]


# -- one by one -----------------------------------------------------------------------------------------------------------


@every_call
def test_f01_crash_before_the_intent_is_recorded(world: Any, call: str) -> None:
    """Nothing of the call was sent; a rerun files one report."""
    world.file(True)
    faults = die(world, crash("Record", at=CALLS.index(call)))
    assert faults.calls.count("Exchange") == CALLS.index(call)
    assert call not in world.kinds()
    world.settle()
    world.is_filed()


@every_call
@pytest.mark.parametrize("strike", ["Record", "Exchange"])
def test_f02_crash_between_the_intent_and_the_first_byte(world: Any, call: str, strike: str) -> None:
    """Whether the request left is in doubt, and is resolved by the rule for its call; one report is filed."""
    world.file(True)
    die(world, crash(strike, at=CALLS.index(call), after=strike == "Record"))
    assert world.kinds()[-1] == call
    world.settle()
    world.is_filed()
    assert doubts(world) == [call]
    assert world.states() == (["finished"] if call in ("submit", "finish") else ["retracted", "finished"])


def test_f03_crash_after_submit_was_accepted(world: Any) -> None:
    """A report that was opened without our learning its number is never finished; it is on record that there may be one,
    and a new attempt is made."""
    world.file(True)
    die(world, crash("Exchange", after=True))
    world.settle()
    world.is_filed()
    assert doubts(world) == ["submit"]
    assert world.state().possible_orphans == 1
    assert world.states() == ["open", "finished"]
    world.time.advance(timedelta(hours=24))
    assert world.states() == ["deleted", "finished"]


def test_f04_crash_between_upload_and_its_record(world: Any) -> None:
    """A report that may hold the file already is retracted, and a new attempt is made."""
    world.file(False)
    die(world, crash("Exchange", at=1, after=True))
    world.settle()
    world.is_filed()
    assert doubts(world) == ["upload"]
    assert world.states() == ["retracted", "finished"]


def test_f05_crash_between_a_recorded_upload_and_its_details(world: Any) -> None:
    """What was uploaded stays: with NCMEC away between the two, a worker that dies leaves a report that the next one
    completes."""
    world.file(True)
    assert world.work(Faults(answered("Exchange", LATER, at=2))).status is Status.DELIVERING
    world.time.advance(A_WHILE)
    die(world, crash("Record"))
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]
    assert world.kinds().count("upload") == 1


def test_f05_stop_between_an_upload_and_its_details(world: Any) -> None:
    """A worker that is asked to stop records the upload and intends nothing; the next one completes the same report."""
    world.file(True)
    faults = Faults(corrupt("Stopping", lambda _: True, at=2))
    assert world.work(faults).status is Status.DELIVERING
    assert world.kinds()[-1] == "uploaded"
    world.time.advance(A_WHILE)
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]
    assert doubts(world) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_f06_crash_in_finish(world: Any, shape: tuple[bool, ...], after: bool) -> None:
    """It is finished again: 0 says that it had not been, 5102 that it had; either way it is filed once."""
    world.file(*shape)
    die(world, crash("Exchange", at=1 + len(shape) + sum(shape), after=after))
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]
    assert world.state().receipt.adopted is after
    assert world.alarms == ([("case-1")] if after else [])


@pytest.mark.parametrize("fault", [lost_request, lost_answer])
def test_f06_a_finish_whose_answer_is_lost(world: Any, shape: tuple[bool, ...], fault: Callable[..., Any]) -> None:
    """It is finished again, by the same worker or another, and no new attempt is made."""
    world.file(*shape)
    world.settle(world.courier(Faults(fault("/finish"))))
    world.is_filed()
    assert world.states() == ["finished"]
    assert doubts(world) == ["finish"]


def test_f07_crash_before_the_follow_ups(world: Any, shape: tuple[bool, ...]) -> None:
    """What follows upon a finish was posted with it: it is done after a crash, and nothing is submitted again."""
    world.file(*shape)
    die(world, crash("Record", at=2 + len(shape) + sum(shape), after=True))
    assert world.status() is Status.FINISHED
    assert world.storage.next_due(now=world.time.now()) is None
    before = world.ncmec.reports()
    world.settle()
    assert world.ncmec.reports() == before
    world.is_filed()


@pytest.mark.parametrize(("call", "endpoint"), list(zip(CALLS, ENDPOINTS, strict=True)))
def test_f08_timeout_after_the_server_committed(world: Any, call: str, endpoint: str) -> None:
    """A call that NCMEC took and whose answer never came is treated as a crash in its place is."""
    world.file(True)
    world.settle(world.courier(Faults(lost_answer(endpoint))))
    world.is_filed()
    assert doubts(world) == [call]
    expected = {"submit": ["open", "finished"], "finish": ["finished"]}
    assert world.states() == expected.get(call, ["retracted", "finished"])


def test_f08_timeout_after_the_retract_was_committed(world: Any) -> None:
    """A retract whose answer is lost is repeated, and 5101 says that it is done."""
    world.file(True)
    world.settle(world.courier(Faults(lost_answer("/upload"), lost_answer("/retract"))))
    world.is_filed()
    assert doubts(world) == ["upload", "retract"]
    assert world.kinds().count("retract") == 2
    assert world.states() == ["retracted", "finished"]


# -- everywhere -----------------------------------------------------------------------------------------------------------


def calm(world: Any) -> None:
    """Nothing else goes wrong."""


def with_a_lost_upload(world: Any) -> None:
    """A first attempt is to be retracted."""
    if world.filings["case-1"].files:
        world.courier(Faults(lost_answer("/upload"))).deliver("case-1")
        world.time.advance(A_WHILE)
        assert world.state().attempt.stage == "retracting"


def withdrawn(world: Any) -> None:
    """A person decided against a report that is open."""
    assert world.work(Faults(answered("Exchange", LATER, at=1))) is not None
    world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    world.time.advance(A_WHILE)


@pytest.mark.parametrize("before", [calm, with_a_lost_upload, withdrawn])
def test_a_crash_at_any_effect_neither_loses_nor_doubles(
    new_world: Any, shape: tuple[bool, ...], before: Callable[[Any], None]
) -> None:
    """Whichever effect a worker dies at, before it or after it, the report arrives once with exactly its files, or is
    retracted."""

    def life(faults: Faults) -> Any:
        world = new_world()
        world.file(*shape)
        before(world)
        world.work(faults)
        world.time.advance(A_WHILE)
        world.settle()
        return world

    lives = 0
    for _where, world in every_crash(life):
        world.check()
        assert world.status() is (Status.RETRACTED if before is withdrawn else Status.FINISHED)
        lives += 1
    assert lives >= 12


@pytest.mark.parametrize("shape", [(), (True, False)], ids=["no files", "two files"], indirect=True)
def test_a_crash_at_any_call_of_a_port_neither_loses_nor_doubles(new_world: Any, shape: tuple[bool, ...]) -> None:
    """A courier that dies at any call of storage, evidence or transport, its first and its last ones included, loses and
    doubles nothing; a host that files again after the crash gets the same submission."""

    def life(faults: Faults) -> Any:
        world = new_world()
        filing = world.filing(*shape)
        world.filings["case-1"] = filing
        courier = world.courier(faults)
        with suppress(Crash):
            courier.file(filing, key="case-1")
            courier.deliver("case-1")
        world.courier().file(filing, key="case-1")
        world.time.advance(A_WHILE)
        world.settle()
        return world

    for _where, world in every_crash(life):
        world.is_filed()


def test_a_crash_at_any_call_is_survived_on_disk(new_world: Any, tmp_path: Path) -> None:
    """The same with journals in SQLite, of which the next process has nothing but the file."""
    template = tmp_path / "template.db"
    with SqlStorage(f"sqlite:///{template}") as storage:
        storage.upgrade()
    lives: list[Path] = []

    def life(faults: Faults) -> Any:
        path = tmp_path / f"{len(lives)}.db"
        lives.append(path)
        shutil.copy(template, path)
        with SqlStorage(f"sqlite:///{path}") as storage:
            world = new_world(storage=storage)
            world.file(True, False)
            with suppress(Crash):
                world.courier(faults).deliver("case-1")
        with SqlStorage(f"sqlite:///{path}") as storage:
            world.storage = storage
            world.time.advance(A_WHILE)
            world.settle()
            world.is_filed()
        return None

    assert len(list(every_crash(life))) >= 30
