"""What the file of lists holds, and how an entry is written to it and read from it."""

import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from cybertip.hashing.values import MD5, PDQ, SHA1, SHA256
from cybertip.ports.matching import ConsultedList, EntryId, HashType, ListName, MediaHash, MemberId, Verdict

__all__ = [
    "SCHEMA",
    "VERSION",
    "Change",
    "Found",
    "ListEntry",
    "Mark",
    "Since",
    "kept",
    "listed",
    "moment",
    "rows_of",
    "shown",
    "since",
]

VERSION: Final = 1

#: Numbers of hashes and of removals are never given again, so that whoever saw one has seen all that are smaller.
SCHEMA: Final = (
    "CREATE TABLE lists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, as_of TEXT, checkpoint TEXT)",
    """CREATE TABLE entries (
        id INTEGER PRIMARY KEY, list INTEGER NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
        member TEXT NOT NULL, entry TEXT NOT NULL, classification TEXT, disputed INTEGER NOT NULL,
        UNIQUE (list, member, entry)
    )""",
    """CREATE TABLE hashes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
        type TEXT NOT NULL, value BLOB NOT NULL
    )""",
    "CREATE INDEX hashes_by_value ON hashes (type, value)",
    "CREATE INDEX hashes_by_entry ON hashes (entry)",
    "CREATE TABLE removals (id INTEGER PRIMARY KEY AUTOINCREMENT, hash INTEGER NOT NULL)",
    """CREATE TRIGGER removed AFTER DELETE ON hashes WHEN old.type = 'pdq' BEGIN
        INSERT INTO removals (hash) VALUES (old.id);
    END""",
    """CREATE TABLE changes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT NOT NULL, hash INTEGER NOT NULL, removal INTEGER NOT NULL
    )""",
    """CREATE TABLE verdicts (
        list TEXT NOT NULL, member TEXT NOT NULL, entry TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT,
        PRIMARY KEY (list, member, entry)
    )""",
    f"PRAGMA user_version = {VERSION}",
)

#: Kinds whose values are kept as the bytes that their digits stand for.
_IN_BYTES: Final = frozenset({MD5, SHA1, SHA256, PDQ})

_PDQ_BYTES: Final = 32

#: How many values one statement asks for.
_AT_A_TIME: Final = 400

_ENTRIES: Final = """
SELECT hashes.id, hashes.type, hashes.value, lists.name, entries.entry, entries.member, entries.classification,
    entries.disputed, verdicts.verdict
FROM hashes JOIN entries ON entries.id = hashes.entry JOIN lists ON lists.id = entries.list
LEFT JOIN verdicts ON verdicts.list = lists.name AND verdicts.member = entries.member AND verdicts.entry = entries.entry
WHERE """

Connection = sqlite3.Connection


@attrs.frozen(kw_only=True)
class ListEntry:
    """An entry of a list: something known, and its hashes."""

    entry: EntryId
    member: MemberId | None = None
    #: In the list's own words.
    classification: str | None = None
    #: Somebody says that it does not belong there.
    disputed: bool = False
    hashes: tuple[MediaHash, ...] = ()


@attrs.frozen(kw_only=True)
class Found:
    """An entry that has a hash."""

    list: ListName
    entry: EntryId
    member: MemberId | None
    classification: str | None
    #: By the list's keeper, or by a person here.
    disputed: bool
    hash: MediaHash


@attrs.frozen(kw_only=True)
class Mark:
    """How far an index has come with a store."""

    #: The last change that it has seen, and its token: a store that was restored from a backup goes on with other ones.
    change: int
    token: str
    #: The last hash and the last removal until then.
    hash: int
    removal: int


@attrs.frozen(kw_only=True)
class Since:
    """What happened to the PDQ hashes of a store since a mark."""

    mark: Mark
    added: tuple[tuple[int, bytes], ...] = attrs.field(repr=False)
    removed: tuple[int, ...]


