"""Several matchers answer as one, and nothing that one of them did not check is lost."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from hypothesis import given, strategies as st

from cybertip.adapters.matching.combined import AsyncCombinedHashMatcher, CombinedHashMatcher
from cybertip.adapters.matching.lifted import LiftedMatchFeedback, lift_matcher
from cybertip.hashing.values import worst
from cybertip.ports.matching import (
    MD5,
    PDQ,
    SHA1,
    ConsultedList,
    EntryId,
    HashMatch,
    HashType,
    ItemId,
    ListName,
    MatcherHealth,
    MatchKind,
    MatchResult,
    MediaHash,
    MediaItem,
    NotChecked,
    Outcome,
    Readiness,
    Unchecked,
    Verdict,
)

HASH = MediaHash(type=MD5, value="1" * 32)
OTHER = MediaHash(type=SHA1, value="2" * 40)
ITEM = MediaItem(id=ItemId("1"))
KNOWN = ConsultedList(name=ListName("known"), as_of=datetime(2026, 1, 1, tzinfo=UTC), entries=3)


class Scripted:
    """A matcher that says what it is told to, and remembers what it was asked."""

    most_items = 9

    def __init__(
        self,
        name: str = "scripted",
        *,
        found: int = 0,
        reasons: Sequence[NotChecked] = (),
        hashes: Sequence[MediaHash] = (HASH,),
        kinds: Sequence[HashType] = (MD5,),
        health: MatcherHealth | None = None,
    ) -> None:
        self.name = name
        self.hash_types = frozenset(kinds)
        self.asked: list[tuple[MediaItem, ...]] = []
        self._found, self._reasons, self._hashes = found, reasons, hashes
        self._health = health or MatcherHealth(readiness=Readiness.READY, lists=(KNOWN,), hashes={MD5: 3})

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        self.asked.append(tuple(items))
        return tuple(self._result(item) for item in items)

    def _result(self, item: MediaItem) -> MatchResult:
        matches = [
            HashMatch(matcher=self.name, list=KNOWN.name, entry=EntryId(str(number)), query=HASH, kind=MatchKind.EXACT)
            for number in range(self._found)
        ]
        unchecked = [Unchecked(matcher=self.name, reason=reason) for reason in self._reasons]
        return MatchResult.of(item, matches=matches, unchecked=unchecked, hashes=self._hashes, lists=[KNOWN])

    def health(self) -> MatcherHealth:
        return self._health


class Raising(Scripted):
    """A matcher that breaks its promise."""

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        raise KeyError("a canary from inside")

    def health(self) -> MatcherHealth:
        raise KeyError("a canary from inside")


class Miscounting(Scripted):
    """A matcher that loses an item, so that nobody knows which result is whose."""

    def match(self, items: Sequence[MediaItem]) -> tuple[MatchResult, ...]:
        return super().match(items)[1:]


REASONS = st.lists(st.sampled_from(NotChecked), max_size=3)


@given(parts=st.lists(st.tuples(st.integers(0, 2), REASONS), min_size=1, max_size=4))
def test_the_worst_of_what_was_not_checked_is_kept(parts: list[tuple[int, list[NotChecked]]]) -> None:
    """Anything found is a potential match, all reasons stay with their matchers, and no match needs all to have looked."""
    matchers = [Scripted(str(number), found=found, reasons=gaps) for number, (found, gaps) in enumerate(parts)]
    (result,) = CombinedHashMatcher(matchers).match([ITEM])
    gaps = [(str(number), gap) for number, (_, some) in enumerate(parts) for gap in some]
    assert [(one.matcher, one.reason) for one in result.unchecked] == gaps
    assert len(result.matches) == sum(found for found, _ in parts)
    assert result.reason == (worst(*(gap for _, gap in gaps)) if gaps else None)
    expected = Outcome.POTENTIAL_MATCH if result.matches else Outcome.NOT_CHECKED if gaps else Outcome.NO_MATCH
    assert result.outcome is expected


def test_each_matcher_gets_what_those_before_it_computed() -> None:
    """A file is hashed once: what one matcher computed, the next is given, together with what the item brought."""
    first = Scripted("first", hashes=[HASH])
    second = Scripted("second", hashes=[OTHER], kinds=[SHA1, PDQ])
    given_hash = MediaHash(type=PDQ, value="3" * 64)
    together = CombinedHashMatcher([first, second])
    items = [MediaItem(id=ItemId("a"), hashes=(given_hash,)), MediaItem(id=ItemId("b"))]
    results = together.match(items)
    assert [one.hashes for one in second.asked[0]] == [(given_hash, HASH), (HASH,)]
    assert [one.hashes for one in results] == [(given_hash, HASH, OTHER), (HASH, OTHER)]
    assert together.hash_types == {MD5, SHA1, PDQ}


@pytest.mark.parametrize("kind", [Raising, Miscounting])
def test_a_matcher_that_breaks_its_promise_has_checked_nothing(kind: Callable[..., Scripted]) -> None:
    """Others still find what they find; what nobody else finds is not checked, and nothing of the error is shown."""
    for found, outcome in ((1, Outcome.POTENTIAL_MATCH), (0, Outcome.NOT_CHECKED)):
        results = CombinedHashMatcher([kind("bad"), Scripted("good", found=found)]).match([ITEM, ITEM])
        for result in results:
            assert result.outcome is outcome
            assert [(one.matcher, one.reason) for one in result.unchecked] == [("bad", NotChecked.UNAVAILABLE)]
            assert "canary" not in repr(result)


def test_health_is_that_of_the_worst() -> None:
    """One that cannot be asked makes the whole unable to say that nothing matches, and warnings say whose they are."""
    ready = Scripted("ready")
    slow = Scripted(
        "slow", health=MatcherHealth(readiness=Readiness.DEGRADED, hashes={MD5: 2, PDQ: 1}, warnings=("old",))
    )
    health = CombinedHashMatcher([ready, slow]).health()
    assert (health.readiness, health.warnings, health.lists) == (Readiness.DEGRADED, ("slow: old",), (KNOWN,))
    assert health.hashes == {MD5: 5, PDQ: 1}
    assert CombinedHashMatcher([ready, Raising("bad"), slow]).health().readiness is Readiness.UNAVAILABLE
    assert CombinedHashMatcher([ready]).health().readiness is Readiness.READY


def test_no_matcher_at_all_is_refused() -> None:
    """An empty combination would call everything clean."""
    for kind in (CombinedHashMatcher, AsyncCombinedHashMatcher):
        with pytest.raises(ValueError, match="nothing would ever be checked"):
            kind([])


def test_both_colours_say_the_same() -> None:
    """The async combination asks its matchers in the same order and merges alike."""
    matchers = [Scripted("a", found=1), Raising("b"), Scripted("c", reasons=[NotChecked.STALE_LIST])]
    lifted = AsyncCombinedHashMatcher([lift_matcher(one) for one in matchers])
    assert anyio.run(lifted.match, [ITEM]) == CombinedHashMatcher(matchers).match([ITEM])
    assert anyio.run(lifted.health) == CombinedHashMatcher(matchers).health()
    assert repr(lifted) == "<AsyncCombinedHashMatcher of 3>"


def test_lifted_feedback_reaches_the_matcher() -> None:
    """A verdict from an async caller is the sync adapter's, word for word."""
    heard: list[Any] = []

    class Heard:
        def feedback(self, match: HashMatch, *, verdict: Verdict, reason: str | None = None) -> None:
            heard.append((match, verdict, reason))

    (match,) = Scripted(found=1).match([ITEM])[0].matches

    async def tell() -> None:
        await LiftedMatchFeedback(Heard()).feedback(match, verdict=Verdict.CONFIRMED, reason="seen")

    anyio.run(tell)
    assert heard == [(match, Verdict.CONFIRMED, "seen")]
