"""Whatever is done to journals and heads is found, and placed; what is whole is never accused."""

import functools
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from hypothesis import assume, given, settings, strategies as st

from cybertip.adapters.storage.memory import MemoryStorage
from cybertip.audit import Auditor, Checkpoint, Tally, Tampering
from cybertip.errors import AdapterError
from cybertip.filing import Status
from cybertip.filing.manifest import canonical, digest_of
from cybertip.ports.storage import Entry, Head, Storage
from cybertip.testing.simulation import Simulation

#: When all that is simulated begins, and a time after it.
START, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SEEDS = range(8)


# -- histories to tamper with ---------------------------------------------------------------------------------------------


@attrs.define
class Books:
    """Journals and heads that a test may alter as it likes; as much of a storage as an audit needs."""

    journals: dict[str, tuple[Entry, ...]] = attrs.Factory(dict)
    standing: dict[str, Head] = attrs.Factory(dict)

    def copy(self) -> "Books":
        return Books(dict(self.journals), dict(self.standing))

    def heads(self, *, after: str | None = None, limit: int = 100, **_: Any) -> tuple[Head, ...]:
        keys = sorted(key for key in self.standing if after is None or key > after)
        return tuple(self.standing[key] for key in keys[:limit])

    def head(self, key: str) -> Head | None:
        return self.standing.get(key)

    def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
        return self.journals.get(key, ())[after:]


class Chronicle(MemoryStorage):
    """A storage that remembers how it was after each append."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[Books] = [Books()]

    def append(self, entries: Sequence[Entry], head: Head, **more: Any) -> None:
        super().append(entries, head, **more)
        books = self.moments[-1].copy()
        books.journals[head.key] = self.read(head.key)
        books.standing[head.key] = cast(Head, self.head(head.key))
        self.moments.append(books)


@functools.cache
def history(seed: int) -> tuple[Books, ...]:
    """Return the moments of a simulated history: losses, crashes, retractions and what else the seed brings."""
    storage = Chronicle()
    Simulation(seed, storage=storage, submissions=3).run()
    return tuple(storage.moments)


def chained(key: str, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return entries with versions and digests as a forger would compute them who knows how."""
    made: list[Entry] = []
    for version, entry in enumerate(entries, start=1):
        previous = made[-1].digest if made else "0" * 64
        at = entry.recorded_at.astimezone(UTC).isoformat()
        digest = digest_of(canonical([key, version, at, entry.kind, entry.data, previous]))
        made.append(attrs.evolve(entry, key=key, version=version, previous=previous, digest=digest))
    return tuple(made)


@pytest.fixture(scope="module")
def checkpoint_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Checkpoint]:
    """A function that takes a checkpoint of books."""
    path = tmp_path_factory.mktemp("checkpoints") / "checkpoint.jsonl"

    def take(books: Books, taken_at: datetime = START) -> Checkpoint:
        path.write_bytes(b"".join(Auditor(cast(Storage, books)).checkpoint(taken_at=taken_at)))
        return Checkpoint(path)

    return take


def found(books: Any, checkpoint: Checkpoint | None = None, **more: Any) -> list[Tampering]:
    return list(Auditor(cast(Storage, books)).verify(checkpoint=checkpoint, **more))


@st.composite
def moments(draw: st.DrawFn) -> tuple[Books, str]:
    """Some moment of a history, to be altered, and one of its submissions."""
    books = draw(st.sampled_from(SEEDS).flatmap(lambda seed: st.sampled_from(history(seed)[1:]))).copy()
    return books, draw(st.sampled_from(sorted(books.journals)))


#: Alters a journal or its head, and says at which entries that is to be noticed.
Choose = Callable[[Any], Any]
Alteration = Callable[[Books, str, Choose], set[int]]


# -- what can be done to a journal ------------------------------------------------------------------------------------------


