"""Evidence that is lost, altered, unreadable or enormous, and jobs that nobody can do: one waits, the lane goes on."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import pytest

from cybertip.adapters.evidence import LocalEvidence, MemoryEvidence
from cybertip.filing import Status
from cybertip.filing.events import Damaged
from cybertip.ports.evidence import entry_of
from cybertip.protocol import Answer
from cybertip.testing.faults import Faults, answered, slow, unreadable

HOUR = timedelta(hours=1)


def damage(world: Any, key: str = "case-1") -> list[tuple[int, str]]:
    return [(event.file, event.reason) for event in world.events(key) if isinstance(event, Damaged)]


# -- bytes that are not what was digested -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data[:-1] + b"!", "is not what was digested when it was filed"),
        (lambda data: data[:-1], "has less than the"),
        (lambda data: data + b"!", "has more than the"),
        (lambda data: b"", "has less than the"),
        (None, "cannot be read"),
    ],
    ids=["altered", "shorter", "longer", "emptied", "gone"],
)
@pytest.mark.parametrize("which", [0, 1])
def test_f15_evidence_is_not_what_the_manifest_says(world: Any, which: int, change: Any, reason: str) -> None:
    """Nothing is sent; a person is called about the evidence's integrity; with the evidence restored, and that person's
    word, the report is filed."""
    world.file(True, True)
    reference = f"case-1/{which}"
    original = world.evidence.kept.pop(reference)
    if change is not None:
        world.evidence.kept[reference] = change(original)
    world.settle()
    assert world.status() is Status.NEEDS_HUMAN
    ((file, said),) = damage(world)
    assert file == which
    assert said.startswith(reason)
    assert world.alarms == ["case-1"]
    assert world.sent == []
    world.check()
    world.evidence.kept[reference] = original
    world.settle()
    assert world.sent == []
    world.courier().override("case-1", actor="reviewer", reason="restored from the archive")
    world.settle()
    world.is_filed()


@pytest.mark.parametrize("change", ["emptied", "gone", "longer"])
def test_f15_evidence_that_is_lost_in_mid_report(world: Any, change: str) -> None:
    """Evidence that was whole when the report was opened and is not when its turn comes: no byte of it leaves, the open
    report is retracted, and a person is called at once."""
    world.file(False, False)

    def strike() -> None:
        data = world.evidence.kept.pop("case-1/1")
        if change in ("emptied", "longer"):
            world.evidence.kept["case-1/1"] = b"" if change == "emptied" else data + b"!"

    world.settle(world.courier(Faults(slow("/upload", strike))))
    assert world.status() is Status.NEEDS_HUMAN
    assert [file for file, _ in damage(world)] == [1]
    assert world.calls("/upload") == ["/upload"]
    assert world.states() == ["retracted"]
    assert world.alarms == ["case-1"]
    world.check()


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_f15_evidence_that_cannot_be_read_for_a_moment(world: Any, at: int, times: int) -> None:
    """A disk elsewhere that does not answer is no damage: whether a report is open or not, it is tried again later, and the
    report is filed without anybody's help."""
    world.file(False, False)
    faults = Faults(unreadable(at=at, times=times))
    courier = world.courier(faults)
    world.settle(courier)
    assert damage(world) == []
    assert world.alarms == []
    world.is_filed()


def test_f15_evidence_that_cannot_be_read_for_long(world: Any) -> None:
    """After some failures in a row a person is called; it is tried slowly, and filed when the evidence is back."""
    world.file(False)
    courier = world.courier(Faults(unreadable(times=None)))
    for _ in range(100):
        courier.run_due()
        world.time.advance(timedelta(minutes=5))
    assert world.status() is Status.NEEDS_HUMAN
    assert (world.alarms, world.sent, damage(world)) == (["case-1"], [], [])
    world.settle()
    world.is_filed()


# -- jobs that cannot be done -----------------------------------------------------------------------------------------------


class Poisoned(MemoryEvidence):
    """Breaks its port's promise for one reference."""

    def open(self, reference: str) -> BinaryIO:
        if reference == "case-1/0":
            raise ValueError("canary")
        return super().open(reference)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_f37_a_job_that_fails_in_ways_that_nobody_foresaw(world: Any, concurrency: int) -> None:
    """It is put aside with an alarm and comes up again slowly; the others are delivered meanwhile."""
    for number in range(4):
        world.file(False, key=f"case-{number}", priority=9 if number == 1 else 0)
    kept = world.evidence.kept
    world.evidence = Poisoned(kept)
    courier = world.courier()
    for _ in range(60):
        courier.run_due(limit=2, concurrency=concurrency)
        world.time.advance(timedelta(minutes=1))
    assert [world.status(f"case-{number}") for number in (0, 2, 3)] == [Status.FINISHED] * 3
    assert world.storage.head("case-1").status == Status.HELD
    assert world.alarms == ["case-1"]
    assert world.states() == ["finished"] * 3
    # Mended, it is delivered without anybody's help.
    world.evidence = MemoryEvidence(kept)
    world.settle()
    world.is_filed("case-1")


