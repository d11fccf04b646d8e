"""What people and hosts do: file what cannot be, file it again, take it back, and never get around to what follows."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from cybertip.errors import Conflict, InvalidReport, UnknownSubmission
from cybertip.filing import Status
from cybertip.filing.events import Lost
from cybertip.filing.flows import RECEIPT
from cybertip.model import BatchedReport, BatchedReportReason, FileAnnotations, FileDescription, evolve
from cybertip.protocol import Answer
from cybertip.testing.faults import Faults, Strike, answered, crash, lost_answer, lost_request, never_sent, slow

ENDPOINTS = ("/submit", "/upload", "/fileinfo", "/finish")
LATER = Answer(status=503, headers=(("Retry-After", "1"),))
A_WHILE = timedelta(minutes=6)


# -- what cannot be filed ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [0, 1, 2, 3])
def test_f40_a_batched_report_with_more_than_one_file(world: Any, files: int) -> None:
    """A batched report may have one file. With two it is refused when it is filed: nothing is recorded and nothing sent, for
    NCMEC would say so only at the finish."""
    filing = world.filing(*([True] * files))
    batched = BatchedReport(reason=BatchedReportReason.VIRAL_POTENTIAL_MEME)
    viral = FileDescription(file_annotations=FileAnnotations(viral=True))
    filing = attrs.evolve(
        filing,
        report=evolve(filing.report, batched_report=batched),
        files=tuple(attrs.evolve(file, description=viral) for file in filing.files),
    )
    if files <= 1:
        world.filings["case-1"] = filing
        world.courier().file(filing, key="case-1")
        world.settle()
        world.is_filed()
        return
    with pytest.raises(InvalidReport) as raised:
        world.courier().file(filing, key="case-1")
    assert [violation.rule for violation in raised.value.violations] == ["batched-one-file"]
    with pytest.raises(UnknownSubmission):
        world.courier().status("case-1")
    world.settle()
    assert world.sent == []


# -- again ------------------------------------------------------------------------------------------------------------------


def waiting(world: Any) -> None:
    """Nothing was done yet."""


def delivering(world: Any) -> None:
    world.courier(Faults(answered("/upload", LATER))).deliver("case-1")


def in_doubt(world: Any) -> None:
    world.courier(Faults(lost_answer("/upload"))).deliver("case-1")


def abandoned(world: Any) -> None:
    assert world.work(Faults(crash("Exchange", at=1))) is None
    world.time.advance(A_WHILE)


def needs_human(world: Any) -> None:
    del world.evidence.kept["case-1/0"]
    world.settle()


def finished(world: Any) -> None:
    world.settle()


def retracted(world: Any) -> None:
    world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    world.settle()


every_state = pytest.mark.parametrize(
    "state", [waiting, delivering, in_doubt, abandoned, needs_human, finished, retracted], ids=lambda one: one.__name__
)


@every_state
def test_f41_the_same_key_again(world: Any, state: Callable[[Any], None]) -> None:
    """In every state, the same key with the same filing is the same submission, and with another filing it is a conflict:
    nothing more is recorded and nothing more sent."""
    filing = world.file(True)
    state(world)
    before, sent = world.storage.read("case-1"), len(world.sent)
    handle = world.courier().file(filing, key="case-1")
    assert handle == world.courier().status("case-1")
    for other in (world.filing(False), attrs.evolve(filing, report=world.filing(key="case-2").report)):
        with pytest.raises(Conflict, match="another filing"):
            world.courier().file(other, key="case-1")
    assert world.storage.read("case-1") == before
    assert len(world.sent) == sent


def test_f41_the_same_key_at_once(world: Any) -> None:
    """Of many that file under one key in one moment, all with the same filing get the same submission, and the others a
    conflict."""
    mine, other = world.filing(True), world.filing(False)
    barrier = threading.Barrier(8)
    said: list[str] = []

    def file(number: int) -> None:
        courier = world.courier()
        barrier.wait(60)
        try:
            courier.file(mine if number % 2 else other, key="case-1")
            said.append("mine" if number % 2 else "other")
        except Conflict:
            said.append("conflict")

    threads = [threading.Thread(target=file, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (won,) = set(said) - {"conflict"}
    assert (said.count(won), said.count("conflict")) == (4, 4)
    world.filings["case-1"] = mine if won == "mine" else other
    world.settle()
    world.is_filed()


# -- taking back ------------------------------------------------------------------------------------------------------------


@every_state
def test_f42_cancel_in_each_state(world: Any, state: Callable[[Any], None]) -> None:
    """What is not finished is retracted and stays so; what is finished stays finished, and says so."""
    world.file(True)
    state(world)
    was = world.status()
    handle = world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    world.time.advance(A_WHILE)
    world.settle()
    world.check()
    if was is Status.FINISHED:
        assert handle.status is world.status() is Status.FINISHED
        assert world.states() == ["finished"]
    else:
        assert world.status() is Status.RETRACTED
        assert "finished" not in world.states()
        assert "open" not in world.states()
    sent = len(world.sent)
    world.courier().override("case-1", actor="reviewer", reason="after all")
    world.settle()
    assert len(world.sent) == sent


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("acted", [False, True], ids=["before NCMEC acts", "after"])
def test_f42_cancel_in_mid_call(world: Any, endpoint: str, acted: bool) -> None:
    """A call that is under way ends, and its outcome counts: the report is then retracted, and nothing was lost. A finish
    that is under way files it: that is what NCMEC then says, and its receipt is kept."""
    world.file(True)

    def cancel() -> None:
        world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")

    world.settle(world.courier(Faults(slow(endpoint, cancel, after=acted))))
    world.check()
    assert not [event for event in world.events() if isinstance(event, Lost)]
    if endpoint == "/finish":
        assert world.status() is Status.FINISHED
        assert not world.state().receipt.adopted
        assert world.states() == ["finished"]
    else:
        assert world.status() is Status.RETRACTED
        assert world.states() == ["retracted"]


@pytest.mark.parametrize("fault", [never_sent("/finish"), answered("/finish", LATER)], ids=["never sent", "later"])
def test_f42_cancel_after_a_finish_that_was_surely_not_taken(
    world: Any, shape: tuple[bool, ...], fault: Strike
) -> None:
    """A report that is complete, and of which it is known that NCMEC has not finished it, is retracted, and not finished
    against a person's decision."""
    world.file(*shape)
    world.courier(Faults(fault)).deliver("case-1")
    world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    world.settle()
    world.check()
    assert world.status() is Status.RETRACTED
    assert world.states() == ["retracted"]


