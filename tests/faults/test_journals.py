"""Journals that were tampered with, and journals of a newer program."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.audit import Auditor, Checkpoint
from cybertip.drivers import head_of
from cybertip.errors import UnknownEvent
from cybertip.filing import Entry, Journal, Status, verify
from cybertip.filing.manifest import canonical, digest_of
from cybertip.protocol import Answer
from cybertip.testing.clock import START
from cybertip.testing.faults import Faults, answered, lost_answer

# -- tampering --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def delivered(world: Any) -> Any:
    """A world with a submission whose journal has a history."""
    world.file(True)
    world.settle(world.courier(Faults(lost_answer("/upload"))))
    world.is_filed()
    return world


def found(entries: tuple[Entry, ...], **end: Any) -> list[int]:
    """Return the versions at which a journal is not what was written."""
    return [one.version for one in verify("case-1", entries, **end)]


def test_f45_an_altered_entry_is_found(delivered: Any) -> None:
    """Whatever is altered in any entry, by a letter or a second, it is said which entry it is."""
    entries = delivered.storage.read("case-1")
    assert found(entries) == []
    for index, entry in enumerate(entries):
        for change in (
            {"data": entry.data + " "},
            {"kind": entry.kind + "0"},
            {"recorded_at": entry.recorded_at + timedelta(microseconds=1)},
        ):
            altered = attrs.evolve(entry, **change)
            assert found((*entries[:index], altered, *entries[index + 1 :])) == [index + 1]


def rechained(entries: tuple[Entry, ...], start: int) -> tuple[Entry, ...]:
    """Reckon digests anew from a place on, as a forger does who knows how."""
    made = list(entries[:start])
    for entry in entries[start:]:
        previous = made[-1].digest if made else "0" * 64
        at = entry.recorded_at.isoformat()
        digest = digest_of(canonical(["case-1", len(made) + 1, at, entry.kind, entry.data, previous]))
        made.append(attrs.evolve(entry, version=len(made) + 1, previous=previous, digest=digest))
    return tuple(made)


def test_f45_a_journal_that_was_written_anew_is_found(delivered: Any) -> None:
    """A forger who reckons all digests anew is found at the head, or at a checkpoint: the journal was forked."""
    entries = delivered.storage.read("case-1")
    head = delivered.storage.head("case-1")
    forged = rechained((attrs.evolve(entries[0], data=entries[0].data.replace("case-1", "case-9")), *entries[1:]), 0)
    assert forged[-1].digest != entries[-1].digest
    assert found(forged) == []
    assert found(forged, version=head.version, digest=head.digest) == [len(entries)]


def test_f45_a_cut_journal_is_found(delivered: Any) -> None:
    """What is missing at the beginning, in the middle or at the end is found where it is missing."""
    entries = delivered.storage.read("case-1")
    head = delivered.storage.head("case-1")
    end = {"version": head.version, "digest": head.digest}
    for cut in range(len(entries) - 1):
        assert found((*entries[:cut], *entries[cut + 1 :]), **end) == [cut + 2]
    for length in range(len(entries)):
        assert found(entries[:length], **end) == [length + 1]


def test_f45_a_reordered_journal_is_found(delivered: Any) -> None:
    """Two entries that changed places are found at the first of them, with their numbers or with new ones."""
    entries = delivered.storage.read("case-1")
    for at in range(len(entries) - 1):
        first, second = entries[at : at + 2]
        assert found((*entries[:at], second, first, *entries[at + 2 :]))[0] in (at + 1, at + 2)
        renumbered = (attrs.evolve(second, version=at + 1), attrs.evolve(first, version=at + 2))
        assert found((*entries[:at], *renumbered, *entries[at + 2 :]))[0] == at + 1


def test_f45_what_all_of_storage_hides_a_checkpoint_shows(delivered: Any, tmp_path: Path) -> None:
    """Heads that were altered with their journals, and a submission that is missing as a whole, are found by a checkpoint
    that was kept elsewhere."""
    path = tmp_path / "checkpoint"
    path.write_bytes(b"".join(Auditor(delivered.storage).checkpoint(taken_at=START)))
    assert list(Auditor(delivered.storage).verify(checkpoint=Checkpoint(path))) == []
    entries = delivered.storage.read("case-1")
    cut = MemoryStorage()
    cut.append(entries[:2], head_of(Journal.of("case-1", entries[:2]), START), expected=0)
    assert list(Auditor(cut).verify()) == []
    for storage in (cut, MemoryStorage()):
        (tampering,) = Auditor(storage).verify(checkpoint=Checkpoint(path))
        assert tampering.key == "case-1"
        assert "missing" in tampering.what


# -- a newer program's journals ---------------------------------------------------------------------------------------------


def newer(journal: Journal, kind: str, data: str) -> Entry:
    """Return an entry that a newer program would have written next."""
    at = START + timedelta(hours=1)
    digest = digest_of(canonical([journal.key, journal.version + 1, at.isoformat(), kind, data, journal.digest]))
    return Entry(
        key=journal.key,
        version=journal.version + 1,
        recorded_at=at,
        kind=kind,
        data=data,
        previous=journal.digest,
        digest=digest,
    )


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("sealed/1", {}),
        ("intended/2", {"call": "submit"}),
        ("intended/1", {"call": "submit", "file": None, "worker": "", "shard": 7}),
        ("intended/1", {"call": "amend", "file": None, "worker": ""}),
        ("escalated/1", {}),
    ],
    ids=["a new kind", "a new version", "a new field", "a new word", "a lacking field"],
)
@pytest.mark.parametrize("open_at_ncmec", [False, True], ids=["waiting", "open"])
def test_f51_a_newer_programs_event(world: Any, kind: str, data: Any, open_at_ncmec: bool) -> None:
    """What an older program does not know it holds: nothing is sent, nothing guessed, a person is called once, the others
    are delivered, and a program that knows it goes on."""
    world.file(False, priority=9)
    world.file(key="case-2")
    if open_at_ncmec:
        world.courier(Faults(answered("/upload", Answer(status=429)))).deliver("case-1")
    journal = Journal.of("case-1", world.storage.read("case-1"))
    entry = newer(journal, kind, json.dumps(data))
    head = attrs.evolve(world.storage.head("case-1"), version=entry.version, digest=entry.digest)
    before, appends = world.states(), world.storage.read("case-1")
    world.storage.append([entry], attrs.evolve(head, due_at=START), expected=journal.version)
    world.sent.clear()
    courier = world.courier()
    for _ in range(24):
        courier.run_due(limit=1)
        world.time.advance(timedelta(minutes=30))
    assert world.status("case-2") is Status.FINISHED
    assert [one for one in world.states() if one != "finished"] == before
    assert set(world.calls()) == {"/submit", "/finish"}
    assert world.storage.read("case-1") == (*appends, entry)
    assert world.storage.head("case-1").status == Status.HELD
    assert world.alarms == ["case-1"]
    for ask in (courier.status, courier.receipt, courier.submission):
        with pytest.raises(UnknownEvent, match="held"):
            ask("case-1")
    with pytest.raises(UnknownEvent):
        courier.retract("case-1", actor="reviewer", reason="synthetic")
    with pytest.raises(UnknownEvent):
        courier.file(world.filings["case-1"], key="case-1")
