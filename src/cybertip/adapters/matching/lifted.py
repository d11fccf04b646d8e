"""A sync matcher for async callers: each call happens in a thread, for hashing and looking up take their time."""

from collections.abc import Sequence

import anyio

from cybertip.adapters.bridge import Lifted
from cybertip.ports.matching import (
    Classification,
    Classifier,
    HashMatch,
    HashMatcher,
    HashType,
    MatcherHealth,
    MatchFeedback,
    MatchResult,
    MediaItem,
    Verdict,
)

__all__ = ["LiftedClassifier", "LiftedHashMatcher", "LiftedMatchFeedback", "lift_matcher"]


class LiftedHashMatcher(Lifted[HashMatcher]):
    """Look up media as `cybertip.ports.matching.AsyncHashMatcher` says, with a sync matcher."""

    @property
    def name(self) -> str:
        """What the matcher is called."""
        return self.adapter.name

    @property
    def hash_types(self) -> frozenset[HashType]:
        """The kinds of hashes that each item is looked up by."""
        return self.adapter.hash_types

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return self.adapter.most_items

    async def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        """Look up items in a thread."""
        return await self.call(self.adapter.match, items)

    async def health(self) -> MatcherHealth:
        """Say, in a thread, whether the matcher can answer."""
        return await self.call(self.adapter.health)


class LiftedMatchFeedback(Lifted[MatchFeedback]):
    """Tell whoever keeps a list what a person found, as `cybertip.ports.matching.AsyncMatchFeedback` says."""

    async def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
        """Record a verdict in a thread."""
        await self.call(self.adapter.feedback, match, verdict=verdict, reason=reason)


class LiftedClassifier(Lifted[Classifier]):
    """Estimate media as `cybertip.ports.matching.AsyncClassifier` says, with a sync classifier."""

    @property
    def name(self) -> str:
        """What the classifier is called."""
        return self.adapter.name

    @property
    def most_items(self) -> int:
        """How many items may be asked about at once."""
        return self.adapter.most_items

    async def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        """Estimate items in a thread."""
        return await self.call(self.adapter.classify, items)


def lift_matcher(matcher: HashMatcher, *, limiter: anyio.CapacityLimiter | None = None) -> LiftedHashMatcher:
    """Return a sync matcher as an async one.

    Each of its calls takes a thread: give a `limiter` where it should take few of them.
    """
    return LiftedHashMatcher(matcher, limiter=limiter)
