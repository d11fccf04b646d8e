"""The index finds all known hashes near a query and no others: whatever a comparison with each of them finds."""

import random
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from cybertip.hashing import tables as tables_module
from cybertip.hashing.index import Hit, PdqIndex
from cybertip.hashing.index_files import load, save, try_out
from cybertip.hashing.pdq import distance
from cybertip.hashing.tables import Tables, scan


def altered(known: bytes, bits: Sequence[int]) -> bytes:
    return (int.from_bytes(known, "big") ^ sum(1 << bit for bit in set(bits))).to_bytes(32, "big")


def all_hits(known: Sequence[tuple[int, bytes]], query: bytes, limit: int) -> list[Hit]:
    """Compare the query with every hash: what an index has to find."""
    hits = (Hit(distance=distance(one, query), id=id) for id, one in known)
    return sorted(hit for hit in hits if hit.distance <= limit)


def made_up(seed: int, count: int) -> list[bytes]:
    numbers = random.Random(seed)
    return [numbers.randbytes(32) for _ in range(count)]


#: Hashes as chance has them, and as it has not: few bits, one sixteenth for all, near one another, complements.
ANY = st.binary(min_size=32, max_size=32)
POOR = st.integers(0, 255).map(lambda bit: altered(bytes(32), [bit]))
ALIKE = st.lists(st.integers(0, 255), max_size=40).map(lambda bits: altered(b"\x5a" * 32, bits))
COMPLEMENTS = st.sampled_from([bytes(32), b"\xff" * 32, b"\x5a" * 32, b"\xa5" * 32])
HASHES = st.one_of(ANY, POOR, ALIKE, COMPLEMENTS)
LIMITS = st.one_of(st.sampled_from([0, 15, 16, 31, 32, 47, 48, 255, 256]), st.integers(0, 256))


@given(known=st.lists(HASHES, max_size=40), queries=st.lists(HASHES, min_size=1, max_size=4), limit=LIMITS)
def test_a_search_finds_what_comparing_with_each_finds(known: list[bytes], queries: list[bytes], limit: int) -> None:
    """No hash within the limit is missed and none beyond it found, of any number of any hashes, at any limit."""
    index = PdqIndex(known, range(len(known)))
    numbered = list(enumerate(known))
    assert len(index) == len(known)
    for query in [*queries, *known[:3]]:
        assert list(index.search(query, limit=limit)) == all_hits(numbered, query, limit)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
@pytest.mark.parametrize("same", [False, True])
def test_the_smallest_indexes_answer(count: int, same: bool) -> None:
    """An index of no hash, one, two or three, and of the same one again and again, finds each of them."""
    known = made_up(1, 1) * count if same else made_up(1, count)
    index = PdqIndex(known, range(count))
    expected = {one: all_hits(list(enumerate(known)), one, 31) for one in known}
    assert {one: list(index.search(one)) for one in known} == expected
    assert index.search(bytes(32)) == ()


@given(seed=st.integers(0, 2**16), flips=st.integers(0, 36), data=st.data())
@settings(max_examples=60)
def test_what_is_31_bits_away_is_found_and_what_is_32_away_is_not(seed: int, flips: int, data: Any) -> None:
    """Wherever the bits are that differ, the limit is exact."""
    spread = st.permutations([bit for part in range(16) for bit in (16 * part + 3, 16 * part + 9, 16 * part + 12)])
    anywhere = st.lists(st.integers(0, 255), min_size=flips, max_size=flips, unique=True)
    bits = data.draw(st.one_of(spread.map(lambda order: order[:flips]), anywhere))
    known = made_up(seed, 300)
    query = altered(known[123], bits)
    assert list(PdqIndex(known, range(300)).search(query)) == ([Hit(distance=flips, id=123)] if flips <= 31 else [])