def _index(books: Books, key: str, choose: Choose, *, least: int = 0) -> int:
    count = len(books.journals[key])
    assume(count > least)
    return int(choose(st.integers(least, count - 1)))


def change(books: Books, key: str, choose: Choose) -> set[int]:
    """Another time, kind, text or digest in one entry."""
    index = _index(books, key, choose)
    entries = list(books.journals[key])
    entry: Entry = entries[index]
    other = "f" * 64
    entries[index] = choose(
        st.sampled_from(
            (
                attrs.evolve(
                    entry, recorded_at=entry.recorded_at.replace(microsecond=1 - entry.recorded_at.microsecond % 2)
                ),
                attrs.evolve(entry, kind="withdrawn/1"),
                attrs.evolve(entry, kind="filed/2"),
                attrs.evolve(entry, data=entry.data.replace("}", " }", 1)),
                attrs.evolve(entry, data=f"{entry.data} "),
                attrs.evolve(entry, data='{"actor":"nobody","reason":"none"}'),
                attrs.evolve(entry, previous=other),
                attrs.evolve(entry, digest=other),
                attrs.evolve(entry, version=entry.version + 1),
            )
        )
    )
    assume(entries[index] != entry)
    books.journals[key] = tuple(entries)
    return {index + 1, index + 2}


def remove(books: Books, key: str, choose: Choose) -> set[int]:
    """One entry taken out, the last one perhaps."""
    index = _index(books, key, choose)
    entries = list(books.journals[key])
    del entries[index]
    books.journals[key] = tuple(entries)
    return {index + 1, index + 2}


def cut(books: Books, key: str, choose: Choose) -> set[int]:
    """The end cut off, down to nothing perhaps."""
    index = _index(books, key, choose)
    books.journals[key] = books.journals[key][:index]
    return {index + 1}


def swap(books: Books, key: str, choose: Choose) -> set[int]:
    """Two entries in each other's place."""
    second = _index(books, key, choose, least=1)
    first = choose(st.integers(0, second - 1))
    entries = list(books.journals[key])
    entries[first], entries[second] = entries[second], entries[first]
    books.journals[key] = tuple(entries)
    return {first + 1, second + 1}


def exchange(books: Books, key: str, choose: Choose) -> set[int]:
    """Two entries in each other's place, under each other's version."""
    second = _index(books, key, choose, least=1)
    first = choose(st.integers(0, second - 1))
    entries = list(books.journals[key])
    one, other = entries[first], entries[second]
    entries[first] = attrs.evolve(other, version=one.version)
    entries[second] = attrs.evolve(one, version=other.version)
    books.journals[key] = tuple(entries)
    return {first + 1}


def double(books: Books, key: str, choose: Choose) -> set[int]:
    """An entry that stands there twice."""
    index = _index(books, key, choose)
    entries = list(books.journals[key])
    entries.insert(index + 1, entries[index])
    books.journals[key] = tuple(entries)
    return {index + 1, index + 2}


def add(books: Books, key: str, choose: Choose) -> set[int]:
    """An entry at the end that follows as it should, which the head does not know."""
    entries = books.journals[key]
    more = attrs.evolve(entries[-1], kind="withdrawn/1", data='{"actor":"nobody","reason":"none"}')
    books.journals[key] = chained(key, (*entries, more))
    return {len(entries) + 1}


def rewrite(books: Books, key: str, choose: Choose) -> set[int]:
    """An entry changed and the chain computed anew behind it: a fork."""
    index = _index(books, key, choose)
    entries = list(books.journals[key])
    entries[index] = attrs.evolve(entries[index], data=f"{entries[index].data} ")
    books.journals[key] = chained(key, entries)
    return {len(entries)}


def set_back(books: Books, key: str, choose: Choose) -> set[int]:
    """The head as it was some entries ago: what came after it would be done again."""
    index = _index(books, key, choose, least=1)
    entry = books.journals[key][index - 1]
    books.standing[key] = attrs.evolve(books.standing[key], version=entry.version, digest=entry.digest)
    return {index + 1}