def test_f38_a_file_that_cannot_be_read(world: Any) -> None:
    """It is parked with an alarm; the lane goes on."""
    for number in range(3):
        world.file(False, key=f"case-{number}", priority=9 if number == 1 else 0)
    del world.evidence.kept["case-1/0"]
    world.settle()
    assert [world.status(f"case-{number}") for number in (0, 2)] == [Status.FINISHED] * 2
    assert world.status("case-1") is Status.NEEDS_HUMAN
    assert world.alarms == ["case-1"]
    world.check()


class Impatient(LocalEvidence):
    """Files of which nobody may read more than a few blocks."""

    def open(self, reference: str) -> BinaryIO:
        file = super().open(reference)
        read, blocks = file.read, iter(range(5))

        class File(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                next(blocks)
                return read(size or -1)

            def close(self) -> None:
                file.close()
                super().close()

        return File()


def test_f38_a_file_that_has_become_50_gb(world: Any, tmp_path: Path) -> None:
    """A file that is not the one that was filed is noticed when as much was read as there should be, and not 50 GB later."""
    (tmp_path / "0.bin").write_bytes(b"synthetic")
    evidence = Impatient(tmp_path)
    filing = world.filing()
    filing = attrs.evolve(filing, files=(entry_of(evidence, "0.bin", name="0.bin"),))
    world.filings["case-1"] = filing
    world.courier(evidence=evidence).file(filing, key="case-1")
    with (tmp_path / "0.bin").open("r+b") as file:
        file.truncate(50 * 1024**3)
    world.settle(world.courier(evidence=evidence))
    assert world.status() is Status.NEEDS_HUMAN
    assert damage(world) == [(0, "has more than the 9 bytes that the manifest says")]
    assert world.alarms == ["case-1"]


class Slow(MemoryEvidence):
    """A large file on a slow disk: each block takes three minutes."""

    def __init__(self, kept: dict[str, bytes], world: Any) -> None:
        super().__init__(kept)
        self.world = world

    def open(self, reference: str) -> BinaryIO:
        world = self.world

        class File(BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                world.time.advance(timedelta(minutes=3))
                return super().read(min(size or 4, 4) if size != 1 else 1)

        return File(self.kept[reference])


def test_f38_a_file_that_takes_longer_than_a_claim(world: Any) -> None:
    """A file whose reading takes longer than a claim lasts is delivered all the same: the claim is kept alive, and another
    worker that looks for work does not take it."""
    world.file(False)
    taken: list[object] = []
    world.evidence = Slow(world.evidence.kept, world)
    other = world.courier()

    class Watched(Slow):
        def open(self, reference: str) -> BinaryIO:
            file = super().open(reference)
            read = file.read

            def watched(size: int = -1) -> bytes:
                taken.append(other.run_due())
                return read(size)

            file.read = watched  # type: ignore[method-assign] # another worker looks around meanwhile
            return file

    begun = world.time.now()
    world.courier(evidence=Watched(world.evidence.kept, world)).run_due()
    world.is_filed()
    assert world.time.now() - begun > timedelta(minutes=20)
    assert taken
    assert not any(taken)
    assert world.states() == ["finished"]


def test_f38_a_file_that_never_makes_it_in_time(world: Any) -> None:
    """A file that takes thirty hours to send outlives every report that it is sent to: after a few reports a person is
    called, it is tried slowly from then on, and the lane goes on."""
    world.file(False)
    world.file(key="case-2")
    faults = Faults(slow("/upload", lambda: world.time.advance(30 * HOUR), times=None))
    courier = world.courier(faults)
    begun = world.time.now()
    while world.time.now() < begun + timedelta(days=10):
        courier.run_due()
        world.time.advance(timedelta(minutes=10))
    assert world.status() is Status.NEEDS_HUMAN
    assert set(world.alarms) == {"case-1"}
    assert len(world.states()) <= 10
    assert world.status("case-2") is Status.FINISHED
    world.settle()
    world.is_filed()


def test_f38_a_file_that_a_gateway_refuses(world: Any) -> None:
    """413 for a file that is too large for something on the way: the report is retracted, and a person is called."""
    world.file(False)
    too_large = Answer(status=413, body=b"<html>Request Entity Too Large</html>")
    faults = Faults(answered("/upload", too_large, times=None))
    courier = world.courier(faults)
    for _ in range(24):
        courier.run_due()
        world.time.advance(timedelta(minutes=10))
    assert world.status() is Status.NEEDS_HUMAN
    assert world.alarms
    assert faults.calls.count("/upload") <= 12
    assert set(world.states()) == {"retracted"}
    world.settle()
    world.is_filed()
