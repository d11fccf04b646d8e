"""Lists of hashes in a file of this machine, by the SQLite that comes with Python.

Each list has entries, and each entry its hashes, as the list's keeper has them now: an entry that comes again takes the
place of the one before. What a transaction changes is there as a whole or not at all, together with the time up to which the
list is complete and with whatever its reader has to remember. Every hash has a number that is never given again, so that an
index elsewhere can catch up with what was added and removed since it last looked.
"""

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cybertip.adapters.matching.inspecting import Tally, faults, samples, tallies
from cybertip.adapters.matching.rows import (
    SCHEMA,
    VERSION,
    Change,
    Found,
    ListEntry,
    Mark,
    Since,
    kept,
    listed,
    rows_of,
    since,
)
from cybertip.errors import AdapterError
from cybertip.ports.matching import ConsultedList, EntryId, HashType, ListName, MediaHash, MemberId, Verdict

__all__ = ["Change", "Found", "HashStore", "ListEntry", "Mark", "Since", "Tally"]

#: Lets indexes elsewhere catch up: every change notes the last numbers of its hashes and of its removals.
_NOTE: Final = """
INSERT INTO changes (token, hash, removal) SELECT ?,
    (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'hashes'),
    (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'removals')
"""


class HashStore:
    """Keep lists of hashes in a file.

    Any number of threads and processes may read at the same time, also while one of them changes it; changes wait for each
    other. Only `AdapterError` gets out of it.

    Args:
        path: of the file; it is made if it is not there. It holds hashes of known material: keep it from others.
        wait_for: how long, in seconds, a change waits for another one before it fails.

    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> from cybertip.ports.matching import MD5
    >>> with tempfile.TemporaryDirectory() as folder, HashStore(Path(folder) / "lists.db") as store:
    ...     with store.changing(ListName("ours")) as change:
    ...         change.put(ListEntry(entry=EntryId("1"), hashes=(MediaHash(type=MD5, value="0" * 32),)))
    ...         change.complete(datetime(2026, 1, 1, tzinfo=UTC))
    ...     [(one.list, one.entry) for one in store.find([MediaHash(type=MD5, value="0" * 32)])]
    [('ours', '1')]
    """

    def __init__(self, path: Path | str, *, wait_for: float = 30.0) -> None:
        self._path = Path(path)
        self._wait_for = wait_for
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        self._prepare()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; calls that are under way end first."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def changing(self, name: ListName) -> Iterator[Change]:
        """Change a list in one transaction, which is recorded when the block ends and undone when it raises.

        The list is made if it is not there. The block should not wait for anything: others who change a list wait for it.
        """
        with self._connected("HashStore.changing") as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("INSERT INTO lists (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
                (number,) = connection.execute("SELECT id FROM lists WHERE name = ?", (name,)).fetchone()
                yield Change(connection, number)
                connection.execute(_NOTE, (secrets.token_hex(16),))
                connection.execute("COMMIT")
            finally:
                _end(connection)

    def drop(self, name: ListName) -> None:
        """Remove a list and all of its entries."""
        with self.changing(name) as change:
            change.drop()

    def lists(self, *, counted: bool = False) -> tuple[ConsultedList, ...]:
        """Return the lists and how old they are; and how many entries they have, if that is wanted, for it takes a while."""
        entries = "(SELECT count(*) FROM entries WHERE list = lists.id)" if counted else "NULL"
        with self._reading("HashStore.lists") as connection:
            rows = connection.execute(f"SELECT name, as_of, {entries} FROM lists ORDER BY name")  # noqa: S608 # no input
            return tuple(listed(row) for row in rows)

    def counts(self) -> dict[HashType, int]:
        """Return how many hashes of each kind there are."""
        with self._connected("HashStore.counts") as connection:
            rows = connection.execute("SELECT type, count(*) FROM hashes GROUP BY type ORDER BY type")
            return {HashType(kind): count for kind, count in rows}

    def kinds(self, kinds: Iterable[HashType]) -> frozenset[HashType]:
        """Return of which of these kinds there is a hash."""
        with self._connected("HashStore.kinds") as connection:
            asked = "SELECT 1 FROM hashes WHERE type = ? LIMIT 1"
            return frozenset(kind for kind in kinds if connection.execute(asked, (kind,)).fetchone())

    def checkpoint(self, name: ListName) -> str | None:
        """Return what was last remembered for a list."""
        with self._connected("HashStore.checkpoint") as connection:
            row = connection.execute("SELECT checkpoint FROM lists WHERE name = ?", (name,)).fetchone()
            return None if row is None or row[0] is None else str(row[0])

    def find(self, hashes: Sequence[MediaHash]) -> tuple[Found, ...]:
        """Return every entry that has one of these very hashes, with the hash that it has."""
        values: dict[HashType, dict[object, None]] = {}
        for one in hashes:
            values.setdefault(one.type, {})[kept(one.type, one.value)] = None
        with self._reading("HashStore.find") as connection:
            rows = [row for kind, some in values.items() for row in rows_of(connection, "value", list(some), kind)]
        return tuple(entry for _, entry in rows)

    def numbered(self, numbers: Sequence[int]) -> dict[int, Found]:
        """Return the entries of hashes by the hashes' numbers, as far as these are still there."""
        with self._reading("HashStore.numbered") as connection:
            return dict(rows_of(connection, "id", numbers))

    def record(
        self, name: ListName, entry: EntryId, member: MemberId | None, *, verdict: Verdict, reason: str | None = None
    ) -> None:
        """Record what a person found who looked at an entry. It stands however the list changes, until the next verdict."""
        with self._connected("HashStore.record") as connection:
            connection.execute(
                "INSERT INTO verdicts (list, member, entry, verdict, reason) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET verdict = excluded.verdict, reason = excluded.reason",
                (name, member or "", entry, verdict.value, reason),
            )

    def since(self, mark: Mark | None) -> Since | None:
        """Return what happened to the PDQ hashes since a mark, or all of them without one.

        None means that the store's history does not lead from there to here: it was restored from a backup, or is another.
        """
        with self._reading("HashStore.since") as connection:
            connection.execute("BEGIN")
            try:
                return since(connection, mark)
            finally:
                _end(connection)

    def tallies(self) -> tuple[Tally, ...]:
        """Count what is on each list. That takes a while where they are long."""
        with self._reading("HashStore.tallies") as connection:
            try:
                return tuple(tallies(connection))
            finally:
                _end(connection)

    def faults(self) -> tuple[str, ...]:
        """Read all of the file, and say what is wrong with it; nothing, if it is whole."""
        with self._connected("HashStore.faults") as connection:
            return tuple(faults(connection))

    def samples(self, kind: HashType, number: int) -> tuple[tuple[ListName, ListEntry], ...]:
        """Return some hashes of a kind from all over the file, each with its entry, to try out whether they are found."""
        with self._reading("HashStore.samples") as connection:
            return tuple(samples(connection, kind, number))

    @contextmanager
    def _reading(self, what: str) -> Iterator[sqlite3.Connection]:
        """Lend a connection to read what was written here: values that cannot be what they stand for are damage."""
        with self._connected(what) as connection:
            try:
                yield connection
            except (AttributeError, TypeError, ValueError) as error:
                # Nor is this one's text quoted, or shown beneath: some of these hold the very value.
                raise AdapterError(f"{what} failed: the file is damaged ({type(error).__name__})") from None

    @contextmanager
    def _connected(self, what: str) -> Iterator[sqlite3.Connection]:
        """Lend a connection, one to each call that is under way."""
        with self._lock:
            if self._closed:
                raise AdapterError("the store of hashes is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._open()
            yield connection
        except sqlite3.Error as error:
            # The original's text is not quoted: it can hold what nobody should read.
            raise AdapterError(f"{what} failed ({type(error).__name__})") from error
        finally:
            if connection is not None:
                self._take_back(connection)

    def _take_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=self._wait_for, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _prepare(self) -> None:
        """Make the tables, unless they are there."""
        with self._connected("HashStore") as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                (version,) = connection.execute("PRAGMA user_version").fetchone()
                for statement in SCHEMA if version == 0 else ():
                    connection.execute(statement)
                connection.execute("COMMIT")
            finally:
                _end(connection)
        if version not in (0, VERSION):
            raise AdapterError("the store of hashes was written by another version of this program")


def _end(connection: sqlite3.Connection) -> None:
    """Undo what was not committed."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")
