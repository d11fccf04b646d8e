"""Our matchers keep what the port promises, in both colours: local ones, several as one, and lifted ones."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from cybertip.adapters.matching.combined import AsyncCombinedHashMatcher, CombinedHashMatcher
from cybertip.adapters.matching.lifted import LiftedClassifier, LiftedHashMatcher, lift_matcher
from cybertip.adapters.matching.local import LocalDigestMatcher
from cybertip.adapters.matching.local_pdq import LocalPdqMatcher
from cybertip.adapters.matching.store import HashStore
from cybertip.ports.clock import Clock
from cybertip.ports.matching import Classification, Classifier, ItemId, MediaItem, NotChecked, Priority
from cybertip.testing.conformance import (
    AsyncClassifierSuite,
    AsyncHashMatcherSuite,
    ClassifierSuite,
    HashMatcherSuite,
)

HOUR = timedelta(hours=1)


class Items:
    """A picture that is on the list, and another."""

    @pytest.fixture
    def known(self, picture_file: Callable[..., bytes]) -> MediaItem:
        return MediaItem(id=ItemId("known"), media=picture_file(1))

    @pytest.fixture
    def unknown(self, picture_file: Callable[..., bytes]) -> MediaItem:
        return MediaItem(id=ItemId("unknown"), media=picture_file(2))


class TestLocalDigestMatcher(Items, HashMatcherSuite):
    """Digests in a file of this machine."""

    @pytest.fixture
    def matcher(self, store: HashStore, clock: Clock) -> LocalDigestMatcher:
        return LocalDigestMatcher(store, clock=clock)

    @pytest.fixture
    def broken(self, closed: HashStore, clock: Clock) -> LocalDigestMatcher:
        return LocalDigestMatcher(closed, clock=clock)

    @pytest.fixture
    def stale(self, store: HashStore, clock: Clock) -> LocalDigestMatcher:
        return LocalDigestMatcher(store, clock=clock, oldest=HOUR / 2)


class TestLocalPdqMatcher(Items, HashMatcherSuite):
    """Pictures in a file of this machine."""

    @pytest.fixture
    def matcher(self, store: HashStore, clock: Clock) -> LocalPdqMatcher:
        return LocalPdqMatcher(store, clock=clock)

    @pytest.fixture
    def broken(self, closed: HashStore, clock: Clock) -> LocalPdqMatcher:
        return LocalPdqMatcher(closed, clock=clock)

    @pytest.fixture
    def stale(self, store: HashStore, clock: Clock) -> LocalPdqMatcher:
        return LocalPdqMatcher(store, clock=clock, oldest=HOUR / 2)


def both(store: HashStore, clock: Clock, oldest: timedelta = timedelta(days=1)) -> CombinedHashMatcher:
    digests = LocalDigestMatcher(store, clock=clock, oldest=oldest)
    return CombinedHashMatcher([digests, LocalPdqMatcher(store, clock=clock, oldest=oldest)])


class TestCombined(Items, HashMatcherSuite):
    """Digests and pictures together."""

    @pytest.fixture
    def matcher(self, store: HashStore, clock: Clock) -> CombinedHashMatcher:
        return both(store, clock)

    @pytest.fixture
    def broken(self, closed: HashStore, clock: Clock) -> CombinedHashMatcher:
        return both(closed, clock)

    @pytest.fixture
    def stale(self, store: HashStore, clock: Clock) -> CombinedHashMatcher:
        return both(store, clock, HOUR / 2)


class TestLifted(Items, AsyncHashMatcherSuite):
    """A sync matcher for async callers."""

    @pytest.fixture
    def async_matcher(self, store: HashStore, clock: Clock) -> LiftedHashMatcher:
        return lift_matcher(both(store, clock))

    @pytest.fixture
    def async_broken(self, closed: HashStore, clock: Clock) -> LiftedHashMatcher:
        return lift_matcher(both(closed, clock))

    @pytest.fixture
    def async_stale(self, store: HashStore, clock: Clock) -> LiftedHashMatcher:
        return lift_matcher(both(store, clock, HOUR / 2))


class TestAsyncCombined(Items, AsyncHashMatcherSuite):
    """Async matchers together."""

    @staticmethod
    def of(store: HashStore, clock: Clock, oldest: timedelta = timedelta(days=1)) -> AsyncCombinedHashMatcher:
        digests = LocalDigestMatcher(store, clock=clock, oldest=oldest)
        pictures = LocalPdqMatcher(store, clock=clock, oldest=oldest)
        return AsyncCombinedHashMatcher([lift_matcher(digests), lift_matcher(pictures)])

    @pytest.fixture
    def async_matcher(self, store: HashStore, clock: Clock) -> AsyncCombinedHashMatcher:
        return self.of(store, clock)

    @pytest.fixture
    def async_broken(self, closed: HashStore, clock: Clock) -> AsyncCombinedHashMatcher:
        return self.of(closed, clock)

    @pytest.fixture
    def async_stale(self, store: HashStore, clock: Clock) -> AsyncCombinedHashMatcher:
        return self.of(store, clock, HOUR / 2)


class BySize:
    """A classifier for tests: the larger a file, the sooner somebody should look."""

    name = "by size"
    most_items = 4

    def __init__(self, *, reachable: bool = True) -> None:
        self._reachable = reachable

    def classify(self, items: Sequence[MediaItem]) -> tuple[Classification, ...]:
        if len(items) > self.most_items:
            raise ValueError(f"at most {self.most_items} at once")
        return tuple(self._estimated(item) for item in items)

    def _estimated(self, item: MediaItem) -> Classification:
        if not self._reachable:
            return Classification(item=item.id, classifier=self.name, reason=NotChecked.UNAVAILABLE)
        if not isinstance(item.media, bytes):
            return Classification(item=item.id, classifier=self.name, reason=NotChecked.UNREADABLE)
        priority = Priority.HIGH if len(item.media) > 10 else Priority.LOW
        return Classification(item=item.id, classifier=self.name, priority=priority, label=priority.name)


class TestClassifier(ClassifierSuite):
    """A classifier that a stranger wrote."""

    @pytest.fixture
    def classifier(self) -> Classifier:
        return BySize()

    @pytest.fixture
    def broken(self) -> Classifier:
        return BySize(reachable=False)

    @pytest.fixture
    def item(self) -> MediaItem:
        return MediaItem(id=ItemId("1"), media=b"synthetic bytes")


class TestLiftedClassifier(AsyncClassifierSuite):
    """A sync classifier for async callers."""

    @pytest.fixture
    def async_classifier(self) -> Any:
        return LiftedClassifier(BySize())

    @pytest.fixture
    def async_broken(self) -> Any:
        return LiftedClassifier(BySize(reachable=False))

    @pytest.fixture
    def item(self) -> MediaItem:
        return MediaItem(id=ItemId("1"), media=b"synthetic bytes")
