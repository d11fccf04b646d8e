"""Exact search among many hashes that do not change: tables of where each sixteenth of a hash occurs.

Two hashes that differ in at most 31 of 256 bits agree in some sixteenth of 16 bits but for one bit: were it two in
each, it would be 32. More than that: in a ring of numbers that are below 2 on average there is one from which on all
sums are, too; so there is a sixteenth in which they agree but for one bit, and which has at most 3 bits of difference
together with the one that follows it. (The first follows the last.) The hashes that are near another are therefore
among those that agree with it in one of the sixteen but for a bit, some 4,000 of a million; and beside each of these
stand the first bits of the sixteenth that follows, by which all but a hundred are ruled out before anything of them is
fetched.

Where hashes resemble each other more than chance would have it, there are more of them; from a share of all on, all are
compared one after the other, which bounds the time whatever the hashes are.
"""

from functools import lru_cache
from itertools import combinations
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from cybertip.hashing.pdq import BITS

__all__ = ["MOST_HASHES", "Tables", "scan"]

_BYTES: Final = BITS // 8
_CHUNKS: Final = 16
_VALUES: Final = 1 << 16
#: Two flips in a sixteenth are 137 values to look up in each, three are 697: reading all of the hashes is faster then.
_MOST_FLIPS: Final = 2
#: Looking at an entry of a table takes as long as comparing one or two hashes that lie in a row; fetching a hash, as three.
_SCAN_FROM: Final = 3
#: How many hashes are compared at a time: what is computed of them fits in a core's cache.
_AT_A_TIME: Final = 16 * 1024

#: The tables count their entries, sixteen for each hash, in 32 bits.
MOST_HASHES: Final = 2**32 // _CHUNKS - 1