class Change:
    """A list that is being changed."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self._list = number

    @property
    def checkpoint(self) -> str | None:
        """What was last remembered for the list."""
        (found,) = self._one("SELECT checkpoint FROM lists WHERE id = ?", self._list)
        return None if found is None else str(found)

    @checkpoint.setter
    def checkpoint(self, text: str | None) -> None:
        self._connection.execute("UPDATE lists SET checkpoint = ? WHERE id = ?", (text, self._list))

    def complete(self, as_of: datetime) -> None:
        """Say up to which time the list is complete."""
        if as_of.tzinfo is None:
            raise ValueError("the time up to which a list is complete needs its zone")
        moment = as_of.astimezone(UTC).isoformat()
        self._connection.execute("UPDATE lists SET as_of = ? WHERE id = ?", (moment, self._list))

    def put(self, entry: ListEntry, *, keeping: Collection[HashType] = ()) -> None:
        """Put an entry on the list; one with the same entry and member loses its place to it, hashes and all.

        Of the kinds in `keeping`, of which the entry's own could not be read, those before stay.
        """
        key = (self._list, entry.member or "", entry.entry)
        values = (entry.classification, int(entry.disputed))
        self._connection.execute(
            "INSERT INTO entries (list, member, entry, classification, disputed) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET classification = excluded.classification, disputed = excluded.disputed",
            (*key, *values),
        )
        (number,) = self._one("SELECT id FROM entries WHERE list = ? AND member = ? AND entry = ?", *key)
        there = self._connection.execute("SELECT type, value, id FROM hashes WHERE entry = ?", (number,)).fetchall()
        # What stays keeps its number: nobody has to hear of it.
        old = {(kind, value): id for kind, value, id in there}
        new = dict.fromkeys((one.type, kept(one.type, one.value)) for one in entry.hashes)
        self._connection.executemany(
            "DELETE FROM hashes WHERE id = ?",
            [(id,) for key, id in old.items() if key not in new and key[0] not in keeping],
        )
        self._connection.executemany(
            "INSERT INTO hashes (entry, type, value) VALUES (?, ?, ?)",
            [(number, *key) for key in new if key not in old],
        )

    def remove(self, entry: EntryId, member: MemberId | None = None) -> None:
        """Remove an entry, if it is there."""
        self._connection.execute(
            "DELETE FROM entries WHERE list = ? AND member = ? AND entry = ?", (self._list, member or "", entry)
        )

    def clear(self) -> None:
        """Remove all entries."""
        self._connection.execute("DELETE FROM entries WHERE list = ?", (self._list,))

    def drop(self) -> None:
        """Remove the list itself."""
        self._connection.execute("DELETE FROM lists WHERE id = ?", (self._list,))

    def _one(self, statement: str, *values: object) -> Any:
        return self._connection.execute(statement, values).fetchone()


def kept(kind: HashType, value: str) -> bytes:
    """Return a hash's value as the file keeps it."""
    return bytes.fromhex(value) if kind in _IN_BYTES else value.encode()


def shown(kind: str, value: bytes) -> str:
    """Return a hash's value as it is written."""
    return value.hex() if kind in _IN_BYTES else value.decode()


def listed(row: Sequence[Any]) -> ConsultedList:
    """Return a list from its name, its age and its number of entries."""
    name, as_of, entries = row
    return ConsultedList(name=name, as_of=None if as_of is None else moment(as_of), entries=entries)


def moment(text: str) -> datetime:
    """Return the time up to which a list is complete."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found


def rows_of(
    connection: Connection, column: str, wanted: Sequence[object], kind: HashType | None = None
) -> list[tuple[int, Found]]:
    """Return the numbers of hashes, and their entries, by values of a column, some at a time."""
    found = []
    start = _ENTRIES + ("hashes.type = ? AND " if kind is not None else "") + f"hashes.{column} IN "
    first = () if kind is None else (kind,)
    for begin in range(0, len(wanted), _AT_A_TIME):
        some = wanted[begin : begin + _AT_A_TIME]
        places = "(" + ", ".join("?" * len(some)) + ")"
        found += [(row[0], _entry(row)) for row in connection.execute(start + places, (*first, *some))]
    return found


def _entry(row: Sequence[Any]) -> Found:
    _, kind, value, name, entry, member, classification, disputed, verdict = row
    return Found(
        list=name,
        entry=entry,
        member=member or None,
        classification=classification,
        disputed=bool(disputed) or verdict == Verdict.FALSE_POSITIVE,
        hash=MediaHash(type=kind, value=shown(kind, value)),
    )


def since(connection: Connection, mark: Mark | None) -> Since | None:
    """Return what happened to the PDQ hashes since a mark; None if the store's history does not lead from there to here."""
    if mark is not None:
        known = connection.execute("SELECT token FROM changes WHERE id = ?", (mark.change,)).fetchone()
        if known != (mark.token,) and mark != _START:
            return None
    seen = mark or _START
    last = connection.execute("SELECT id, token, hash, removal FROM changes ORDER BY id DESC LIMIT 1").fetchone()
    if last is None:
        return Since(mark=_START, added=(), removed=())
    new = Mark(change=last[0], token=last[1], hash=last[2], removal=last[3])
    if new == seen:
        return Since(mark=new, added=(), removed=())
    added = connection.execute(
        "SELECT id, value FROM hashes WHERE type = ? AND id > ? AND id <= ? ORDER BY id", (PDQ, seen.hash, new.hash)
    )
    removed = connection.execute("SELECT hash FROM removals WHERE id > ? AND id <= ?", (seen.removal, new.removal))
    found = tuple(added)
    if any(type(value) is not bytes or len(value) != _PDQ_BYTES for _, value in found):
        raise ValueError("what is no PDQ hash")
    return Since(mark=new, added=found, removed=tuple(row[0] for row in removed))


_START: Final = Mark(change=0, token="", hash=0, removal=0)
