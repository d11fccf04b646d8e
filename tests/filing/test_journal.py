"""A journal says the same whether it is written, read or checked, and shows its own digest wherever it is reckoned."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from cybertip.errors import UnknownEvent
from cybertip.filing import Journal, Status, events as e, verify
from cybertip.filing.chain import FIRST
from cybertip.filing.events import Call

#: Times as storage keeps them: to the microsecond, at any offset.
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - Hypothesis wants the bounds without the offset
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
notes = st.builds(e.Escalated, reason=st.text(max_size=20))


def written(kit: Any, key: str, notes: list[tuple[e.Escalated, datetime]]) -> Journal:
    """Return a journal with a filing and some notes."""
    journal = Journal(key=key).then(e.Filed(environment="test", filing=kit.filing(True)), kit.NOW)
    for note, at in notes:
        journal = journal.then(note, at)
    return journal


@given(key=st.text(min_size=1, max_size=20), notes=st.lists(st.tuples(notes, moments), max_size=6))
def test_what_is_written_is_what_is_read(kit: Any, key: str, notes: list[tuple[e.Escalated, datetime]]) -> None:
    """A journal that was read is the journal that was written: the same state, version and digest, and it verifies."""
    journal = written(kit, key, notes)
    entries = journal.pending
    assert Journal.of(key, entries) == journal.recorded()
    assert verify(key, entries, version=journal.version, digest=journal.digest) == ()
    assert journal.version == len(entries) == len(notes) + 1
    assert (entries[0].previous, entries[-1].digest) == (FIRST, journal.digest)


@given(notes=st.lists(st.tuples(notes, moments), min_size=1, max_size=6), cut=st.integers(0, 6))
def test_reading_can_stop_anywhere(kit: Any, notes: list[tuple[e.Escalated, datetime]], cut: int) -> None:
    """Every beginning of a journal is a journal, that of its time, and what comes after it follows from it."""
    whole = written(kit, "case-1", notes)
    entries = whole.pending
    count = 1 + cut % len(entries)
    begun = Journal.of("case-1", entries[:count])
    assert verify("case-1", entries, version=begun.version, digest=begun.digest) == ()
    for note, at in notes[count - 1 :]:
        begun = begun.then(note, at)
    assert begun.pending == entries[count:]
    assert begun.recorded() == whole.recorded()


@given(at=moments, other=st.integers(-14 * 60, 14 * 60))
def test_a_moment_has_one_digest(kit: Any, at: datetime, other: int) -> None:
    """Storage gives times back in UTC: the digest of an entry is that of the moment, at whatever offset it was told."""
    elsewhere = at.astimezone(timezone(timedelta(minutes=other)))
    event = e.Filed(environment="test", filing=kit.filing())
    digests = {Journal(key="case-1").then(event, time).digest for time in (at, elsewhere, at.astimezone(UTC))}
    assert len(digests) == 1
    assert Journal(key="case-1").then(event, at + timedelta(microseconds=1)).digest not in digests


def test_everything_in_an_entry_is_in_its_digest(kit: Any) -> None:
    """Two entries that differ in anything have different digests: the key, the time, the event, and what came before."""
    filed, note = e.Filed(environment="test", filing=kit.filing()), e.Escalated(reason="none")
    journals = [
        Journal(key="case-1").then(filed, kit.NOW),
        Journal(key="case-2").then(filed, kit.NOW),
        Journal(key="case-1").then(filed, kit.after(1)),
        Journal(key="case-1").then(e.Filed(environment="production", filing=kit.filing()), kit.NOW),
    ]
    digests = {journal.digest for journal in journals}
    assert len(digests) == 4
    # After each, the same event at the same time.
    assert len({journal.then(note, kit.after(2)).digest for journal in journals} | digests) == 8


def test_what_is_pending_is_recorded_once(kit: Any) -> None:
    """After storage took them, entries are no longer pending, and what comes next follows from them."""
    journal = written(kit, "case-1", []).recorded()
    assert journal.pending == ()
    after = journal.then(e.Intended(call=Call.SUBMIT), kit.NOW)
    assert [entry.version for entry in after.pending] == [2]
    assert after.pending[0].previous == journal.digest
    assert after.status is Status.DELIVERING


def test_a_newer_programs_journal_is_held(kit: Any) -> None:
    """A journal in which anything is unknown is not read in part; the error names the submission."""
    entries = list(written(kit, "case-1", []).pending)
    unknown = Journal(key="case-1").then(e.Filed(environment="test", filing=kit.filing()), kit.NOW).pending[0]
    newer = type(unknown)(
        key="case-1",
        version=2,
        recorded_at=kit.NOW,
        kind="teleported/1",
        data="{}",
        previous=unknown.digest,
        digest="0" * 64,
    )
    with pytest.raises(UnknownEvent) as caught:
        Journal.of("case-1", [*entries, newer])
    assert caught.value.key == "case-1"
    assert "case-1" in str(caught.value)
