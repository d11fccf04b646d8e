"""A chain needs no more of a journal than where it ends, and does not care what its entries mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from hypothesis import given, strategies as st

from cybertip.filing import Entry, verify
from cybertip.filing.chain import FIRST, following

NOW = datetime(2026, 1, 1, tzinfo=UTC)
notes = st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=6)


def chained(notes: list[tuple[str, str]]) -> list[Entry]:
    """Return a journal of entries that mean nothing to anyone, each made from the end of the journal alone."""
    entries: list[Entry] = []
    version, digest = 0, FIRST
    for kind, data in notes:
        entry = following("case-1", version, digest, kind=kind, data=data, at=NOW + timedelta(seconds=version))
        entries.append(entry)
        version, digest = entry.version, entry.digest
    return entries


@given(notes=notes)
def test_what_follows_from_the_end_alone_is_a_sound_chain(notes: list[tuple[str, str]]) -> None:
    """Whoever knows only where a journal ends can go on with it, and the whole verifies."""
    entries = chained(notes)
    assert verify("case-1", entries, version=len(notes), digest=entries[-1].digest) == ()
    assert [entry.version for entry in entries] == list(range(1, len(notes) + 1))


@given(notes=notes, data=st.data())
def test_whatever_is_altered_is_found(notes: list[tuple[str, str]], data: st.DataObject) -> None:
    """No part of any entry can be changed without being found, whatever the entry means."""
    entries = chained(notes)
    index = data.draw(st.integers(0, len(entries) - 1))
    entry = entries[index]
    changes: list[dict[str, Any]] = [
        {"kind": entry.kind + "x"},
        {"data": entry.data + "x"},
        {"recorded_at": entry.recorded_at + timedelta(microseconds=1)},
        {"previous": "1" * 64},
        {"digest": "1" * 64},
        {"version": entry.version + 1},
    ]
    entries[index] = attrs.evolve(entry, **data.draw(st.sampled_from(changes)))
    assert verify("case-1", entries) != ()
    assert verify("case-2", chained(notes)) != ()