Hashes = NDArray[np.uint8]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Tables:
    """Hashes and where their sixteenths occur. Nothing in it is ever changed, so that any thread may read it."""

    #: A row of 32 bytes for each hash.
    hashes: Hashes
    #: For each sixteenth in turn, an entry for each hash, in the order of the sixteenth's value: in the lower bits the
    #: hash's row, in those that are left the first bits of the sixteenth that follows.
    entries: NDArray[np.uint32]
    #: For each sixteenth in turn, where in `entries` each of its values begins; the last of each is where they end.
    begins: NDArray[np.uint32]

    @classmethod
    def build(cls, hashes: Hashes) -> "Tables":
        """Sort the hashes by each of their sixteenths.

        Args:
            hashes: a row of 32 bytes for each hash, which must not be changed any more.
        """
        if hashes.dtype != np.uint8 or hashes.ndim != 2 or hashes.shape[1] != _BYTES or len(hashes) > MOST_HASHES:
            raise ValueError(f"hashes are at most {MOST_HASHES} rows of {_BYTES} bytes each")
        hashes = np.ascontiguousarray(hashes)
        count = len(hashes)
        shift = np.uint32(_row_bits(count))
        entries = np.empty((_CHUNKS, count), np.uint32)
        begins = np.zeros((_CHUNKS, _VALUES + 1), np.uint32)
        columns = hashes.view("<u2").T
        for chunk, column in enumerate(columns):
            values, following = np.ascontiguousarray(column), np.ascontiguousarray(columns[(chunk + 1) % _CHUNKS])
            order = np.argsort(values, kind="stable")
            # What does not fit beside the row falls off at the upper end.
            entries[chunk] = following[order].astype(np.uint32) << shift
            entries[chunk] |= order.astype(np.uint32)
            begins[chunk, 1:] = np.cumsum(np.bincount(values, minlength=_VALUES))
            begins[chunk] += np.uint32(chunk * count)
        return cls(hashes=hashes, entries=entries, begins=begins)

    def __len__(self) -> int:
        return len(self.hashes)

    @property
    def size(self) -> int:
        """How many bytes of memory they take."""
        return self.hashes.nbytes + self.entries.nbytes + self.begins.nbytes

    @property
    def rows(self) -> NDArray[np.uint32]:
        """The rows of the entries, without what stands beside them."""
        return self.entries & np.uint32((1 << _row_bits(len(self))) - 1)

    def near(self, query: bytes, limit: int) -> tuple[NDArray[np.intp], NDArray[np.uint16]]:
        """Return the rows of the hashes that differ from a query in at most so many bits, in order, and in how many."""
        rows = self._candidates(query, limit) if limit // _CHUNKS <= _MOST_FLIPS else None
        if rows is None:
            return scan(self.hashes, query, limit)
        distances = _distances(self.hashes, rows, query)
        hits = np.flatnonzero(distances <= limit)
        # What agrees in several sixteenths was looked up as often.
        found, first = np.unique(rows[hits], return_index=True)
        return found.astype(np.intp), distances[hits[first]]

    def _candidates(self, query: bytes, limit: int) -> NDArray[np.uint32] | None:
        """Return the rows that agree with the query as far as they must; None if there are too many to look at."""
        shift = np.uint32(_row_bits(len(self)))
        chunks = np.frombuffer(query, "<u2")
        masks = _masks(limit // _CHUNKS)
        places = ((chunks[:, np.newaxis] ^ masks) + _STARTS).ravel()
        begins = self.begins.reshape(-1)
        first = begins[places].astype(np.int64)
        counts = begins[places + 1] - first
        ends = counts.cumsum()
        total = int(ends[-1])
        if total * _SCAN_FROM > len(self):
            return None
        # Runs of neighbouring entries, one after the other.
        which = np.repeat(first - ends + counts, counts)
        which += np.arange(total)
        entries = self.entries.reshape(-1)[which]
        # Of two sixteenths that follow each other at most an eighth of the limit may differ.
        following = (np.roll(chunks, -1).astype(np.uint32) << shift).repeat(len(masks)).repeat(counts)
        differing = np.bitwise_count((entries ^ following) >> shift)
        kept: NDArray[np.uint32] = entries[differing <= _left(limit).repeat(counts)] & np.uint32((1 << int(shift)) - 1)
        return None if len(kept) * _SCAN_FROM > len(self) else kept


def scan(hashes: Hashes, query: bytes, limit: int) -> tuple[NDArray[np.intp], NDArray[np.uint16]]:
    """Compare a query with every hash; return what `Tables.near` does.

    >>> rows, distances = scan(np.array([[0] * 32, [255] * 32, [0] * 31 + [3]], np.uint8), bytes(32), 31)
    >>> rows.tolist(), distances.tolist()
    ([0, 2], [0, 2])
    """
    words = hashes.reshape(-1).view(np.uint64)
    repeated = np.tile(np.frombuffer(query, np.uint64), min(_AT_A_TIME, len(hashes)))
    found = [np.empty(0, np.intp)]
    for begin in range(0, len(hashes), _AT_A_TIME):
        part = words[begin * 4 : (begin + _AT_A_TIME) * 4]
        counts = np.bitwise_count(part ^ repeated[: len(part)]).view(np.uint32)
        # The uppermost byte of this product is the sum of the four counts, but for 256, which comes out as nothing.
        sums = (counts * np.uint32(0x01010101)) >> np.uint32(24)
        found.append(np.flatnonzero(sums <= limit) + begin)
    rows = np.concatenate(found)
    distances = _distances(hashes, rows, query)
    hits = distances <= limit
    return rows[hits], distances[hits]


def _distances(hashes: Hashes, rows: NDArray[np.uint32] | NDArray[np.intp], query: bytes) -> NDArray[np.uint16]:
    words = hashes.view(np.uint64).take(rows, axis=0)
    total = np.zeros(len(rows), np.uint16)
    for column, word in enumerate(np.frombuffer(query, np.uint64)):
        total += np.bitwise_count(words[:, column] ^ word)
    return total


def _row_bits(count: int) -> int:
    """Return how many bits a row's number takes, and that there are no more left than a sixteenth has."""
    return max((count - 1).bit_length(), 32 - 16)


#: Where each sixteenth's values begin in a row of all tables.
_STARTS: Final = np.arange(0, _CHUNKS * (_VALUES + 1), _VALUES + 1)[:, np.newaxis]


@lru_cache
def _left(limit: int) -> NDArray[np.uint8]:
    """Return, for each value that is looked up, in how many bits the sixteenth that follows may differ."""
    differing = np.bitwise_count(_masks(limit // _CHUNKS))
    return np.tile(np.uint8(limit // (_CHUNKS // 2)) - differing, _CHUNKS)


@lru_cache
def _masks(flips: int) -> NDArray[np.uint16]:
    """Return all values of 16 bits with at most so many of them set."""
    masks = [sum(1 << bit for bit in bits) for count in range(flips + 1) for bits in combinations(range(16), count)]
    return np.array(masks, np.uint16)
