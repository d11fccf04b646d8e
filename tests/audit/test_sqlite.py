"""What somebody does to the rows of a database is found there."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cybertip.adapters.storage.sql import SqlStorage
from cybertip.audit import Auditor, Checkpoint
from cybertip.errors import AdapterError
from cybertip.testing.simulation import Luck, Simulation

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A database with three submissions that were delivered through bad luck, and a checkpoint of it."""
    path = tmp_path_factory.mktemp("original") / "reports.db"
    with SqlStorage(f"sqlite:///{path}") as storage:
        storage.upgrade()
        Simulation(4, luck=Luck(withdrawal=0), storage=storage, submissions=3).run()
        checkpoint = b"".join(Auditor(storage).checkpoint(taken_at=START))
    with sqlite3.connect(path) as connection:
        # All of it is in one file then, which can be copied.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes(), checkpoint


@pytest.fixture
def database(original: tuple[bytes, bytes], tmp_path: Path) -> Path:
    path = tmp_path / "reports.db"
    path.write_bytes(original[0])
    return path


@pytest.fixture
def checkpoint(original: tuple[bytes, bytes], tmp_path: Path) -> Checkpoint:
    path = tmp_path / "checkpoint.jsonl"
    path.write_bytes(original[1])
    return Checkpoint(path)


@pytest.fixture
def storage(database: Path) -> Iterator[SqlStorage]:
    with SqlStorage(f"sqlite:///{database}") as storage:
        yield storage


def alter(database: Path, *statements: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, "nothing was altered"
    connection.close()


def places(storage: SqlStorage, checkpoint: Checkpoint | None = None) -> set[tuple[str, int]]:
    return {(one.key, one.version) for one in Auditor(storage).verify(checkpoint=checkpoint)}


def test_a_database_that_nobody_touched_is_whole(storage: SqlStorage, checkpoint: Checkpoint) -> None:
    """What was stored and read again is what was written, to the microsecond."""
    assert places(storage) == places(storage, checkpoint) == set()


ENTRY = "WHERE key = 'case-1' AND version = 3"
HEAD = "UPDATE cybertip_heads SET {} WHERE key = 'case-1'"


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (f"UPDATE cybertip_entries SET data = data || ' ' {ENTRY}", 3),
        (f"UPDATE cybertip_entries SET recorded_at = recorded_at + 1 {ENTRY}", 3),
        (f"UPDATE cybertip_entries SET kind = 'finished/1' {ENTRY}", 3),
        (f"UPDATE cybertip_entries SET previous = digest {ENTRY}", 3),
        (f"UPDATE cybertip_entries SET digest = previous {ENTRY}", 3),
        (f"UPDATE cybertip_entries SET version = 1000 {ENTRY}", 4),
        (f"UPDATE cybertip_entries SET version = 0 {ENTRY}", 4),
        (f"UPDATE cybertip_entries SET key = 'case-3' {ENTRY}", 4),
        (f"DELETE FROM cybertip_entries {ENTRY}", 4),
        ("DELETE FROM cybertip_entries WHERE key = 'case-1' AND version >= 3", 3),
        ("DELETE FROM cybertip_entries WHERE key = 'case-1'", 1),
        (
            "UPDATE cybertip_entries SET data = (SELECT data FROM cybertip_entries "
            f"WHERE key = 'case-2' AND version = 1) {ENTRY}",
            3,
        ),
        (
            "INSERT INTO cybertip_entries SELECT key, version + 1, recorded_at, kind, data, previous, digest "
            "FROM cybertip_entries WHERE key = 'case-1' ORDER BY version DESC LIMIT 1",
            None,
        ),
        (HEAD.format("version = version - 1"), None),
        (HEAD.format("version = -1"), 1),
        (HEAD.format("version = 0, digest = ''"), 1),
        (HEAD.format("digest = 'nothing'"), None),
        (HEAD.format("status = 'waiting'"), None),
        (HEAD.format("report_id = 1"), None),
        (HEAD.format("""tags = '["another"]'"""), None),
    ],
)
def test_each_alteration_of_a_row_is_found(
    database: Path, storage: SqlStorage, checkpoint: Checkpoint, statement: str, place: int | None
) -> None:
    """Whichever column of whichever row: the submission is named, and the entry where it shows."""
    head = storage.head("case-1")
    assert head is not None
    alter(database, statement)
    near = {place} if place is not None else {head.version - 1, head.version, head.version + 1}
    assert {version for _, version in places(storage)} & near
    assert {key for key, _ in places(storage)} == {key for key, _ in places(storage, checkpoint)} == {"case-1"}


def test_entries_in_each_others_place_are_found(database: Path, storage: SqlStorage) -> None:
    """Two entries that changed their versions are both there, and not in their order."""
    alter(
        database,
        "UPDATE cybertip_entries SET version = -2 WHERE key = 'case-0' AND version = 2",
        "UPDATE cybertip_entries SET version = 2 WHERE key = 'case-0' AND version = 4",
        "UPDATE cybertip_entries SET version = 4 WHERE key = 'case-0' AND version = -2",
    )
    assert ("case-0", 2) in places(storage)


@pytest.mark.parametrize("tables", [("entries", "heads"), ("heads",)], ids=" and ".join)
def test_a_submission_that_was_deleted_is_missed(
    database: Path, storage: SqlStorage, checkpoint: Checkpoint, tables: tuple[str, ...]
) -> None:
    """Without its rows nothing in the database knows of a submission; the checkpoint does."""
    alter(database, *(f"DELETE FROM cybertip_{table} WHERE key = 'case-1'" for table in tables))
    assert places(storage) == set()
    assert places(storage, checkpoint) == {("case-1", 1)}


def test_an_empty_database_misses_everything(tmp_path: Path, checkpoint: Checkpoint) -> None:
    """A database that was lost and begun anew is no whole one."""
    with SqlStorage(f"sqlite:///{tmp_path / 'new.db'}") as storage:
        storage.upgrade()
        assert places(storage, checkpoint) == {(f"case-{number}", 1) for number in range(3)}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (f"UPDATE cybertip_entries SET recorded_at = 'yesterday' {ENTRY}", "the journal of submission 'case-1'"),
        (f"UPDATE cybertip_entries SET recorded_at = {2**62} {ENTRY}", "the journal of submission 'case-1'"),
        (HEAD.format("tags = 'canary'"), "the heads after None"),
    ],
)
def test_a_row_that_cannot_be_read_is_not_passed_over(
    database: Path, storage: SqlStorage, statement: str, what: str
) -> None:
    """What is no value of its column stops the verification, with the place where it stopped."""
    alter(database, statement)
    with pytest.raises(AdapterError, match=f"^{what} cannot be read") as failure:
        places(storage)
    assert "canary" not in str(failure.value)