def alter_head(books: Books, key: str, choose: Choose) -> set[int]:
    """Something else in a head."""
    head = books.standing[key]
    other = choose(
        st.one_of(
            st.builds(lambda by: {"version": head.version + by}, st.sampled_from((-1000, -1, 1, 1000))),
            st.just({"digest": "f" * 64}),
            st.builds(lambda status: {"status": str(status)}, st.sampled_from([*Status, "unheard of"])),
            st.just({"due_at": None}),
            st.just({"priority": head.priority + 1}),
            st.just({"tenant": "another"}),
            st.just({"lane": "another"}),
            st.just({"report_id": 4711}),
            st.just({"tags": ("another",)}),
        )
    )
    # Held is said by heads alone, and settled is what it is.
    assume(other.get("status") not in (head.status, Status.HELD))
    assume("due_at" not in other or head.status in (Status.WAITING, Status.DELIVERING))
    books.standing[key] = attrs.evolve(head, **other)
    return {max(head.version - 1, 1), head.version, head.version + 1, 1}


@pytest.mark.parametrize(
    "alteration",
    [change, remove, cut, swap, exchange, double, add, rewrite, set_back, alter_head],
    ids=lambda alteration: alteration.__name__,
)
@given(data=st.data())
def test_any_alteration_is_found_where_it_was_made(alteration: Alteration, data: st.DataObject) -> None:
    """Without a checkpoint: whatever is done to a journal or to its head, and nobody else is accused."""
    books, key = data.draw(moments())
    places = alteration(books, key, data.draw)
    tampering = found(books)
    assert tampering
    assert {one.key for one in tampering} == {key}
    assert tampering[0].version in places


# -- what only a checkpoint shows -----------------------------------------------------------------------------------------


def cut_with_head(books: Books, key: str, choose: Choose) -> set[int]:
    """The end cut off, and the head made to fit: as an old backup would have it."""
    now = books.journals[key]
    assume(len(now) > 1)
    older = choose(
        st.sampled_from(
            [
                one
                for seed in SEEDS
                for one in history(seed)
                if 0 < (count := len(one.journals.get(key, ()))) < len(now) and one.journals[key][-1] == now[count - 1]
            ]
        )
    )
    kept = older.journals[key]
    books.journals[key], books.standing[key] = kept, older.standing[key]
    return {len(kept) + 1}


def fork_with_head(books: Books, key: str, choose: Choose) -> set[int]:
    """The journal written anew from some entry on, as a forger would, and the head made to fit."""
    entries = books.journals[key]
    index = _index(books, key, choose)
    later = [attrs.evolve(one, recorded_at=one.recorded_at.replace(microsecond=1)) for one in entries[index:]]
    books.journals[key] = chained(key, (*entries[:index], *later))
    books.standing[key] = attrs.evolve(books.standing[key], digest=books.journals[key][-1].digest)
    return {len(entries)}


def lose_everything(books: Books, key: str, choose: Choose) -> set[int]:
    """The whole submission taken out."""
    del books.journals[key], books.standing[key]
    return {1}


def lose_head(books: Books, key: str, choose: Choose) -> set[int]:
    """The head taken out: no worker and no list would ever come across the journal."""
    del books.standing[key]
    return {1}


@pytest.mark.parametrize(
    "alteration",
    [cut_with_head, fork_with_head, lose_everything, lose_head],
    ids=lambda alteration: alteration.__name__,
)
@given(data=st.data())
def test_what_fits_together_is_found_with_a_checkpoint(
    checkpoint_of: Callable[..., Checkpoint], alteration: Alteration, data: st.DataObject
) -> None:
    """A cut, a fork and a missing submission without a trace in the storage are found where the checkpoint knows more."""
    books, key = data.draw(moments())
    checkpoint = checkpoint_of(books)
    places = alteration(books, key, data.draw)
    assert found(books) == []
    tampering = found(books, checkpoint)
    assert [(one.key, one.version in places) for one in tampering] == [(key, True)]


