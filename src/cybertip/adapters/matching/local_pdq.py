"""The matcher of pictures: whether one looks like one that the lists of this machine know. It needs the extra `[pdq]`."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import attrs
import numpy as np

from cybertip.adapters.matching.keeping import MOST_ITEMS, KeptLists, check_number
from cybertip.adapters.matching.store import Found, HashStore, Mark, Since
from cybertip.errors import AdapterError
from cybertip.hashing.index import PdqIndex
from cybertip.hashing.index_files import DamagedIndex, load, save
from cybertip.hashing.pdq import BITS, SAME_PICTURE, distance
from cybertip.hashing.pictures import Limits, Remark, Unhashed, hash_picture
from cybertip.hashing.together import each
from cybertip.ports.clock import Clock
from cybertip.ports.matching import (
    PDQ,
    HashMatch,
    HashType,
    MatcherHealth,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Readiness,
    Unchecked,
    Variant,
    Verdict,
)

__all__ = ["LocalPdqMatcher"]

#: Hashes that were added since the tables were made are compared one after the other, and those that were removed stay in
#: memory; above so many of either, or above such a share of all, the tables are made anew.
_MOST_PENDING = 4096
_SHARE_PENDING = 50

#: How often lists are searched that change under the search.
_TRIES = 3

#: The numbers of the known hashes near an item's, and for each the nearest of the item's and how near it is.
_Hits = dict[int, tuple[int, MediaHash]]


class LocalPdqMatcher:
    """Look up pictures in the lists of a store (see `cybertip.ports.matching.HashMatcher` for what is guaranteed).

    A picture that does not bring the PDQ hashes of all its variants is decoded and hashed, and looked up as it is, mirrored
    and turned; without its bytes, by the hashes that it brings. Of a file with several pictures only the first is looked at:
    unless that one is found, the file is not checked.

    Before each answer the index catches up with the store: what was put on a list before is found.

    Args:
        store: where the lists are kept.
        folder: where the index is kept, so that it need not be made anew by each process; nowhere, where nothing is said.
        limit: up to how many of 256 bits two hashes may differ to be of the same picture.
        oldest: how old a list may be, for not finding something in it to mean anything.
        limits: what is too large, too small or too poor to be hashed.
        name: what it is called in results.
        threads: how many pictures are decoded at a time; as many as there are cores, where nothing is said.
        clock: tells the time.
    """

    def __init__(
        self,
        store: HashStore,
        *,
        folder: Path | None = None,
        limit: int = SAME_PICTURE,
        oldest: timedelta = timedelta(days=2),
        limits: Limits | None = None,
        name: str = "local pdq",
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._lists = KeptLists(store, name=name, kinds=[PDQ], oldest=oldest, clock=clock)
        self._folder = folder
        self._limit = limit
        self._limits = limits or Limits()
        self._threads = threads
        self._catching_up = threading.Lock()
        self._compacting = threading.Lock()
        self._current: tuple[PdqIndex, Mark] | None = None
        #: Why the index is not in its folder.
        self._not_kept: str | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._lists.name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """PDQ alone."""
        return self._lists.kinds

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return MOST_ITEMS

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items."""
        check_number(items, self.most_items)
        hashed = list(each(self._hashed, items, threads=self._threads if len(items) > 1 else 1))
        try:
            # How old the lists are comes first: what is added to them from here on is found, but is not promised.
            lists, unchecked = self._lists.consulted()
            hits, entries = self._found([hashes for hashes, _ in hashed])
        except AdapterError:
            return self._lists.unanswered(items)
        return tuple(
            MatchResult.of(
                item,
                matches=[
                    self._lists.match_of(entries[id], query, distance=bits, limit=self._limit)
                    for id, (bits, query) in sorted(found.items(), key=lambda one: (one[1][0], one[0]))
                ],
                unchecked=(*missing, *unchecked),
                hashes=hashes,
                lists=lists,
            )
            for item, found, (hashes, missing) in zip(items, hits, hashed, strict=True)
        )

    def health(self) -> MatcherHealth:
        """Say whether the lists can be reached and are young enough, and whether the index can follow them."""
        try:
            self.refresh()
        except AdapterError as error:
            warnings = [f"the index cannot follow the lists ({type(error).__name__})"]
            return attrs.evolve(self._lists.health(warnings=warnings), readiness=Readiness.UNAVAILABLE)
        return self._lists.health(warnings=[self._not_kept] if self._not_kept else [])

    def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found; an entry that is a false positive is disputed from then on."""
        self._lists.record(match, verdict, reason)

    def refresh(self) -> PdqIndex:
        """Have the index catch up with the store, and return it. Before each answer that is done anyway."""
        with self._catching_up:
            index, mark = self._current or self._begun()
            since = self._lists.store.since(mark)
            if since is None or len(since.added) + len(since.removed) > _most_pending(index):
                # It was restored from a backup and has another history, or it changed so much that this is faster.
                index, mark = self._made()
            else:
                _follow(index, since)
                mark = since.mark
            self._current = (index, mark)
        if max(index.pending, index.removed) > _most_pending(index) and self._compacting.acquire(blocking=False):
            try:
                self._compact(index)
            finally:
                self._compacting.release()
        return index

    def _begun(self) -> tuple[PdqIndex, Mark]:
        """Return the index that was kept, or a new one."""
        if self._folder is not None:
            # Whatever is wrong with it, the lists are the truth, and an index of them is soon made.
            with suppress(OSError, DamagedIndex, TypeError):
                index, about = load(self._folder)
                return index, Mark(**about)
        return self._made()

    def _made(self) -> tuple[PdqIndex, Mark]:
        """Make an index of all that is in the store, and keep it."""
        since = self._lists.store.since(None)
        assert since is not None, "every history leads from its beginning"
        hashes = np.frombuffer(b"".join(value for _, value in since.added), np.uint8).reshape(-1, BITS // 8)
        index = PdqIndex(hashes, [id for id, _ in since.added])
        self._keep(index, since.mark)
        return index, since.mark

    def _compact(self, index: PdqIndex) -> None:
        """Make the tables anew while others go on, and keep them."""
        index.compact()
        with self._catching_up:
            if self._current is not None and self._current[0] is index:
                self._keep(*self._current)

    def _keep(self, index: PdqIndex, mark: Mark) -> None:
        """Write the index to its folder. It serves as well from memory: a full disk keeps nobody from being answered."""
        self._not_kept = None
        if self._folder is not None:
            try:
                save(index, self._folder, about=attrs.asdict(mark))
            except OSError as error:
                self._not_kept = f"the index could not be written to its folder ({type(error).__name__})"

    def _hashed(self, item: MediaItem) -> tuple[tuple[MediaHash, ...], tuple[Unchecked, ...]]:
        """Return an item's hashes, and what keeps its picture from being looked up."""
        given = [one for one in item.hashes if one.type == PDQ]
        poor = any(one.quality is not None and one.quality < self._limits.lowest_quality for one in given)
        unchecked = [self._lists.unchecked(NotChecked.LOW_QUALITY, PDQ)] if poor else []
        if item.media is None and not given:
            unchecked.append(self._lists.unchecked(NotChecked.MISSING_HASH, PDQ))
        if item.media is None or {one.variant for one in given} >= frozenset(Variant):
            return item.hashes, tuple(unchecked)
        found = hash_picture(item.media, limits=self._limits)
        if isinstance(found, Unhashed):
            unchecked.append(self._lists.unchecked(found.reason, PDQ))
            return item.hashes, tuple(dict.fromkeys(unchecked))
        if Remark.FIRST_FRAME in found.remarks:
            unchecked.append(self._lists.unchecked(NotChecked.FIRST_FRAME_ONLY, PDQ))
        return (*item.hashes, *found.hashes), tuple(unchecked)

    def _found(self, hashed: Sequence[Sequence[MediaHash]]) -> tuple[list[_Hits], dict[int, Found]]:
        """Return what is near each item's hashes, and all of its entries.

        A list that is replaced gives a hash that stays on it another number: what was found by a number that is gone may
        well be there still, and is sought again.
        """
        for _ in range(_TRIES):
            index = self.refresh()
            hits = [self._hits(index, hashes) for hashes in hashed]
            numbers = {id for one in hits for id in one}
            entries = self._lists.store.numbered(sorted(numbers))
            self._check(hits, entries)
            if entries.keys() >= numbers:
                return hits, entries
        raise self._made_anew("the index and the lists do not come to agree")

    def _hits(self, index: PdqIndex, hashes: Sequence[MediaHash]) -> _Hits:
        nearest: _Hits = {}
        for query in hashes:
            if query.type != PDQ or (query.quality is not None and query.quality < self._limits.lowest_quality):
                continue
            for hit in index.search(bytes.fromhex(query.value), limit=self._limit):
                if hit.id not in nearest or hit.distance < nearest[hit.id][0]:
                    nearest[hit.id] = (hit.distance, query)
        return nearest

    def _check(self, hits: Sequence[_Hits], entries: dict[int, Found]) -> None:
        """Check that the index and the store mean the same hashes."""
        for found in hits:
            for id, (bits, query) in found.items():
                known = entries.get(id)
                if known is not None and distance(bytes.fromhex(known.hash.value), bytes.fromhex(query.value)) != bits:
                    raise self._made_anew("the index and the lists are not of the same hashes")

    def _made_anew(self, why: str) -> DamagedIndex:
        """Make the index anew, so that the next answer is right, and return the error that keeps this one from being so."""
        with self._catching_up:
            self._current = self._made()
        return DamagedIndex(f"{why}: it was made anew")


def _most_pending(index: PdqIndex) -> int:
    return max(_MOST_PENDING, len(index) // _SHARE_PENDING)


def _follow(index: PdqIndex, since: Since) -> None:
    for id, value in since.added:
        index.add(value, id)
    for id in since.removed:
        index.remove(id)
