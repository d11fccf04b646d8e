"""The exact matcher: whether a file is, byte for byte, one that the lists of this machine know."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial

from cybertip.adapters.matching.keeping import MOST_ITEMS, KeptLists, check_number
from cybertip.adapters.matching.store import Found, HashStore
from cybertip.errors import AdapterError
from cybertip.hashing.digests import digest
from cybertip.hashing.together import each
from cybertip.ports.clock import Clock
from cybertip.ports.matching import (
    MD5,
    PDQ,
    SHA1,
    SHA256,
    HashMatch,
    HashType,
    MatcherHealth,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Unchecked,
    Verdict,
)

__all__ = ["LocalDigestMatcher"]

_DIGESTS = frozenset({MD5, SHA1, SHA256})


class LocalDigestMatcher:
    """Look up digests in the lists of a store (see `cybertip.ports.matching.HashMatcher` for what is guaranteed).

    Digests that an item does not bring are computed of its bytes. All that are at hand are looked up, and other kinds of
    hashes, too, where items bring them: whether they are the same, not whether they are near. PDQ is looked up if it is
    one of `hash_types`: for pictures there is `LocalPdqMatcher`.

    Args:
        store: where the lists are kept.
        hash_types: the kinds without which an item is not checked; without a word, those that NCMEC's lists have. Leave out
            what no list has: an item is not checked while no list knows a hash of one of them.
        oldest: how old a list may be, for not finding something in it to mean anything.
        name: what it is called in results.
        threads: how many files are read at a time; as many as there are cores, where nothing is said.
        clock: tells the time.
    """

    def __init__(
        self,
        store: HashStore,
        *,
        hash_types: Collection[HashType] = (MD5, SHA1),
        oldest: timedelta = timedelta(days=2),
        name: str = "local digests",
        threads: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not hash_types:
            raise ValueError("without a kind of hash to look up by, nothing would ever be checked")
        self._lists = KeptLists(store, name=name, kinds=hash_types, oldest=oldest, clock=clock)
        self._threads = threads

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """What it is called in results."""
        return self._lists.name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that each item is looked up by."""
        return self._lists.kinds

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return MOST_ITEMS

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items."""
        check_number(items, self.most_items)
        hashed = list(each(self._hashed, items, threads=self._threads if len(items) > 1 else 1))
        asked = [[one for one in hashes if one.type != PDQ or PDQ in self.hash_types] for hashes, _ in hashed]
        try:
            lists, unchecked = self._lists.consulted()
            entries: dict[tuple[HashType, str], list[Found]] = {}
            for found in self._lists.store.find([one for some in asked for one in some]):
                entries.setdefault((found.hash.type, found.hash.value), []).append(found)
        except AdapterError:
            return self._lists.unanswered(items)
        return tuple(
            MatchResult.of(
                item,
                matches=[
                    self._lists.match_of(found, one) for one in some for found in entries.get((one.type, one.value), ())
                ],
                unchecked=(*missing, *unchecked),
                hashes=hashes,
                lists=lists,
            )
            for item, some, (hashes, missing) in zip(items, asked, hashed, strict=True)
        )

    def health(self) -> MatcherHealth:
        """Say whether the lists can be reached, and are young enough."""
        return self._lists.health()

    def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record what a person found; an entry that is a false positive is disputed from then on."""
        self._lists.record(match, verdict, reason)

    def _hashed(self, item: MediaItem) -> tuple[tuple[MediaHash, ...], tuple[Unchecked, ...]]:
        """Return an item's hashes, and what is missing of them and why."""
        hashes = item.hashes
        missing = self.hash_types - {one.type for one in hashes}
        reason = NotChecked.MISSING_HASH
        if item.media is not None and missing & _DIGESTS:
            try:
                hashes = tuple(dict.fromkeys((*hashes, *digest(item.media).hashes)))
            except OSError:
                reason = NotChecked.UNREADABLE
            missing = self.hash_types - {one.type for one in hashes}
        return hashes, tuple(map(partial(self._lists.unchecked, reason), sorted(missing)))