@pytest.mark.parametrize(
    "alteration", [change, remove, cut, swap, double, rewrite], ids=lambda alteration: alteration.__name__
)
@given(data=st.data())
def test_a_checkpoint_hides_nothing(
    checkpoint_of: Callable[..., Checkpoint], alteration: Alteration, data: st.DataObject
) -> None:
    """What is found without a checkpoint is found with one, at the same place."""
    books, key = data.draw(moments())
    checkpoint = checkpoint_of(books)
    alteration(books, key, data.draw)
    assert found(books, checkpoint)[: len(found(books))] == found(books)


def test_a_submission_from_before_the_checkpoint_cannot_be_slipped_in(
    checkpoint_of: Callable[..., Checkpoint],
) -> None:
    """One that claims to be older than a checkpoint which does not have it was made up; one filed since is welcome."""
    books = history(0)[-1].copy()
    key = min(books.journals)
    known = books.copy()
    del known.journals[key], known.standing[key]
    checkpoint = checkpoint_of(known, LATER)
    (tampering,) = found(books, checkpoint)
    assert (tampering.key, tampering.version) == (key, 1)
    assert "put in later" in tampering.what
    books.journals[key] = chained(key, [attrs.evolve(one, recorded_at=LATER) for one in books.journals[key]])
    books.standing[key] = attrs.evolve(books.standing[key], digest=books.journals[key][-1].digest)
    assert found(books, checkpoint) == []


# -- no false alarm -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_whole_is_not_accused(seed: int, checkpoint_of: Callable[..., Checkpoint]) -> None:
    """At no moment of a history is anything found, not even with the checkpoint of an earlier one."""
    earlier = checkpoint_of(history(seed)[0])
    for number, books in enumerate(history(seed)):
        assert found(books) == []
        assert found(books, earlier) == []
        if number % 20 == 0:
            earlier = checkpoint_of(books)


class Living:
    """A storage that others write to: with each look at it, some time has passed."""

    def __init__(self, moments: Sequence[Books], chance: random.Random, longest: int) -> None:
        self._moments, self._chance, self._longest = moments, chance, longest
        self._at = 0

    def __getattr__(self, name: str) -> Any:
        self._at = min(self._at + self._chance.randint(0, self._longest), len(self._moments) - 1)
        return getattr(self._moments[self._at], name)


@pytest.mark.parametrize("seed", SEEDS)
def test_journals_may_grow_while_they_are_verified(seed: int, checkpoint_of: Callable[..., Checkpoint]) -> None:
    """Workers that go on, and submissions that are filed meanwhile, raise no alarm, however fast they are."""
    chance = random.Random(seed)
    for _ in range(100):
        whole = history(seed)
        start = chance.randrange(len(whole))
        checkpoint = checkpoint_of(whole[chance.randrange(start + 1)])
        longest = chance.choice((1, 3, 20))
        assert found(Living(whole[start:], chance, longest), checkpoint) == []


def test_a_checkpoint_may_be_taken_while_journals_grow(tmp_path: Path) -> None:
    """Whatever moment a checkpoint has of each submission, the storage has gone on from it."""
    chance, path = random.Random(0), tmp_path / "checkpoint"
    for seed in SEEDS:
        living = cast(Storage, Living(history(seed), chance, 30))
        path.write_bytes(b"".join(Auditor(living).checkpoint(taken_at=START)))
        assert found(history(seed)[-1], Checkpoint(path)) == []