@pytest.mark.parametrize("arrived", [False, True], ids=["request lost", "answer lost"])
def test_f42_cancel_while_a_finish_is_in_doubt(world: Any, arrived: bool) -> None:
    """A finish that may have been taken is asked for to its end, and then it is finished: nothing else can tell."""
    world.file(True)
    world.courier(Faults((lost_answer if arrived else lost_request)("/finish"))).deliver("case-1")
    handle = world.courier().retract("case-1", actor="reviewer", reason="filed by mistake")
    assert handle.status is Status.DELIVERING
    world.settle()
    world.is_filed()
    assert world.states() == ["finished"]


# -- what follows -----------------------------------------------------------------------------------------------------------


def test_f44_a_follow_up_that_fails_for_ever(world: Any) -> None:
    """What follows upon a receipt can fail for ever: the letter stays, says how often it was tried, and Finished is not
    touched; nothing is submitted again."""
    world.file(True)
    world.settle()
    before = world.storage.read("case-1"), world.storage.head("case-1"), world.ncmec.reports()
    for number in range(1, 200):
        now = world.time.now()
        (letter,) = world.storage.take_letters(now=now, until=now + A_WHILE, limit=10, topics=(RECEIPT,))
        assert (letter.key, letter.tries) == ("case-1", number)
        if number % 2:
            # It failed in good order, and is put off; the other times its worker dies with it.
            world.storage.settle_letter(letter.id, due_at=now + timedelta(hours=1))
        world.time.advance(timedelta(hours=2))
        assert world.courier().run_due() == 0
    assert (world.storage.read("case-1"), world.storage.head("case-1"), world.ncmec.reports()) == before
    world.is_filed()


def test_f44_a_hook_that_fails_for_ever(world: Any) -> None:
    """A host's hooks for progress and metrics can fail at every call: the report arrives."""
    world.file(True, False)
    called: list[object] = []

    def fail(*about: object) -> None:
        called.append(about)
        raise RuntimeError("the metrics are away")

    world.settle(world.courier(watch=fail, progress=fail))
    assert len(called) > 5
    world.is_filed()
