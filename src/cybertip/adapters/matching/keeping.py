"""What the matchers of this machine have in common: the lists in a store, how old they may be, and what people found."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from cybertip.adapters.matching.store import Found, HashStore
from cybertip.errors import AdapterError
from cybertip.ports.clock import Clock, SystemClock
from cybertip.ports.matching import (
    ConsultedList,
    HashMatch,
    HashType,
    MatcherHealth,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Readiness,
    Unchecked,
    Verdict,
)

__all__ = ["MOST_ITEMS", "KeptLists", "check_number"]

#: How many items a matcher of this machine takes at once: their hashes are in memory together.
MOST_ITEMS = 1000

#: How far a clock elsewhere may be ahead of ours: a list that claims to be complete up to a later time was complete at none.
_AHEAD = timedelta(minutes=5)


class KeptLists:
    """The lists that a matcher looks in.

    Args:
        store: where they are kept.
        name: of the matcher.
        kinds: of the hashes that it looks up.
        oldest: how old a list may be, for not finding something in it to mean anything.
        clock: tells the time.
    """

    def __init__(
        self,
        store: HashStore,
        *,
        name: str,
        kinds: Collection[HashType],
        oldest: timedelta,
        clock: Clock | None = None,
    ) -> None:
        self.store = store
        self.name = name
        self.kinds = frozenset(kinds)
        self._oldest = oldest
        self._clock = clock or SystemClock()

    def consulted(self, *, counted: bool = False) -> tuple[tuple[ConsultedList, ...], tuple[Unchecked, ...]]:
        """Return the lists, and what keeps them from showing that something is on none of them."""
        lists, there = self.store.lists(counted=counted), self.store.kinds(self.kinds)
        unchecked = [self.unchecked(NotChecked.NO_LIST, kind) for kind in sorted(self.kinds - there)]
        if any(self._is_stale(one) for one in lists):
            unchecked.append(self.unchecked(NotChecked.STALE_LIST))
        return lists, tuple(unchecked)

    def unchecked(self, reason: NotChecked, kind: HashType | None = None) -> Unchecked:
        """Return why something was not looked up, in this matcher's name."""
        return Unchecked(matcher=self.name, reason=reason, hash_type=kind)

    def unanswered(self, items: Iterable[MediaItem]) -> tuple[MatchResult, ...]:
        """Return what is known while the lists cannot be reached: nothing."""
        return tuple(MatchResult.of(item, unchecked=[self.unchecked(NotChecked.UNAVAILABLE)]) for item in items)

    def match_of(
        self, found: Found, query: MediaHash, *, distance: int | None = None, limit: int | None = None
    ) -> HashMatch:
        """Return an entry that was found as a match: exact without a distance, else near."""
        return HashMatch(
            matcher=self.name,
            list=found.list,
            entry=found.entry,
            member=found.member,
            query=query,
            kind=MatchKind.EXACT if distance is None else MatchKind.NEAR,
            distance=distance,
            limit=limit,
            classification=found.classification,
            disputed=found.disputed,
        )

    def health(self, *, warnings: Sequence[str] = ()) -> MatcherHealth:
        """Say whether the lists can be reached, and are young enough."""
        try:
            lists, unchecked = self.consulted(counted=True)
            counts = {kind: count for kind, count in self.store.counts().items() if kind in self.kinds}
        except AdapterError as error:
            return MatcherHealth(readiness=Readiness.UNAVAILABLE, warnings=(str(error),))
        stale = [
            f"the list {one.name!r} is older than allowed, was never complete, or claims a time that is yet to come"
            for one in lists
            if self._is_stale(one)
        ]
        missing = [
            f"no list has a hash of type {one.hash_type}" for one in unchecked if one.reason is NotChecked.NO_LIST
        ]
        return MatcherHealth(
            readiness=Readiness.DEGRADED if unchecked else Readiness.READY,
            lists=lists,
            hashes=counts,
            warnings=(*stale, *missing, *warnings),
        )

    def record(self, match: HashMatch, verdict: Verdict, reason: str | None) -> None:
        """Record what a person found who looked at a match of this matcher's."""
        if match.matcher != self.name:
            raise ValueError("the match is another matcher's: tell that one what was found")
        self.store.record(match.list, match.entry, match.member, verdict=verdict, reason=reason)

    def _is_stale(self, one: ConsultedList) -> bool:
        now = self._clock.now()
        return one.as_of is None or not now - self._oldest <= one.as_of <= now + _AHEAD


def check_number(items: Sequence[MediaItem], most: int) -> None:
    """Raise `ValueError` if there are more items than may be asked about at once."""
    if len(items) > most:
        raise ValueError(f"{len(items)} items were asked about, and at most {most} may be at once")