def test_a_newer_program_is_not_accused() -> None:
    """Events that we cannot read are somebody's all the same: their chain is checked, and they are counted."""
    books = history(1)[-1].copy()
    key = min(books.journals)
    entries = list(books.journals[key])
    entries[2] = attrs.evolve(entries[2], kind="foreseen/1")
    books.journals[key] = chained(key, entries)
    books.standing[key] = attrs.evolve(books.standing[key], digest=books.journals[key][-1].digest, status="held")
    tallies: list[Tally] = []
    assert found(books, progress=tallies.append) == []
    assert tallies[-1].unread == 1
    assert [tally.submissions for tally in tallies] == [1, 2, 3]
    assert tallies[-1].entries == sum(map(len, books.journals.values()))


def test_a_submission_that_is_held_is_not_accused() -> None:
    """A program that could not go on with a submission says so in its head, and leaves the journal as it is."""
    for books in (one.copy() for one in history(1)[1::10]):
        key = min(books.journals)
        books.standing[key] = attrs.evolve(books.standing[key], status=Status.HELD)
        assert found(books) == []


def test_a_history_that_cannot_be_is_found() -> None:
    """A journal that was made up, and chained as it should be, betrays itself where it tells what cannot happen."""
    books = history(1)[-1].copy()
    key = min(books.journals)
    made_up = chained(key, [*books.journals[key][:2], books.journals[key][1]])
    books.journals[key] = made_up
    books.standing[key] = attrs.evolve(books.standing[key], version=3, digest=made_up[-1].digest)
    assert [(one.key, one.version) for one in found(books)] == [(key, 3)]


# -- many submissions -----------------------------------------------------------------------------------------------------


@functools.cache
def many() -> Books:
    """Return more submissions than are read at once, each of them just filed."""
    one = history(0)[1]
    ((entry,),), (head,) = one.journals.values(), one.standing.values()
    books = Books()
    for number in range(450):
        key = f"case-{number:03}"
        (books.journals[key]) = made = chained(key, (entry,))
        books.standing[key] = attrs.evolve(head, key=key, digest=made[0].digest)
    return books


@settings(max_examples=20)
@given(lost=st.sets(st.sampled_from(range(450))))
def test_each_missing_submission_is_named(checkpoint_of: Callable[..., Checkpoint], lost: set[int]) -> None:
    """Wherever in many pages they were: these submissions are missing, and no others."""
    books = many().copy()
    checkpoint = checkpoint_of(books)
    for number in lost:
        lose_everything(books, f"case-{number:03}", lambda strategy: None)
    tallies: list[Tally] = []
    missing = [one.key for one in found(books, checkpoint, progress=tallies.append)]
    assert missing == [f"case-{number:03}" for number in sorted(lost)]
    assert tallies[-1].submissions == 450


def test_every_page_is_looked_at() -> None:
    """One alteration on each page is found without a checkpoint, and every submission is counted once."""
    books, tallies = many().copy(), list[Tally]()
    for key in ("case-000", "case-200", "case-399", "case-449"):
        books.journals[key] = ()
    assert [one.key for one in found(books, progress=tallies.append)] == [
        "case-000",
        "case-200",
        "case-399",
        "case-449",
    ]
    assert tallies[-1] == Tally(submissions=450, entries=446)


def test_a_row_that_cannot_be_read_is_named() -> None:
    """When a storage fails over one journal, the person on call learns over which."""

    class Broken(Books):
        def read(self, key: str, *, after: int = 0) -> tuple[Entry, ...]:
            raise AdapterError("reading failed")

    with pytest.raises(AdapterError, match=r"journal of submission 'case-.*cannot be read.*reading failed"):
        found(Broken(**attrs.asdict(history(0)[-1], recurse=False)))


def test_heads_that_are_out_of_order_are_no_ground_for_findings() -> None:
    """A storage that breaks its promise is told so, before submissions are taken for missing."""

    class Unsorted(Books):
        def heads(self, **more: Any) -> tuple[Head, ...]:
            return super().heads(**more)[::-1]

    with pytest.raises(AdapterError, match="not in the order of their keys"):
        found(Unsorted(**attrs.asdict(history(0)[-1], recurse=False)))
