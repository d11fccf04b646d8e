"""What a matcher of hashes promises, in both colours. The async suite drives the same tests through an event loop."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import attrs
import pytest
from anyio.from_thread import BlockingPortal

from cybertip.ports.matching import (
    HashMatcher,
    ItemId,
    MatchResult,
    MediaItem,
    NotChecked,
    Outcome,
    Readiness,
)
from cybertip.testing.conformance.running import OnEventLoops, at_once, driven

__all__ = ["AsyncHashMatcherSuite", "HashMatcherSuite", "driven_with_names"]

#: How old the lists of a matcher that asks a service each time can be.
_JUST_NOW = timedelta(minutes=5)


def _called(item: MediaItem, id: str) -> MediaItem:
    return attrs.evolve(item, id=ItemId(id))


class HashMatcherSuite:
    """Test a `HashMatcher`: one test for each sentence of the port's docstrings.

    Override the fixtures. `matcher` can reach its lists, which are young enough; `known` is an item that is on one of them
    and `unknown` one that is on none, both with all that the matcher needs. `broken` is a matcher whose lists or services
    cannot be reached, and `stale` one whose lists are too old; None says that its lists are always as old as its answer.
    """

    @pytest.fixture
    def matcher(self) -> Any:
        """A matcher that can look up."""
        pytest.fail("override the fixture `matcher` of the suite")

    @pytest.fixture
    def known(self) -> MediaItem:
        """An item that is on a list."""
        pytest.fail("override the fixture `known` of the suite")

    @pytest.fixture
    def unknown(self) -> MediaItem:
        """An item that is on no list."""
        pytest.fail("override the fixture `unknown` of the suite")

    @pytest.fixture
    def broken(self) -> Any:
        """A matcher that cannot reach its lists."""
        pytest.fail("override the fixture `broken` of the suite")

    @pytest.fixture
    def stale(self) -> Any:
        """A matcher whose lists are too old, or None."""
        pytest.fail("override the fixture `stale` of the suite")

    def test_match_positional(self, matcher: HashMatcher, known: MediaItem, unknown: MediaItem) -> None:
        """There is one result for each item, in the order of the items, and it bears the item's id."""
        items = [_called(item, str(number)) for number, item in enumerate([unknown, known, known, unknown, known])]
        results = matcher.match(items)
        assert [one.item for one in results] == ["0", "1", "2", "3", "4"]
        no, yes = Outcome.NO_MATCH, Outcome.POTENTIAL_MATCH
        assert [one.outcome for one in results] == [no, yes, yes, no, yes]
        assert tuple(matcher.match([])) == ()
        # Two items may have one id.
        assert [one.outcome for one in matcher.match([known, known])] == [yes, yes]

    def test_match_potential(self, matcher: HashMatcher, known: MediaItem) -> None:
        """`potential_match` names each entry that was found, who found it, and the item's hash that found it."""
        (result,) = matcher.match([known])
        assert result.outcome is Outcome.POTENTIAL_MATCH
        assert result.matches
        for match in result.matches:
            assert match.matcher
            assert match.list
            assert match.entry
            assert match.query in result.hashes
            assert match.distance is None or 0 <= match.distance <= (256 if match.limit is None else match.limit)

    def test_match_none(self, matcher: HashMatcher, unknown: MediaItem) -> None:
        """`no_match` means that a hash of each of `hash_types` was given or computed and is among the result's hashes, and
        that all of them were looked up in every list that is named, none of which is older than allowed."""
        assert matcher.hash_types
        (result,) = matcher.match([unknown])
        assert result.outcome is Outcome.NO_MATCH
        assert {one.type for one in result.hashes} >= matcher.hash_types
        assert result.lists
        for one in result.lists:
            assert one.name
            assert one.as_of is not None
            assert one.as_of.tzinfo is not None
        # Without any one of its hashes, and without its bytes, it was not looked up.
        for kind in matcher.hash_types:
            hashes = tuple(one for one in result.hashes if one.type != kind)
            (poorer,) = matcher.match([attrs.evolve(unknown, hashes=hashes, media=None)])
            assert poorer.outcome is Outcome.NOT_CHECKED, kind

    def test_match_stale(
        self, matcher: HashMatcher, stale: HashMatcher | None, known: MediaItem, unknown: MediaItem
    ) -> None:
        """In lists that are older than allowed something can be found, but `no_match` is not said."""
        if stale is None:
            (result,) = matcher.match([unknown])
            assert result.list_as_of is not None
            assert abs(datetime.now(UTC) - result.list_as_of) < _JUST_NOW
            return
        found, other = stale.match([known, unknown])
        assert found.outcome is Outcome.POTENTIAL_MATCH
        assert other.outcome is Outcome.NOT_CHECKED
        assert other.reason is NotChecked.STALE_LIST
        assert NotChecked.STALE_LIST in [one.reason for one in found.unchecked]

    def test_match_apart(self, matcher: HashMatcher, known: MediaItem, unknown: MediaItem) -> None:
        """Whatever keeps an item from being looked up is a reason in its result: nothing is raised for it, and the other
        items have theirs."""
        nothing, rubbish = MediaItem(id=ItemId("nothing")), MediaItem(id=ItemId("rubbish"), media=b"")
        results = matcher.match([nothing, known, rubbish, unknown])
        assert [one.item for one in results] == [nothing.id, known.id, rubbish.id, unknown.id]
        assert results[0].outcome is Outcome.NOT_CHECKED
        assert results[0].reason is not None
        assert results[1].outcome is Outcome.POTENTIAL_MATCH
        assert results[3].outcome is Outcome.NO_MATCH

    def test_match_keeps_hashes(self, matcher: HashMatcher, known: MediaItem, unknown: MediaItem) -> None:
        """The hashes that an item was given are among those of its result."""
        for item, result in zip((known, unknown), matcher.match([known, unknown]), strict=True):
            assert set(result.hashes) >= set(item.hashes)
            # And whoever gives what was computed gets the same answer.
            (again,) = matcher.match([attrs.evolve(item, hashes=result.hashes)])
            assert (again.outcome, again.matches) == (result.outcome, result.matches)

    def test_match_most(self, matcher: HashMatcher, unknown: MediaItem) -> None:
        """With more than `most_items` it raises `ValueError`, and nothing is looked up."""
        most = matcher.most_items
        assert most >= 1
        with pytest.raises(ValueError, match=r"\d"):
            matcher.match([unknown] * (most + 1))

    def test_match_unreachable(self, broken: HashMatcher, known: MediaItem, unknown: MediaItem) -> None:
        """When lists or services cannot be reached, every item is `not_checked`."""
        results = broken.match([known, unknown])
        assert [one.item for one in results] == [known.id, unknown.id]
        for one in results:
            assert one.outcome is Outcome.NOT_CHECKED
            assert one.reason is NotChecked.UNAVAILABLE

    def test_match_at_once(self, matcher: HashMatcher, known: MediaItem, unknown: MediaItem) -> None:
        """It may be called from several threads at once."""
        for outcome in at_once([partial(matcher.match, [known, unknown])] * 4):
            assert not isinstance(outcome, Exception), outcome
            assert [one.outcome for one in outcome] == [Outcome.POTENTIAL_MATCH, Outcome.NO_MATCH]

    def test_match_results(self, matcher: HashMatcher, known: MediaItem) -> None:
        """A result is neither true nor false."""
        (result,) = matcher.match([known])
        assert isinstance(result, MatchResult)
        with pytest.raises(TypeError, match="outcome"):
            bool(result)

    def test_health_ready(self, matcher: HashMatcher, stale: HashMatcher | None) -> None:
        """It is `ready` only if `match` can say `no_match`, and names the lists and their age."""
        health = matcher.health()
        assert health.readiness is Readiness.READY
        assert health.lists
        assert all(one.as_of is not None for one in health.lists)
        if stale is not None:
            assert stale.health().readiness is Readiness.DEGRADED

    def test_health_unreachable(self, broken: HashMatcher) -> None:
        """When lists or services cannot be reached, it is `unavailable`; nothing is raised."""
        assert broken.health().readiness is Readiness.UNAVAILABLE

    def test_name(self, matcher: HashMatcher) -> None:
        """What the matcher is called in its results."""
        assert matcher.name
        assert isinstance(matcher.name, str)


