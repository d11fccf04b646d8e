"""What is in the file of lists, in numbers, and whether the file is whole."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from cybertip.adapters.matching.rows import ListEntry, listed, moment, shown
from cybertip.hashing.values import MD5, PDQ, SHA1, SHA256
from cybertip.ports.matching import ConsultedList, EntryId, HashType, ListName, MediaHash, MemberId

__all__ = ["Tally", "faults", "samples", "tallies"]

#: How many bytes a hash has that is kept in bytes.
_SIZES: Final = {MD5: 16, SHA1: 20, SHA256: 32, PDQ: 32}


@attrs.frozen(kw_only=True)
class Tally:
    """What is on a list, in numbers."""

    list: ConsultedList
    #: It is kept by a sync, and remembers how far that has come.
    synced: bool
    hashes: Mapping[HashType, int]
    #: Entries by the list's own words for them; those without a word under None.
    classifications: Mapping[str | None, int]
    #: How many shared the entries.
    members: int
    #: Entries of which somebody says, there or here, that they do not belong on the list.
    disputed: int


def tallies(connection: sqlite3.Connection) -> Iterator[Tally]:
    """Count what is on each list, as of one moment."""
    connection.execute("BEGIN")
    for id, name, as_of, checkpoint in connection.execute(
        "SELECT id, name, as_of, checkpoint FROM lists ORDER BY name"
    ):
        entries, members, disputed = connection.execute(
            "SELECT count(*), count(DISTINCT nullif(entries.member, '')),"
            " coalesce(sum(entries.disputed OR coalesce(verdicts.verdict = 'false_positive', 0)), 0)"
            " FROM entries LEFT JOIN verdicts ON verdicts.list = ? AND verdicts.member = entries.member"
            " AND verdicts.entry = entries.entry WHERE entries.list = ?",
            (name, id),
        ).fetchone()
        yield Tally(
            list=listed((ListName(name), as_of, entries)),
            synced=checkpoint is not None,
            hashes={
                HashType(kind): count
                for kind, count in connection.execute(
                    "SELECT hashes.type, count(*) FROM hashes JOIN entries ON entries.id = hashes.entry"
                    " WHERE entries.list = ? GROUP BY hashes.type ORDER BY hashes.type",
                    (id,),
                )
            },
            classifications=dict(
                connection.execute(
                    "SELECT classification, count(*) FROM entries WHERE list = ? GROUP BY classification ORDER BY 1",
                    (id,),
                )
            ),
            members=members,
            disputed=disputed,
        )


def faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Say what is wrong with the file, in words that quote nothing of it. It reads all of it."""
    damages = [row[0] for row in connection.execute("PRAGMA integrity_check(100)")]
    if damages != ["ok"]:
        yield f"the file is damaged in at least {len(damages)} places"
        return
    if connection.execute("PRAGMA foreign_key_check").fetchone():
        yield "there are hashes or entries of lists that are not there"
    wrong = " OR ".join(f"(type = '{kind}' AND length(value) != {size})" for kind, size in _SIZES.items())
    (count,) = connection.execute(
        f"SELECT count(*) FROM hashes WHERE typeof(value) != 'blob' OR {wrong}"  # noqa: S608 # our own words
    ).fetchone()
    if count:
        yield f"{count} hashes have the wrong length"
    for (as_of,) in connection.execute("SELECT as_of FROM lists WHERE as_of IS NOT NULL"):
        try:
            moment(as_of)
        except (TypeError, ValueError):
            yield "a list has a time that is none"


def samples(connection: sqlite3.Connection, kind: HashType, number: int) -> Iterator[tuple[ListName, ListEntry]]:
    """Yield hashes of a kind from all over the file, each with its entry."""
    first, last = connection.execute("SELECT min(id), max(id) FROM hashes WHERE type = ?", (kind,)).fetchone()
    if first is None:
        return
    seen = first - 1
    for step in range(number):
        # Where hashes are far apart, several places lead to the same one.
        place = max(first + (last - first) * step // number, seen + 1)
        row = connection.execute(
            "SELECT hashes.id, lists.name, entries.entry, entries.member, hashes.value FROM hashes"
            " JOIN entries ON entries.id = hashes.entry JOIN lists ON lists.id = entries.list"
            " WHERE hashes.id >= ? AND hashes.type = ? ORDER BY hashes.id LIMIT 1",
            (place, kind),
        ).fetchone()
        if row is None:
            return
        seen, name, entry, member, value = row
        yield (
            ListName(name),
            ListEntry(
                entry=EntryId(entry),
                member=MemberId(member) if member else None,
                hashes=(MediaHash(type=kind, value=shown(kind, value)),),
            ),
        )