@pytest.mark.parametrize("count", [65_535, 65_536, 65_537, 140_000])
def test_nothing_is_missed_when_rows_need_more_bits(count: int) -> None:
    """However many hashes there are, each is found 31 bits away, in whichever sixteenths these are."""
    numbers = np.random.default_rng(7)
    rows = numbers.integers(0, 256, (count, 32), np.uint8)
    tables = Tables.build(rows)
    for number in range(160):
        spared = number % 16
        row = int(numbers.integers(count)) if number else count - 1
        bits = [16 * part + int(bit) for part in range(16) for bit in numbers.choice(16, 2 - (part == spared), False)]
        found, distances = tables.near(altered(rows[row].tobytes(), bits), 31)
        assert (found.tolist(), distances.tolist()) == ([row], [31])


def skewed(kind: str, count: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    """Return hashes that resemble one another more than chance would have it."""
    numbers = np.random.default_rng(5)
    if kind == "clusters":
        bits = numbers.integers(0, 2, (count // 50, 256), np.uint8).repeat(50, axis=0)
        bits ^= numbers.random(bits.shape) < 0.05
    elif kind == "neighbouring bits agree":
        changes = numbers.random((count, 256)) < 0.2
        bits = (np.cumsum(changes, axis=1) % 2).astype(np.uint8)
    elif kind == "all within eight bits":
        bits = np.zeros((count, 256), np.uint8)
        bits[:, :8] = numbers.integers(0, 2, (count, 8))
    else:
        bits = numbers.integers(0, 2, (count, 256), np.uint8)
        bits[:, 16:32] = 1
    return np.packbits(bits, axis=1)


@pytest.mark.parametrize(
    "kind", ["clusters", "neighbouring bits agree", "all within eight bits", "one sixteenth the same"]
)
def test_skewed_hashes_are_found_all_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where many hashes have much in common nothing is missed, and no search compares more often than with each once."""
    rows = skewed(kind, 20_000)
    index = PdqIndex(rows, np.arange(20_000))
    compared: list[int] = []
    compare = tables_module._distances

    def counting(hashes: Any, found: Any, query: bytes) -> Any:
        compared.append(len(found))
        return compare(hashes, found, query)

    for row in range(0, 20_000, 6007):
        query = altered(rows[row].tobytes(), range(3, 256, 12))
        expected_rows, distances = scan(rows, query, 31)
        expected = sorted(Hit(distance=int(d), id=int(r)) for r, d in zip(expected_rows, distances, strict=True))
        with monkeypatch.context() as patch:
            patch.setattr(tables_module, "_distances", counting)
            assert list(index.search(query)) == expected
    assert max(compared) <= 20_000


@given(known=st.lists(HASHES, max_size=30), query=HASHES, limit=LIMITS)
def test_the_scan_compares_with_each(known: list[bytes], query: bytes, limit: int) -> None:
    """What bounds the time is exact, too, up to a distance of 256."""
    rows, distances = scan(np.frombuffer(b"".join(known), np.uint8).reshape(-1, 32), query, limit)
    found = sorted(Hit(distance=int(d), id=int(row)) for row, d in zip(rows, distances, strict=True))
    assert found == all_hits(list(enumerate(known)), query, limit)


def test_the_scan_goes_on_where_a_block_ends() -> None:
    """Hashes at the beginning and the end of what is compared at a time are found."""
    rows = np.frombuffer(b"".join(made_up(2, 40_000)), np.uint8).reshape(-1, 32)
    for row in (0, 16 * 1024 - 1, 16 * 1024, 32 * 1024 - 1, 32 * 1024, 39_999):
        found, distances = scan(rows, rows[row].tobytes(), 31)
        assert (found.tolist(), distances.tolist()) == ([row], [0])


class Changes(RuleBasedStateMachine):
    """Change an index in any order, and search it after each change."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[tuple[int, bytes]] = []
        self.queries: list[bytes] = [bytes(32)]

    @initialize(hashes=st.lists(HASHES, max_size=6), target=known)
    def begin(self, hashes: list[bytes]) -> Any:
        numbers = [number % 4 for number in range(len(hashes))]
        self.index = PdqIndex(hashes, numbers)
        self.expected = list(zip(numbers, hashes, strict=True))
        return multiple(*hashes)

    @rule(one=HASHES, id=st.integers(-3, 6), target=known)
    def add(self, one: bytes, id: int) -> bytes:
        self.index.add(one, id)
        self.expected.append((id, one))
        return one

    @rule(one=known, bits=st.lists(st.integers(0, 255), max_size=33), id=st.integers(-3, 6))
    def add_a_near_one(self, one: bytes, bits: list[int], id: int) -> None:
        self.index.add(altered(one, bits), id)
        self.expected.append((id, altered(one, bits)))
        self.queries.append(altered(one, bits[:15]))

    @rule(count=st.integers(60, 140), one=HASHES)
    def add_many(self, count: int, one: bytes) -> None:
        for id in range(count):
            self.index.add(altered(one, [id]), id)
            self.expected.append((id, altered(one, [id])))

    @rule(id=st.integers(-3, 6))
    def remove(self, id: int) -> None:
        self.index.remove(id)
        self.expected = [(other, one) for other, one in self.expected if other != id]

    @rule()
    def compact(self) -> None:
        self.index.compact()
        assert self.index.pending == 0

    @rule()
    def try_out(self) -> None:
        try_out(self.index)

    @rule(one=known)
    def look_up(self, one: bytes) -> None:
        self.queries.append(one)

    @invariant()
    def it_finds_what_comparing_with_each_finds(self) -> None:
        if hasattr(self, "index"):
            assert len(self.index) == len(self.expected)
            for query in self.queries[-3:]:
                assert list(self.index.search(query)) == all_hits(self.expected, query, 31)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestChanges.__doc__ = "However an index is changed, it finds what is in it and nothing else."


def test_readers_never_miss_what_is_there_while_others_change_it(tmp_path: Any) -> None:
    """Searches at the same time as additions, removals, compactions and saves find each hash that was there all along."""
    lasting, passing = made_up(3, 200), made_up(4, 400)
    index = PdqIndex(lasting, range(200))
    stop, faults = threading.Event(), list[str]()
    searches = [0, 0]

    def read(which: int) -> None:
        numbers = random.Random(which)
        while not stop.is_set():
            row = numbers.randrange(200)
            query = altered(lasting[row], numbers.sample(range(256), 31))
            if [hit.id for hit in index.search(query)] != [row]:
                faults.append(f"{row} was missed")
            searches[which] += 1

    def write(which: int) -> None:
        for number in range(which, 400, 2):
            index.add(passing[number], 1000 + number)
            if index.search(passing[number]) != (Hit(distance=0, id=1000 + number),):
                faults.append(f"{number} was not added")
            if number % 4 < 2:
                index.remove(1000 + number)
                if index.search(passing[number]):
                    faults.append(f"{number} was not removed")

    readers = [threading.Thread(target=read, args=(which,)) for which in range(2)]
    writers = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    while any(thread.is_alive() for thread in writers) or not min(searches):
        index.compact()
        save(index, tmp_path)
    stop.set()
    for thread in (*readers, *writers):
        thread.join()
    index.compact()
    assert not faults
    for found in (index, load_after(index, tmp_path)):
        assert len(found) == 200 + 200
        assert [[hit.id for hit in found.search(passing[number])] for number in (3, 4)] == [[1003], []]


def load_after(index: PdqIndex, folder: Any) -> PdqIndex:
    save(index, folder)
    return load(folder)[0]


@pytest.mark.parametrize("pending", [False, True])
def test_a_hash_that_changes_its_id_is_found_by_a_search_under_way(
    pending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added under another id before it is removed under its old one is there at every moment."""
    known = made_up(3, 1)[0]
    index = PdqIndex() if pending else PdqIndex([known], [1])
    if pending:
        index.add(known, 1)
    moves = iter([2, 3])

    def move(*given: Any) -> Any:
        """Give the hash another id after the search has seen what there is."""
        found = scan(*given) if pending else near(*given)
        if (id := next(moves, None)) is not None:
            index.add(known, id)
            index.remove(id - 1)
        return found

    near = Tables.near
    if pending:
        monkeypatch.setattr("cybertip.hashing.index.scan", move)
    else:
        monkeypatch.setattr(Tables, "near", move)
    assert index.search(known) == (Hit(distance=0, id=3),)


def test_what_is_removed_while_tables_are_made_stays_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A removal and an addition in the middle of a compaction are in the index after it."""
    known = made_up(6, 6)
    index = PdqIndex(known[:4], range(4))
    index.add(known[4], 4)
    build = Tables.build

    def meanwhile(rows: Any) -> Tables:
        built = build(rows)
        index.remove(1)
        index.remove(4)
        index.add(known[5], 5)
        index.add(known[4], 40)
        index.remove(5)
        return built

    monkeypatch.setattr(Tables, "build", meanwhile)
    index.compact()
    assert {number: [hit.id for hit in index.search(one)] for number, one in enumerate(known)} == {
        0: [0],
        1: [],
        2: [2],
        3: [3],
        4: [40],
        5: [],
    }
    assert index.pending == 2
    assert len(index) == 4


def test_a_failed_compaction_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """When tables cannot be made, the old ones go on to answer, and the next compaction is as good as any."""
    index = PdqIndex(made_up(6, 3), range(3))
    index.add(bytes(32), 9)

    def fail(rows: Any) -> Tables:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "build", fail)
        with pytest.raises(MemoryError):
            index.compact()
    assert index.search(bytes(32)) == (Hit(distance=0, id=9),)
    index.remove(9)
    index.compact()
    assert (len(index), index.pending) == (3, 0)


@pytest.mark.parametrize(
    ("hashes", "ids"),
    [
        ([bytes(31)], [1]),
        ([bytes(32), bytes(33), bytes(31)], [1, 2, 3]),
        ([bytes(32)], []),
        ([], [1]),
        (np.zeros((2, 31), np.uint8), [1, 2]),
        (np.zeros((2, 4), np.uint64), [1, 2]),
        (np.zeros(64, np.uint8), [1]),
    ],
)
def test_what_is_no_hash_is_refused(hashes: Any, ids: list[int]) -> None:
    """Hashes of another length, and ids that do not go with them, are refused before anything is built of them."""
    with pytest.raises(ValueError, match=r"hashes (are|and)|PDQ hash has"):
        PdqIndex(hashes, ids)


def test_queries_and_additions_are_checked() -> None:
    """A query or an addition of another length, and an impossible limit, are refused."""
    index = PdqIndex()
    for call in (lambda: index.search(bytes(8)), lambda: index.add(bytes(33), 1), lambda: index.search(b"")):
        with pytest.raises(ValueError, match="has 32 bytes"):
            call()
    for limit in (-1, 257):
        with pytest.raises(ValueError, match="0 to 256"):
            index.search(bytes(32), limit=limit)
    assert repr(index) == "<PdqIndex of 0>"


def test_large_and_negative_ids_are_kept() -> None:
    """Any number of 64 bits is an id, and comes back as it was."""
    ids = [2**63 - 1, -(2**63), 0]
    known = made_up(8, 3)
    index = PdqIndex(known, ids)
    assert [index.search(one)[0].id for one in known] == ids
    index.remove(2**63 - 1)
    assert [len(index.search(one)) for one in known] == [0, 1, 1]


def test_a_million_hashes_stay_within_their_memory() -> None:
    """What the tables take is known beforehand: 96 bytes for each hash and four million for all."""
    index = PdqIndex(made_up(9, 5000), range(5000))
    assert index.size < 5000 * (32 + 16 * 4 + 8 + 1) + 16 * 65537 * 4 + 64 * 41 + 1
    assert 1_000_000 * (32 + 16 * 4 + 8 + 1) + 16 * 65537 * 4 < 130 * 2**20