class _Named:
    """A driven adapter whose properties are its own."""

    def __init__(self, driven: Any, adapter: Any) -> None:
        self._driven = driven
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._adapter, name)
        return getattr(self._driven, name) if callable(value) else value


@contextmanager
def driven_with_names(portal: BlockingPortal, adapter: Any) -> Iterator[Any]:
    """Drive an async adapter that has properties as a sync one; None stays None."""
    if adapter is None:
        yield None
        return
    with driven(portal, adapter) as entered:
        yield _Named(entered, entered._adapter)


class AsyncHashMatcherSuite(OnEventLoops, HashMatcherSuite):
    """Test an `AsyncHashMatcher`, on asyncio and trio.

    Override the fixtures `async_matcher`, `async_broken` and `async_stale`, which return matchers, or asynchronous context
    managers that yield them and are entered and left within the event loop; and `known` and `unknown`.
    """

    @pytest.fixture
    def async_matcher(self) -> Any:
        """A matcher that can look up, or what yields one."""
        pytest.fail("override the fixture `async_matcher` of the suite")

    @pytest.fixture
    def async_broken(self) -> Any:
        """A matcher that cannot reach its lists, or what yields one."""
        pytest.fail("override the fixture `async_broken` of the suite")

    @pytest.fixture
    def async_stale(self) -> Any:
        """A matcher whose lists are too old, or what yields one, or None."""
        pytest.fail("override the fixture `async_stale` of the suite")

    @pytest.fixture
    def matcher(self, portal: BlockingPortal, async_matcher: Any) -> Iterator[Any]:
        """The matcher, driven from outside of its event loop."""
        with driven_with_names(portal, async_matcher) as matcher:
            yield matcher

    @pytest.fixture
    def broken(self, portal: BlockingPortal, async_broken: Any) -> Iterator[Any]:
        """The broken one, driven likewise."""
        with driven_with_names(portal, async_broken) as matcher:
            yield matcher

    @pytest.fixture
    def stale(self, portal: BlockingPortal, async_stale: Any) -> Iterator[Any]:
        """The stale one, driven likewise."""
        with ExitStack() as stack:
            yield stack.enter_context(driven_with_names(portal, async_stale))
