"""Several matchers as one: what any of them finds is found, and what any of them could not look up is not checked."""

from collections.abc import Sequence

import attrs

from cybertip.ports.matching import (
    AsyncHashMatcher,
    HashMatcher,
    HashType,
    MatcherHealth,
    MatchResult,
    MediaItem,
    NotChecked,
    Readiness,
    Unchecked,
)

__all__ = ["AsyncCombinedHashMatcher", "CombinedHashMatcher"]

#: The worst comes last.
_READINESS = (Readiness.READY, Readiness.DEGRADED, Readiness.UNAVAILABLE)


class CombinedHashMatcher:
    """Ask several matchers about each item (see `cybertip.ports.matching.HashMatcher` for what is guaranteed).

    An item is a potential match if one of them says so, and `no_match` only if all of them do: everything that one of them
    did not check stays in the result, and its `reason` is the worst. Each matcher is handed the hashes that those before it
    computed. A matcher that breaks its promise and raises has checked nothing, and the others are asked all the same.

    Args:
        matchers: in the order in which they are asked; put those that compute hashes first.
        name: what they are called together.
    """

    def __init__(self, matchers: Sequence[HashMatcher], *, name: str = "combined") -> None:
        if not matchers:
            raise ValueError("no matcher is there to be asked, and nothing would ever be checked")
        self._matchers = tuple(matchers)
        self._name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._matchers)}>"

    @property
    def name(self) -> str:
        """What they are called together."""
        return self._name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that any of them looks up."""
        return frozenset[HashType]().union(*(one.hash_types for one in self._matchers))

    @property
    def most_items(self) -> int:
        """As many items as each of them takes."""
        return min(one.most_items for one in self._matchers)

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Ask each matcher about all items, and merge what they say."""
        _check_number(items, self.most_items)
        results: list[tuple[MatchResult, ...]] = []
        for one in self._matchers:
            asked = _with_hashes(items, results)
            try:
                results.append(_positional(asked, one.match(asked)))
            except Exception:
                # It promised not to; whatever it was, nothing is known.
                results.append(_unanswered(asked, one.name))
        return _merged(items, results)

    def health(self) -> MatcherHealth:
        """Say how the worst of them is, and what each looks in."""
        found: list[tuple[str, MatcherHealth]] = []
        for one in self._matchers:
            try:
                found.append((one.name, one.health()))
            except Exception:
                found.append((one.name, MatcherHealth(readiness=Readiness.UNAVAILABLE)))
        return _together(found)


class AsyncCombinedHashMatcher:
    """Ask several async matchers about each item, one after the other, as `CombinedHashMatcher` does.

    Args:
        matchers: in the order in which they are asked; put those that compute hashes first.
        name: what they are called together.
    """

    def __init__(self, matchers: Sequence[AsyncHashMatcher], *, name: str = "combined") -> None:
        if not matchers:
            raise ValueError("no matcher is there to be asked, and nothing would ever be checked")
        self._matchers = tuple(matchers)
        self._name = name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._matchers)}>"

    @property
    def name(self) -> str:
        """What they are called together."""
        return self._name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that any of them looks up."""
        return frozenset[HashType]().union(*(one.hash_types for one in self._matchers))

    @property
    def most_items(self) -> int:
        """As many items as each of them takes."""
        return min(one.most_items for one in self._matchers)

    async def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Ask each matcher about all items, and merge what they say."""
        _check_number(items, self.most_items)
        results: list[tuple[MatchResult, ...]] = []
        for one in self._matchers:
            asked = _with_hashes(items, results)
            try:
                results.append(_positional(asked, await one.match(asked)))
            except Exception:
                # It promised not to; whatever it was, nothing is known.
                results.append(_unanswered(asked, one.name))
        return _merged(items, results)

    async def health(self) -> MatcherHealth:
        """Say how the worst of them is, and what each looks in."""
        found: list[tuple[str, MatcherHealth]] = []
        for one in self._matchers:
            try:
                found.append((one.name, await one.health()))
            except Exception:
                found.append((one.name, MatcherHealth(readiness=Readiness.UNAVAILABLE)))
        return _together(found)


def _check_number(items: Sequence[MediaItem], most: int) -> None:
    if len(items) > most:
        raise ValueError(f"{len(items)} items were asked about, and at most {most} may be at once")


def _with_hashes(items: Sequence[MediaItem], results: list[tuple[MatchResult, ...]]) -> tuple[MediaItem, ...]:
    """Return the items with all hashes that were computed so far."""
    if not results:
        return tuple(items)
    hashes = [
        tuple(dict.fromkeys(hash for one in found for hash in one.hashes)) for found in zip(*results, strict=True)
    ]
    return tuple(attrs.evolve(item, hashes=known) for item, known in zip(items, hashes, strict=True))


def _positional(items: Sequence[MediaItem], results: Sequence[MatchResult]) -> tuple[MatchResult, ...]:
    """Return the results if there is one for each item; else nobody knows which is whose."""
    if [one.item for one in results] != [item.id for item in items]:
        raise ValueError("the results are not those of the items")
    return tuple(results)


def _unanswered(items: Sequence[MediaItem], name: str) -> tuple[MatchResult, ...]:
    reason = Unchecked(matcher=name, reason=NotChecked.UNAVAILABLE)
    return tuple(MatchResult.of(item, unchecked=[reason]) for item in items)


def _merged(items: Sequence[MediaItem], results: list[tuple[MatchResult, ...]]) -> tuple[MatchResult, ...]:
    return tuple(
        MatchResult.of(
            item,
            matches=[match for one in found for match in one.matches],
            unchecked=[reason for one in found for reason in one.unchecked],
            hashes=[hash for one in found for hash in one.hashes],
            lists=tuple(dict.fromkeys(known for one in found for known in one.lists)),
        )
        for item, *found in zip(items, *results, strict=True)
    )


def _together(found: Sequence[tuple[str, MatcherHealth]]) -> MatcherHealth:
    hashes: dict[HashType, int] = {}
    for _, health in found:
        for kind, count in health.hashes.items():
            hashes[kind] = hashes.get(kind, 0) + count
    return MatcherHealth(
        readiness=max((health.readiness for _, health in found), key=_READINESS.index),
        lists=tuple(dict.fromkeys(known for _, health in found for known in health.lists)),
        hashes=hashes,
        warnings=tuple(f"{name}: {warning}" for name, health in found for warning in health.warnings),
    )
