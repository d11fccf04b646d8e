"""Which known hashes are near a query: exactly, among millions, while others are added and removed.

An index is made of tables that never change and of what was added since, which is compared one after the other. Readers take
no lock: each search reads the state that was current when it began, and every change makes a new state at once. What was
removed is marked as such, and gone when the tables are next made anew.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cybertip.hashing.pdq import BITS, SAME_PICTURE
from cybertip.hashing.tables import Tables, scan

__all__ = ["Hit", "PdqIndex"]

_BYTES: Final = BITS // 8
_AT_FIRST: Final = 64


@attrs.frozen(kw_only=True, order=True)
class Hit:
    """A known hash near the query."""

    #: In how many of 256 bits they differ.
    distance: int
    #: What the hash was added as.
    id: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _Part:
    """Hashes, what they are called, and which of them were removed. A removal is the one thing that changes in place."""

    hashes: NDArray[np.uint8]
    ids: NDArray[np.int64]
    removed: NDArray[np.bool_]

    def hits(self, rows: NDArray[np.intp], distances: NDArray[np.uint16]) -> Iterator[Hit]:
        for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
            if not self.removed[row]:
                yield Hit(distance=distance, id=int(self.ids[row]))

    def kept(self, begin: int, end: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return copies of the hashes from one row to another that were not removed, and their ids."""
        kept = ~self.removed[begin:end]
        return self.hashes[begin:end][kept], self.ids[begin:end][kept]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _State:
    """What a search reads."""

    tables: Tables
    #: What is in the tables, in the order of the ids.
    built: _Part
    #: What was added since: as many rows as `pending` says; those behind them are yet to be filled.
    added: _Part
    pending: int

    @property
    def removed(self) -> int:
        return int(np.count_nonzero(self.built.removed)) + int(np.count_nonzero(self.added.removed[: self.pending]))


class PdqIndex:
    """Find known PDQ hashes within a distance of a query: all of them, and no others.

    Any number of threads may search, and change it, at the same time.

    >>> index = PdqIndex([bytes(32), b"\\xff" * 32], [7, 8])
    >>> index.search(bytes(31) + b"\\x01")
    (Hit(distance=1, id=7),)

    Args:
        hashes: 32 bytes each, or an array with a row of 32 bytes for each.
        ids: what each is called, a number of 64 bits. The same number may stand for several hashes.
    """

    def __init__(
        self, hashes: Iterable[bytes] | NDArray[np.uint8] = (), ids: Sequence[int] | NDArray[np.int64] = ()
    ) -> None:
        rows, numbers = _rows(hashes), np.asarray(ids, np.int64)
        if numbers.shape != (len(rows),):
            raise ValueError(f"there are {len(rows)} hashes and {numbers.size} ids")
        if (numbers[1:] < numbers[:-1]).any():
            order = np.argsort(numbers, kind="stable")
            rows, numbers = rows[order], numbers[order]
        self._start(Tables.build(rows), numbers)

    @classmethod
    def over(cls, tables: Tables, ids: NDArray[np.int64]) -> "PdqIndex":
        """Return an index over tables that are built already; `ids` are in their order."""
        index = cls.__new__(cls)
        index._start(tables, ids)
        return index

    def _start(self, tables: Tables, ids: NDArray[np.int64]) -> None:
        #: Held by whoever changes the index; searches never take it.
        self._changing = threading.Lock()
        self._compacting = threading.Lock()
        #: While tables are made anew, what was removed meanwhile.
        self._removed_meanwhile: list[int] | None = None
        self._state = _State(tables=tables, built=_built(tables, ids), added=_room(_AT_FIRST), pending=0)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"

    def __len__(self) -> int:
        state = self._state
        return len(state.tables) + state.pending - state.removed

    @property
    def pending(self) -> int:
        """How many hashes were added since the tables were made: each search compares with all of them."""
        return self._state.pending

    @property
    def removed(self) -> int:
        """How many hashes were removed since the tables were made: until they are made anew, they take their place."""
        return self._state.removed

    @property
    def size(self) -> int:
        """How many bytes of memory the index takes."""
        state = self._state
        parts = (state.built.ids, state.built.removed, state.added.hashes, state.added.ids, state.added.removed)
        return state.tables.size + sum(one.nbytes for one in parts)

    def search(self, query: bytes, *, limit: int = SAME_PICTURE) -> tuple[Hit, ...]:
        """Return every hash that differs from the query in at most `limit` bits, the nearest first.

        What was added before the search began is searched, and what was removed before is not found. Above a limit of 47,
        every hash is compared with the query.

        Args:
            query: 32 bytes.
            limit: from 0 to 256.
        """
        if len(query) != _BYTES:
            raise ValueError(f"a PDQ hash has {_BYTES} bytes, and the query {len(query)}")
        if not 0 <= limit <= BITS:
            raise ValueError(f"two hashes differ in 0 to {BITS} bits")
        while True:
            state = self._state
            found = [
                *state.built.hits(*state.tables.near(query, limit)),
                *state.added.hits(*scan(state.added.hashes[: state.pending], query, limit)),
            ]
            # A removal shows at once, and what was added before it only in the next state: search that one, too, or a hash
            # that changed its number meanwhile is missed under both.
            if self._state is state:
                break
        return tuple(sorted(found))

    def add(self, hash: bytes, id: int) -> None:
        """Add a hash. Searches that begin after this returned find it."""
        if len(hash) != _BYTES:
            raise ValueError(f"a PDQ hash has {_BYTES} bytes, and this one {len(hash)}")
        with self._changing:
            state = self._state
            added, row = state.added, state.pending
            if row == len(added.ids):
                added = _grown(added)
            # Nobody reads this row yet: those who search now know of the ones before it.
            added.hashes[row] = np.frombuffer(hash, np.uint8)
            added.ids[row] = id
            self._state = attrs.evolve(state, added=added, pending=row + 1)

    def remove(self, id: int) -> None:
        """Remove the hashes of an id, if there are any. Searches that begin after this returned do not find them."""
        with self._changing:
            if self._removed_meanwhile is not None:
                self._removed_meanwhile.append(id)
            _remove(self._state, id)

    def compact(self) -> None:
        """Make the tables anew, with what was added and without what was removed.

        Meanwhile, others search and change the index as before; their changes are kept.
        """
        with self._compacting:
            with self._changing:
                state = self._state
                self._removed_meanwhile = []
            try:
                tables, ids = _compacted(state)
                with self._changing:
                    self._swap(tables, ids, state.pending)
            finally:
                self._removed_meanwhile = None

    def snapshot(self) -> tuple[Tables, NDArray[np.int64]]:
        """Return tables of all that is in the index, and the ids in their order: what is saved of it."""
        return _compacted(self._state)

    def _swap(self, tables: Tables, ids: NDArray[np.int64], since: int) -> None:
        """Put new tables in the place of the old ones; what was added after row `since` stays as it is."""
        old = self._state
        left = old.pending - since
        added = _room(max(_AT_FIRST, left))
        for new, given in (
            (added.hashes, old.added.hashes),
            (added.ids, old.added.ids),
            (added.removed, old.added.removed),
        ):
            new[:left] = given[since : old.pending]
        state = _State(tables=tables, built=_built(tables, ids), added=added, pending=left)
        for id in self._removed_meanwhile or ():
            _remove(state, id, added_too=False)
        self._state = state


def _rows(hashes: Iterable[bytes] | NDArray[np.uint8]) -> NDArray[np.uint8]:
    if isinstance(hashes, np.ndarray):
        return hashes
    given = list(hashes)
    if any(len(one) != _BYTES for one in given):
        raise ValueError(f"a PDQ hash has {_BYTES} bytes, and some of these have more or less")
    return np.frombuffer(b"".join(given), np.uint8).reshape(-1, _BYTES)


def _built(tables: Tables, ids: NDArray[np.int64]) -> _Part:
    return _Part(hashes=tables.hashes, ids=ids, removed=np.zeros(len(ids), np.bool_))


def _room(rows: int) -> _Part:
    return _Part(
        hashes=np.zeros((rows, _BYTES), np.uint8), ids=np.zeros(rows, np.int64), removed=np.zeros(rows, np.bool_)
    )


def _grown(part: _Part) -> _Part:
    rows = len(part.ids)
    larger = _room(rows * 2)
    larger.hashes[:rows], larger.ids[:rows], larger.removed[:rows] = part.hashes, part.ids, part.removed
    return larger


def _remove(state: _State, id: int, *, added_too: bool = True) -> None:
    first = np.searchsorted(state.built.ids, id, side="left")
    state.built.removed[first : np.searchsorted(state.built.ids, id, side="right")] = True
    if added_too:
        state.added.removed[: state.pending] |= state.added.ids[: state.pending] == id


def _compacted(state: _State) -> tuple[Tables, NDArray[np.int64]]:
    if not state.pending and not state.built.removed.any():
        return state.tables, state.built.ids
    old, new = state.built.kept(0, len(state.built.ids)), state.added.kept(0, state.pending)
    hashes, ids = np.concatenate([old[0], new[0]]), np.concatenate([old[1], new[1]])
    order = np.argsort(ids, kind="stable")
    return Tables.build(hashes[order]), ids[order]
